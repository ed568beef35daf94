"""One panel for every chapter: controls on the left, the live picture on the right.

A worker thread runs and sets the widgets' traits. It never prints: that would appear below whichever cell is busy.
"""

import html
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import ipywidgets as widgets
import torch
from PIL import Image

from cnnlab.images import load_image
from cnnlab.pictures import SIDE, curve, encode, note, picture, write_new
from cnnlab.worker import Worker, paced

WIDTH = 320  # pixels of the column of controls
PAUSE = 0.1  # seconds between two pictures: at most about 10 a second
STYLE = """<style>
.cnnlab-panel {--jp-widgets-font-size: 15px; --jp-widgets-inline-height: 32px; padding: 8px}
.cnnlab-panel .widget-label {color: var(--jp-content-font-color0, #000)}
.cnnlab-panel button {border-radius: 4px; font-weight: 600}
.cnnlab-panel button:focus-visible, .cnnlab-panel .noUi-handle:focus {outline: 3px solid #f5a623; outline-offset: 1px}
.cnnlab-panel .cnnlab-title .widget-html-content {font-size: 19px; font-weight: 600; line-height: 28px}
.cnnlab-panel .cnnlab-status .widget-html-content {line-height: 21px; font-variant-numeric: tabular-nums}
.cnnlab-panel .cnnlab-image, .cnnlab-panel .cnnlab-curve {border-radius: 4px; background: #f4f4f4}
.cnnlab-panel pre {font-size: 12px; line-height: 1.3; overflow-x: auto}
</style>"""


class Panel(widgets.VBox):
    """Controls, Run, Stop, Reset and Save image, and the live picture, curve and status of the run that they start.

    Args:
        start: called in the worker thread with the values of the controls; gives a Run, or any iterable of steps with
            `number`, `total`, `value` and `image`.
        controls: the keywords of `start` and the widgets that give their values, in the order shown.
        view: what to draw of a step: images (B, C, H, W), a Pillow image or a Figure; None draws `step.image`.
        live: start at once, and again at each change of a control; there is no curve then.
        upload: a keyword of `start` for a picture of the user's own, (1, 3, H, W); None until there is one.
        title: the heading, and the name of the saved pictures.

    Attributes:
        status: what the panel says, in words.
        error: what went wrong in the last run, or None.
        shown: the last picture of a run, or None at the beginning.

    Raises:
        ValueError: for a control that has no value, or the name of the upload.
    """

    def __init__(
        self,
        start: Callable[..., Iterable[Any]],
        controls: Mapping[str, widgets.Widget],
        *,
        view: Callable[[Any], Any] | None = None,
        live: bool = False,
        upload: str | None = None,
        title: str = "",
    ) -> None:
        for name, control in controls.items():
            if not control.has_trait("value") or name == upload:
                raise ValueError(f"controls: {name!r} must be a widget with a value, and not the name of the upload")
        self.start, self.controls, self.view, self.live = start, dict(controls), view, live
        self.upload, self.title = upload, title
        self.initial = {name: control.value for name, control in controls.items()}
        self.uploaded: torch.Tensor | None = None
        self.shown: Image.Image | None = None
        self.worker = Worker()
        self._make_parts()
        super().__init__(self._arrange(), layout={"width": "100%"})
        self.add_class("cnnlab-panel")
        self._begin()
        if live:
            self.run()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:  # GitHub and the saved notebook show the words
        words = f"An interactive panel, {', '.join(self.controls)}: it works while the notebook runs."
        words = f"<b>{html.escape(self.title)}</b> {html.escape(words)}"
        return super()._repr_mimebundle_(**kwargs) | {"text/html": words, "text/plain": f"Panel({self.title!r})"}

    def run(self) -> None:
        """Start a run with the present values; one that runs stops first."""
        values = {name: control.value for name, control in self.controls.items()}
        self.worker.ask(partial(self._run, values | ({self.upload: self.uploaded} if self.upload else {})))

    def stop(self) -> None:
        """Stop after the present step, and keep its picture."""
        self.worker.stop()

    def reset(self) -> None:
        """Put the controls, the picture and the curve back to the beginning; an uploaded picture is dropped."""
        self.uploaded, self.chooser.value = None, ()
        for name, control in self.controls.items():
            control.value = self.initial[name]
        self.run() if self.live else self.worker.ask(self._begin)

    def save(self) -> None:
        """Write the picture beside the notebook, as a new PNG file named after the title."""
        if self.shown is None:
            return self._say("nothing to save yet: press Run first")
        try:
            path = write_new(self.title, self.shown)
        except OSError as error:
            return self._say(f"error: {error}", error)
        self.saved = f"saved as {path}"
        self._say(self.status)

    def wait(self, timeout: float) -> None:
        """Wait until nothing runs; raises TimeoutError after `timeout` seconds."""
        self.worker.wait(timeout)

    def _run(self, values: dict[str, Any]) -> None:
        self.saved = ""
        self._say("starting")
        self.buttons["stop"].button_style = "danger"  # red: there is something to stop
        step: Any = None
        objective: list[float] = []
        try:
            for frame, (step, objective) in enumerate(paced(self.start(**values), PAUSE, self.worker)):
                self.shown = picture(self.view(step) if self.view else step.image)
                self.image.value = encode(self.shown)
                self.progress.max, self.progress.value = step.total, step.number
                self._say(f"step {step.number} of {step.total}, objective {objective[-1]:.4g}")
                if not self.live and frame % 4 == 0:  # it takes longer than the picture, and changes less
                    self.curve.value = encode(curve(objective, step.total, WIDTH))
            if not self.live and objective:
                self.curve.value = encode(curve(objective, step.total, WIDTH))
            if self.worker.stopping and objective and step.number < step.total:
                self._say(f"stopped at step {step.number} of {step.total}")
            else:
                self._say(f"done, objective {objective[-1]:.4g}" if len(objective) > 1 else "done")
        except Exception as error:  # whatever a student's code raises is shown and kept, and the panel stays usable
            self._say(f"error: {str(error) or type(error).__name__}", error)
        self.buttons["stop"].button_style = ""

    def _begin(self) -> None:
        self.shown, self.saved = None, ""
        self.image.value, self.curve.value = encode(note("press Run")), encode(curve([], 2, WIDTH))
        self.progress.value = 0
        self._say("ready")

    def _receive(self, change: Any) -> None:
        for file in change.new:  # one, or none after Reset
            try:
                self.uploaded = load_image(bytes(file["content"]))
            except ValueError as error:
                return self._say(f"error: {error}", error)
            self.image.value = encode(picture(self.uploaded))
            self._say(f"{file['name']} is ready for the next run")
            if self.live:
                self.run()

    def _say(self, text: str, error: Exception | None = None) -> None:
        self.status, self.error = text, error
        color = "var(--jp-error-color0, #b00020)" if error else "inherit"
        self.line.value = f'<div role="status" style="color: {color}">{html.escape(text)}<br>{self.saved}</div>'
        lines = html.escape("".join(traceback.format_exception(error))) if error else ""
        self.details.value = lines and f"<details><summary>the whole error</summary><pre>{lines}</pre></details>"

    def _make_parts(self) -> None:
        self.heading = _part(widgets.HTML(html.escape(self.title)), "title")
        self.chooser = _part(widgets.FileUpload(accept="image/*", description="your own picture"), "upload")
        self.chooser.observe(self._receive, "value")
        self.buttons = {}
        for act, label in {self.run: "Run", self.stop: "Stop", self.reset: "Reset", self.save: "Save image"}.items():
            name = act.__name__
            self.buttons[name] = _part(widgets.Button(description=label), name, width="auto", flex="1 1 auto")
            self.buttons[name].on_click(lambda _, act=act: act())
        self.buttons["run"].button_style = "primary"
        self.progress = _part(widgets.IntProgress(max=1), "progress", height="14px")
        self.line = _part(widgets.HTML(), "status", min_height="44px")
        self.curve = _part(widgets.Image(), "curve", height="140px")
        self.image = _part(widgets.Image(), "image", width=f"{SIDE}px", height=f"{SIDE}px", object_fit="contain")
        self.details = _part(widgets.HTML(), "error")

    def _arrange(self) -> list[widgets.Widget]:
        for name, control in self.controls.items():
            _part(control, f"control-{name}").description = control.description or name.replace("_", " ")
            if self.live:
                control.observe(lambda change: self.run(), "value")
        # The labels are as wide as the longest; a check box has its words on the right.
        longest = max((len(c.description) for c in self.controls.values() if not c.has_trait("indent")), default=0)
        for control in self.controls.values():
            control.style.description_width = f"{min(max(8 * longest + 12, 64), 140)}px"
        column = [self.heading] * bool(self.title) + list(self.controls.values()) + [self.chooser] * bool(self.upload)
        column += [widgets.HBox(list(self.buttons.values()), layout={"grid_gap": "6px"}), self.progress, self.line]
        left = widgets.VBox(column + [self.curve] * (not self.live), layout={"width": f"{WIDTH}px", "grid_gap": "8px"})
        both = widgets.HBox([left, self.image], layout={"flex_flow": "row wrap", "grid_gap": "24px"})
        return [widgets.HTML(STYLE, layout={"display": "none"}), both, self.details]


def _part(widget: widgets.Widget, name: str, **layout: str) -> widgets.Widget:
    for key, value in ({"width": "100%", "margin": "0"} | layout).items():
        setattr(widget.layout, key, value)
    return widget.add_class(f"cnnlab-{name}")
