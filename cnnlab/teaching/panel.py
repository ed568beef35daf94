"""One panel for every chapter: controls on the left, the live picture on the right.

A worker thread runs `start` and sets the widgets' values. It never prints: the text would appear below any busy cell.
"""

import atexit
import html
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from weakref import WeakSet

import ipywidgets as widgets
from IPython.display import display
from PIL import Image

from cnnlab._native import give_back_freed_memory
from cnnlab.runs import Run
from cnnlab.teaching import screen
from cnnlab.teaching.frames import SIDE, Drawable, curve, encode, note, picture, write_new
from cnnlab.teaching.kernel import answer_at_once, on_cells, present_cell
from cnnlab.teaching.worker import Worker, paced

WIDTH = 320  # pixels of the column of controls
RED = "var(--jp-error-color0, #b00020)"
BUSY = "A cell is running: buttons, controls and uploads wait until it ends."
VIEW = "application/vnd.jupyter.widget-view+json"
# Of the words of a panel that does not work: Lab's own, "model not found", do not help. A live panel hides ours.
STYLE, ASLEEP = (
    f"<style>\n{(screen.STATIC / name).read_text(encoding='utf-8')}</style>" for name in ("panel.css", "asleep.css")
)
_open: WeakSet["Panel"] = WeakSet()  # so that a cell that is run again can end its former panel


@atexit.register
def _end_all() -> None:
    """Stop what runs before the process ends: a thread in the middle of PyTorch's code would abort it."""
    for panel in list(_open):
        panel.stop()
        with suppress(TimeoutError):
            panel.wait(5)


class Panel(widgets.VBox):
    """Controls, the buttons Run, Stop, Reset and Save image, and the picture, curve and status of what they start.

    Args:
        start: is called in the worker thread with the values of the controls. It returns images (B, C, H, W) with
            C = 1 or 3, a Pillow picture, a Figure, or a `Run`, which the panel draws while it takes its steps.
        controls: the keywords of `start` and the widgets that give their values, from top to bottom.
        view: (run) -> what to draw of a run: images, a Pillow picture or a Figure; None draws `run.image`.
        live: whether to start at once, and again at each change of a control; a live panel has no curve.
        upload: a keyword of `start` for the user's own picture, (1, 3, H, W); its value is None until there is one. It
            becomes the last control, an `Upload`.
        title: the heading, and the name of the saved pictures.

    Attributes:
        status: what the panel says, in words.
        notice: what became of the last upload or picture to save, in words.
        error: the exception of the last run, or None.
        shown: the last picture that was drawn, or None at the beginning.

    A panel ends when its cell is run again. Raises ValueError if a control has no value, or the name of the upload.
    """

    def __init__(
        self, start: Callable[..., Drawable | Run], controls: Mapping[str, widgets.Widget], *,
        view: Callable[[Run], Drawable] | None = None, live: bool = False, upload: str | None = None, title: str = "",
    ) -> None:  # fmt: skip
        for name, control in controls.items():
            if not control.has_trait("value") or name == upload:
                raise ValueError(f"controls: {name!r} must be a widget with a value, and not the name of the upload")
        self.start, self.view, self.live, self.title = start, view, live, title
        self.words = f"An interactive panel, {', '.join(controls)}: it works while the notebook runs."
        self.controls = dict(controls) | ({upload: screen.Upload()} if upload else {})
        self.initial = {name: control.value for name, control in self.controls.items()}
        self.shown: Image.Image | None = None
        self.error: Exception | None = None
        self.worker = Worker()
        self.notice, self.refused, self.waits = "", False, False
        self._make_parts()
        super().__init__(self._arrange(), layout={"width": "100%"})
        self.add_class("cnnlab-panel")
        for part in tree(self):
            answer_at_once(part)
        self._end_former()
        self._begin()
        if live:
            self.run()

    def _ipython_display_(self) -> None:
        help = "To wake it, run the cells above it (menu Run, Run All Above Selected Cell), then its own cell."
        words = f"<b>{html.escape(self.title)}</b> {html.escape(self.words)} {help}"
        output = {"text/html": f'<div class="cnnlab-asleep">{words}</div>{ASLEEP}', "text/plain": repr(self)}
        display(output, raw=True)  # GitHub and a saved notebook show these words
        display({VIEW: super()._repr_mimebundle_()[VIEW], "text/plain": repr(self)}, raw=True)

    def __repr__(self) -> str:
        return f"Panel({self.title!r})"

    def run(self) -> None:
        """Start with the present values of the controls, after the present run has stopped."""
        values = {name: control.value for name, control in self.controls.items()}
        self.worker.ask(partial(self._run, values))

    def stop(self) -> None:
        """Stop the run after its present step, and keep the picture."""
        self.worker.stop()

    def reset(self) -> None:
        """Put the controls, the picture and the curve back to the beginning, and forget an uploaded picture."""
        for name, control in self.controls.items():
            control.value = self.initial[name]
        self.run() if self.live else self.worker.ask(self._begin)

    def save(self) -> None:
        """Write the picture beside the notebook, as a new PNG file named after the title."""
        if self.shown is None:
            return self._note("nothing to save yet: press Run first")
        try:
            self._note(f"saved as {write_new(self.title, self.shown)}")
        except OSError as error:
            self._note(f"not saved: {error}", wrong=True)

    def close(self) -> None:
        """Stop what runs, release the pictures, and remove all widgets from the page, the controls, too."""
        self._close(kept=set())

    def wait(self, timeout: float) -> None:
        """Wait until nothing runs; raises TimeoutError after `timeout` seconds."""
        self.worker.wait(timeout)

    def _end_former(self) -> None:
        """Close the panel that an earlier run of this cell has made; what both have, such as a control, stays."""
        self.cell = present_cell()
        for former in list(_open):
            if self.cell and former.cell and former.cell[0] == self.cell[0] and former.cell[1] != self.cell[1]:
                former._close(kept=set(tree(self)))
        _open.add(self)
        self._forget_cells = on_cells(partial(self._wait_for_cell, True), partial(self._wait_for_cell, False))

    def _close(self, kept: set[widgets.Widget]) -> None:
        if self.comm is None or sys.is_finalizing():  # closed, never made, or at the end, when no thread can start
            return
        self.worker.ask(self._release)  # after what runs has stopped: it may draw until then
        self._forget_cells()
        _open.discard(self)
        for control in self.controls.values():
            if self.live:
                control.unobserve(self._run_again, "value")  # it may be another panel's, too
            if isinstance(control, screen.Upload) and control not in kept:
                control.value = None
        for part in [*tree(self), *tree(self.curve)]:  # a live panel does not show its curve
            if part not in kept and part is not self:
                part.close()
        super().close()

    def _release(self) -> None:
        self.shown = self.error = None  # an exception holds what its functions held
        self.image.value = self.curve.value = b""
        give_back_freed_memory()

    def _wait_for_cell(self, waits: bool) -> None:
        self.waits = waits
        self._show_words()

    def _run(self, values: dict[str, Any]) -> None:
        self.notice = self.notice if self.live else ""
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
        self.shown, self.notice = None, ""
        self.image.value = encode(note("press Run"))
        self._draw_curve()
        self.progress.value = 0
        self._say("ready")

    def _draw(self, content: Drawable, number: int, total: int) -> None:
        if self.comm is None:  # closed in the middle of a step
            return
        self.shown = picture(content)
        self.image.value = encode(self.shown)
        self.progress.max, self.progress.value = total, number

    def _draw_curve(self, values: Sequence[float] = (), total: int = 2) -> None:
        if not self.live:
            self.curve.value = encode(curve(values, total, WIDTH))

    def _run_again(self, change: Any) -> None:
        self.run()

    def _receive(self, control: screen.Upload, name: str, error: ValueError | None) -> None:
        if error:
            taken = "the panel's own picture" if control.value is None else "your former picture"
            return self._note(f"{name} is not taken: {error}. The next run takes {taken}.", wrong=True)
        if control.value is not None and not self.worker.busy:  # else the run's picture stays
            self.image.value = encode(picture(control.value))
        self._note(f"{name} is {'the picture now' if self.live else 'ready for the next run'}")

    def _say(self, text: str, error: Exception | None = None) -> None:
        self.status, self.error = text, error
        self._show_words()
        lines = html.escape("".join(traceback.format_exception(error))) if error else ""
        self.details.value = lines and f"<details><summary>the whole error</summary><pre>{lines}</pre></details>"

    def _note(self, text: str, wrong: bool = False) -> None:
        self.notice, self.refused = text, wrong
        self._show_words()

    def _show_words(self) -> None:
        words = [(BUSY, False)] * self.waits + [(self.status, self.error is not None), (self.notice, self.refused)]
        lines = [
            f'<div style="color: {RED if wrong else "inherit"}">{html.escape(text)}</div>' for text, wrong in words
        ]
        self.line.value = f'<div role="status">{"".join(lines)}</div>'

    def _make_parts(self) -> None:
        self.buttons = {}
        for act, label in {self.run: "Run", self.stop: "Stop", self.reset: "Reset", self.save: "Save image"}.items():
            name = act.__name__
            self.buttons[name] = _part(widgets.Button(description=label), name, width="auto", flex="1 1 auto")
            self.buttons[name].on_click(lambda _, act=act: act())
        self.buttons["run"].button_style = "primary"
        self.progress = _part(widgets.IntProgress(max=1), "progress", height="14px")
        self.line = _part(widgets.HTML(), "status", min_height="44px")
        self.curve = _part(widgets.Image(), "curve", height="140px")
        self.image = _part(screen.Screen(), "image", width=f"{SIDE}px", height=f"{SIDE}px")
        self.details = _part(widgets.HTML(), "error")

    def _arrange(self) -> list[widgets.Widget]:
        for name, control in self.controls.items():
            _part(control, f"control-{name}")
            control.description = getattr(control, "description", "") or name.replace("_", " ")
            if isinstance(control, screen.Upload):
                _part(control, "upload").tell = partial(self._receive, control)
            if self.live:
                control.observe(self._run_again, "value")
        # All labels are as wide as the longest; a check box has its label on the right, a pad of buttons has none.
        labeled = [control for control in self.controls.values() if control.has_trait("style")]
        longest = max((len(c.description) for c in labeled if not c.has_trait("indent")), default=0)
        for control in labeled:
            control.style.description_width = f"{min(max(8 * longest + 12, 64), 140)}px"
        column = [_part(widgets.HTML(html.escape(self.title)), "title")] if self.title else []
        column += list(self.controls.values())
        column += [widgets.HBox(list(self.buttons.values()), layout={"grid_gap": "6px"}), self.progress, self.line]
        left = widgets.VBox(column + [self.curve] * (not self.live), layout={"width": f"{WIDTH}px", "grid_gap": "8px"})
        both = widgets.HBox([left, self.image], layout={"flex_flow": "row wrap", "grid_gap": "24px"})
        return [widgets.HTML(STYLE, layout={"display": "none"}), both, self.details]


def tree(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """A widget, its layout and style, and those of all widgets in it."""
    yield widget
    for part in (getattr(widget, "layout", None), getattr(widget, "style", None)):
        if isinstance(part, widgets.Widget):
            yield part
    for child in getattr(widget, "children", ()):
        yield from tree(child)


def _part(widget: widgets.Widget, name: str, **layout: str) -> widgets.Widget:
    for key, value in ({"width": "100%", "margin": "0"} | layout).items():
        setattr(widget.layout, key, value)
    return widget.add_class(f"cnnlab-{name}")
