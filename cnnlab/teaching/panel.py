"""One panel for every chapter: controls on the left, the live picture on the right.

A worker thread runs `start` and sets the widgets' values. It never prints: the text would appear below any busy cell.
"""

import html
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import ipywidgets as widgets
from PIL import Image
from torch import Tensor

from cnnlab.files import load_image
from cnnlab.runs import Run
from cnnlab.teaching.frames import SIDE, Drawable, curve, encode, note, picture, write_new
from cnnlab.teaching.worker import Worker, paced

WIDTH = 320  # pixels of the column of controls
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
    """Controls, the buttons Run, Stop, Reset and Save image, and the picture, curve and status of what they start.

    Args:
        start: is called in the worker thread with the values of the controls. It returns images (B, C, H, W) with
            C = 1 or 3, a Pillow picture, a Figure, or a `Run`, which the panel draws while it takes its steps.
        controls: the keywords of `start` and the widgets that give their values, from top to bottom.
        view: (run) -> what to draw of a run: images, a Pillow picture or a Figure; None draws `run.image`.
        live: whether to start at once, and again at each change of a control; a live panel has no curve.
        upload: a keyword of `start` for the user's own picture, (1, 3, H, W); its value is None until there is one.
        title: the heading, and the name of the saved pictures.

    Attributes:
        status: what the panel says, in words.
        error: the exception of the last run, or None.
        shown: the last picture that was drawn, or None at the beginning.

    Raises ValueError if a control has no value, or the name of the upload.
    """

    def __init__(
        self, start: Callable[..., Drawable | Run], controls: Mapping[str, widgets.Widget], *,
        view: Callable[[Run], Drawable] | None = None, live: bool = False, upload: str | None = None, title: str = "",
    ) -> None:  # fmt: skip
        for name, control in controls.items():
            if not control.has_trait("value") or name == upload:
                raise ValueError(f"controls: {name!r} must be a widget with a value, and not the name of the upload")
        self.start, self.controls, self.view, self.live = start, dict(controls), view, live
        self.upload, self.title = upload, title
        self.initial = {name: control.value for name, control in controls.items()}
        self.uploaded: Tensor | None = None
        self.shown: Image.Image | None = None
        self.worker = Worker()
        self._make_parts()
        super().__init__(self._arrange(), layout={"width": "100%"})
        self.add_class("cnnlab-panel")
        self._begin()
        if live:
            self.run()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:  # GitHub and a saved notebook show the text
        words = f"An interactive panel, {', '.join(self.controls)}: it works while the notebook runs."
        words = f"<b>{html.escape(self.title)}</b> {html.escape(words)}"
        return super()._repr_mimebundle_(**kwargs) | {"text/html": words, "text/plain": f"Panel({self.title!r})"}

    def run(self) -> None:
        """Start with the present values of the controls, after the present run has stopped."""
        values = {name: control.value for name, control in self.controls.items()}
        self.worker.ask(partial(self._run, values | ({self.upload: self.uploaded} if self.upload else {})))

    def stop(self) -> None:
        """Stop the run after its present step, and keep the picture."""
        self.worker.stop()

    def reset(self) -> None:
        """Put the controls, the picture and the curve back to the beginning, and forget an uploaded picture."""
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
        self.buttons["stop"].button_style = "danger"  # red means: there is something to stop
        try:
            result = self.start(**values)
            if isinstance(result, Run):
                self._follow(result)
            else:
                self._draw(result, 1, 1)
                self._draw_curve()
                self._say("done")
        except Exception as error:  # we show and keep what a student's code raises; the panel stays usable
            self._say(f"error: {str(error) or type(error).__name__}", error)
        self.buttons["stop"].button_style = ""

    def _follow(self, run: Run) -> None:
        for frame, step in enumerate(paced(run, self.worker)):
            self._draw(self.view(run) if self.view else run.image, step.number, step.total)
            self._say(f"step {step.number} of {step.total}, objective {step.value:.4g}")
            if frame % 4 == 0:  # a curve takes longer than a picture, and changes less
                self._draw_curve(run.values, run.total)
        self._draw_curve(run.values, run.total)
        if self.worker.stopping and run.last and run.last.number < run.total:
            self._say(f"stopped at step {run.last.number} of {run.total}")
        else:
            self._say(f"done, objective {run.values[-1]:.4g}" if len(run.values) > 1 else "done")

    def _begin(self) -> None:
        self.shown, self.saved = None, ""
        self.image.value = encode(note("press Run"))
        self._draw_curve()
        self.progress.value = 0
        self._say("ready")

    def _draw(self, content: Drawable, number: int, total: int) -> None:
        self.shown = picture(content)
        self.image.value = encode(self.shown)
        self.progress.max, self.progress.value = total, number

    def _draw_curve(self, values: Sequence[float] = (), total: int = 2) -> None:
        if not self.live:
            self.curve.value = encode(curve(values, total, WIDTH))

    def _receive(self, change: Any) -> None:
        for file in change.new:  # one file, or none after Reset
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
            _part(control, f"control-{name}")
            control.description = getattr(control, "description", "") or name.replace("_", " ")
            if self.live:
                control.observe(lambda change: self.run(), "value")
        # All labels are as wide as the longest; a check box has its label on the right, a pad of buttons has none.
        labeled = [control for control in self.controls.values() if control.has_trait("style")]
        longest = max((len(c.description) for c in labeled if not c.has_trait("indent")), default=0)
        for control in labeled:
            control.style.description_width = f"{min(max(8 * longest + 12, 64), 140)}px"
        heading = _part(widgets.HTML(html.escape(self.title)), "title")
        column = [heading] * bool(self.title) + list(self.controls.values()) + [self.chooser] * bool(self.upload)
        column += [widgets.HBox(list(self.buttons.values()), layout={"grid_gap": "6px"}), self.progress, self.line]
        left = widgets.VBox(column + [self.curve] * (not self.live), layout={"width": f"{WIDTH}px", "grid_gap": "8px"})
        both = widgets.HBox([left, self.image], layout={"flex_flow": "row wrap", "grid_gap": "24px"})
        return [widgets.HTML(STYLE, layout={"display": "none"}), both, self.details]


def _part(widget: widgets.Widget, name: str, **layout: str) -> widgets.Widget:
    for key, value in ({"width": "100%", "margin": "0"} | layout).items():
        setattr(widget.layout, key, value)
    return widget.add_class(f"cnnlab-{name}")
