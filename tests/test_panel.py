"""The panel without a browser: what it does when its buttons are pressed, its controls moved and its runs fail."""

import gc
import io
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import ipywidgets as widgets
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from cnnlab.runs import Run, Step
from cnnlab.teaching import Panel, Upload
from cnnlab.teaching.panel import tree
from cnnlab.teaching.worker import PAUSE


def solid(level: float, side: int = 8) -> torch.Tensor:
    return torch.full((1, 3, side, side), level)


def steps(count: int, pause: float = 0.0, fails_at: int = 0) -> Run:
    """A run whose image becomes white; it raises a FloatingPointError instead of step `fails_at`."""

    def take() -> Iterator[Step]:
        for number in range(1, count + 1):
            time.sleep(pause)
            if number == fails_at:
                raise FloatingPointError("the loss is nan")
            yield Step(number, count, -number / 10)

    run = Run(take(), count, lambda: solid(run.last.number / count))
    return run


def slider(value: int = 5) -> widgets.IntSlider:
    return widgets.IntSlider(value, 1, 1000)


def finished(panel: Panel) -> Panel:
    panel.wait(20)
    assert panel.error is None, panel.status
    return panel


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline, "waited for 10 s"
        time.sleep(0.005)


def drawn(image: widgets.Image) -> Image.Image:
    return Image.open(io.BytesIO(image.value)).convert("RGB")


class Gate:
    """A run whose every step waits for the test's word."""

    def __init__(self, total: int = 60) -> None:
        self.total, self.taken, self.running, self.most = total, 0, 0, 0
        self.word = threading.Semaphore(0)

    def start(self, **values: object) -> Run:
        return Run(self.steps(), self.total, lambda: solid(0.5))

    def steps(self) -> Iterator[Step]:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            for number in range(1, self.total + 1):
                assert self.word.acquire(timeout=10)
                self.taken += 1
                yield Step(number, self.total, -float(number))
        finally:
            self.running -= 1


def test_run_passes_the_values_and_ends_in_done() -> None:
    seen: list[dict[str, object]] = []
    panel = Panel(lambda **values: seen.append(values) or steps(3), {"count": slider(7), "on": widgets.Checkbox(True)})
    assert (panel.status, panel.shown) == ("ready", None)
    panel.buttons["run"].click()
    finished(panel)
    assert seen == [{"count": 7, "on": True}]
    assert panel.status == "done, objective -0.3"
    assert (panel.progress.value, panel.progress.max) == (3, 3)
    assert drawn(panel.image).getpixel((0, 0)) == (255, 255, 255)  # the last step's level is 1


def test_stop_takes_effect_within_one_step_and_keeps_its_picture() -> None:
    gate = Gate()
    panel = Panel(gate.start, {})
    panel.run()
    for _ in range(3):
        gate.word.release()
    until(lambda: gate.taken == 3)
    panel.buttons["stop"].click()
    gate.word.release()  # the step being computed
    panel.wait(5)
    assert gate.taken <= 4
    assert panel.status == f"stopped at step {gate.taken} of 60"
    assert panel.progress.value == gate.taken
    assert panel.shown is not None
    gate.word.release()
    time.sleep(0.05)
    assert gate.taken <= 4
    assert panel.error is None


def test_a_stopped_run_is_closed_at_once() -> None:
    gate = Gate()  # a film, for example, is written when its run is closed
    panel = Panel(gate.start, {})
    panel.run()
    gate.word.release()
    until(lambda: gate.taken == 1)
    panel.stop()
    gate.word.release()
    finished(panel)
    assert gate.running == 0


def test_stop_button_is_red_only_while_there_is_something_to_stop() -> None:
    gate = Gate(total=1)
    panel = Panel(gate.start, {})
    assert panel.buttons["stop"].button_style == ""
    panel.run()
    until(lambda: panel.buttons["stop"].button_style == "danger")
    gate.word.release()
    finished(panel)
    assert panel.buttons["stop"].button_style == ""


def test_a_new_run_stops_the_old_one_and_there_is_never_a_second_worker() -> None:
    gate = Gate(total=2)
    panel = Panel(gate.start, {})
    threads = threading.active_count()
    for _ in range(5):
        panel.run()
        assert threading.active_count() <= threads + 1
        gate.word.release()
    for _ in range(20):
        gate.word.release()
    finished(panel)
    assert gate.most == 1
    assert panel.status.startswith("done")


def test_of_several_waiting_runs_the_latest_wins() -> None:
    gate, seen = Gate(total=3), []
    control = slider(1)

    def start(count: int) -> Run:
        seen.append(count)
        return gate.start()

    panel = Panel(start, {"count": control}, live=True)
    until(lambda: seen == [1])
    for value in (2, 3, 4, 5):
        control.value = value
    for _ in range(20):
        gate.word.release()
    finished(panel)
    assert seen == [1, 5]


def test_live_panel_draws_at_once_and_after_each_change() -> None:
    panel = finished(Panel(lambda level: solid(level / 10), {"level": slider(0)}, live=True))
    assert panel.status == "done"
    assert drawn(panel.image).getpixel((0, 0)) == (26, 26, 26)  # the slider begins at 1
    panel.controls["level"].value = 10
    finished(panel)
    assert drawn(panel.image).getpixel((0, 0)) == (255, 255, 255)


def test_a_picture_or_a_figure_is_drawn_once_without_a_run() -> None:
    figure = Figure(figsize=(3, 2), dpi=50)
    for content, size in ((Image.new("RGB", (300, 70)), (300, 70)), (figure, (150, 100)), (solid(1, 99), (99, 99))):
        panel = Panel(lambda content=content: content, {}, view=lambda run: 1 / 0)  # a view is for runs
        panel.run()
        assert finished(panel).status == "done"
        assert panel.shown is not None
        assert panel.shown.size == drawn(panel.image).size == size
        assert (panel.progress.value, panel.progress.max) == (1, 1)


def test_the_curve_of_a_run_does_not_stay_beside_a_picture() -> None:
    panel = Panel(lambda count: steps(count) if count > 1 else solid(0.5), {"count": slider(3)})
    empty = panel.curve.value
    panel.run()
    assert finished(panel).curve.value != empty
    panel.controls["count"].value = 1
    panel.run()
    assert finished(panel).curve.value == empty


@pytest.mark.parametrize("wrong", [[solid(0.5)], "cat", None, torch.rand(3, 8, 8), (image for image in [solid(1)])])
def test_what_start_may_return_is_said_in_one_error(wrong: object) -> None:
    panel = Panel(lambda: wrong, {})
    panel.run()
    panel.wait(10)
    assert isinstance(panel.error, ValueError)
    assert "images (B, C, H, W) with C = 1 or 3, a Pillow picture or a Figure" in panel.status
    assert "`start` may also return a Run" in panel.status
    assert panel.shown is None


def test_view_says_what_to_draw_of_a_run() -> None:
    panel = Panel(lambda: steps(4), {}, view=lambda run: 1 - run.image)
    panel.run()
    finished(panel)
    assert drawn(panel.image).getpixel((0, 0)) == (0, 0, 0)
    panel.view = lambda run: "cat"
    panel.run()
    panel.wait(10)
    assert "a panel shows images (B, C, H, W)" in panel.status


def test_a_run_that_fails_leaves_the_last_picture() -> None:
    panel = Panel(lambda: steps(10, pause=PAUSE * 1.1, fails_at=3), {})
    panel.run()
    panel.wait(10)
    assert panel.status == "error: the loss is nan"
    assert isinstance(panel.error, FloatingPointError)
    assert drawn(panel.image).getpixel((0, 0)) == (51, 51, 51)  # 2 of 10
    assert (panel.progress.value, panel.progress.max) == (2, 10)
    assert panel.buttons["stop"].button_style == ""


def test_an_exception_is_shown_in_words_and_the_panel_stays_usable() -> None:
    def start(count: int) -> Run:
        if count == 5:
            raise ValueError("layer: there is no <fire99>")
        return steps(count)

    panel = Panel(start, {"count": slider(5)})
    panel.run()
    panel.wait(10)
    assert isinstance(panel.error, ValueError)
    assert panel.status == "error: layer: there is no <fire99>"
    assert "&lt;fire99&gt;" in panel.line.value
    assert "Traceback" in panel.details.value
    assert "test_panel.py" in panel.details.value
    panel.controls["count"].value = 3
    panel.run()
    finished(panel)
    assert panel.status == "done, objective -0.3"
    assert panel.details.value == ""


def test_an_error_without_words_is_shown_by_its_name() -> None:
    def start() -> Run:
        raise AssertionError

    panel = Panel(start, {})
    panel.run()
    panel.wait(10)
    assert (panel.status, type(panel.error)) == ("error: AssertionError", AssertionError)


def test_reset_brings_back_controls_picture_and_curve() -> None:
    panel = Panel(lambda count: steps(count), {"count": slider(4)})
    begin = panel.image.value, panel.curve.value
    panel.controls["count"].value = 9
    panel.run()
    finished(panel)
    assert panel.image.value != begin[0]
    assert panel.curve.value != begin[1]
    panel.buttons["reset"].click()
    finished(panel)
    assert (panel.image.value, panel.curve.value) == begin
    assert (panel.controls["count"].value, panel.progress.value, panel.status) == (4, 0, "ready")


def test_reset_while_running_ends_at_the_beginning() -> None:
    gate = Gate()
    panel = Panel(gate.start, {})
    begin = panel.image.value
    panel.run()
    gate.word.release()
    until(lambda: panel.status.startswith("step 1 of 60"))
    panel.reset()
    gate.word.release()
    finished(panel)
    assert (panel.status, panel.image.value, panel.progress.value) == ("ready", begin, 0)


def test_save_writes_a_new_png_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    panel = Panel(lambda: steps(2), {}, title="Deep Dream: fire7")
    panel.buttons["save"].click()
    assert panel.notice.startswith("nothing to save")
    panel.run()
    finished(panel)
    for name in ("deep-dream-fire7.png", "deep-dream-fire7-1.png", "deep-dream-fire7-2.png"):
        panel.buttons["save"].click()
        assert f"saved as {name}" in panel.line.value
        assert Image.open(tmp_path / name).convert("RGB").tobytes() == drawn(panel.image).tobytes()
    assert len(list(tmp_path.iterdir())) == 3
    assert "saved" not in (panel.run(), finished(panel).line.value)[1]


def test_save_says_why_it_could_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = Panel(lambda: steps(1), {})
    panel.run()
    finished(panel)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    panel.save()
    assert panel.notice.startswith("not saved: ")
    assert panel.status.startswith("done")


def upload(panel: Panel, name: str, content: bytes | None) -> None:
    """As the page sends a file that the reader has chosen."""
    buffers = [] if content is None else [memoryview(content)]
    panel.controls["image"]._handle_custom_msg({"name": name}, buffers)


def png(color: tuple[int, int, int], size: tuple[int, int] = (20, 10)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def test_an_uploaded_picture_is_shown_and_passed_to_the_run_until_reset() -> None:
    seen: list[torch.Tensor | None] = []
    panel = Panel(lambda image: seen.append(image) or steps(1), {}, upload="image")
    upload(panel, "red.png", png((255, 0, 51)))
    assert panel.notice == "red.png is ready for the next run"
    assert panel.controls["image"].description == "your own picture: red.png"
    assert drawn(panel.image).getpixel((0, 0)) == (255, 0, 51)
    panel.run()
    panel.wait(10)
    panel.reset()
    panel.wait(10)
    assert panel.controls["image"].description == "your own picture"
    panel.run()
    finished(panel)
    assert seen[0] is not None
    assert seen[1] is None
    torch.testing.assert_close(seen[0][0, :, 0, 0], torch.tensor([1.0, 0.0, 0.2]))
    assert seen[0].shape == (1, 3, 10, 20)


def test_what_is_refused_is_said_with_the_picture_that_run_takes() -> None:
    panel = Panel(lambda image: steps(2), {}, upload="image")
    upload(panel, "<notes>.txt", b"no picture")
    assert "<notes>.txt is not taken: " in panel.notice
    assert panel.notice.endswith("The next run takes the panel's own picture.")
    assert "&lt;notes&gt;.txt" in panel.line.value
    assert "<notes>" not in panel.line.value
    assert (panel.status, panel.controls["image"].value) == ("ready", None)
    upload(panel, "red.png", png((255, 0, 0)))
    upload(panel, "large.tif", None)  # the browser could not reduce it
    assert panel.notice.startswith("large.tif is not taken: it has more than 4 MB")
    assert panel.notice.endswith("The next run takes your former picture.")
    assert panel.controls["image"].description == "your own picture: red.png"
    assert panel.controls["image"].value is not None


def test_what_an_upload_says_stays_while_a_run_goes_on() -> None:
    gate = Gate(total=3)
    panel = Panel(gate.start, {}, upload="image")
    panel.run()
    gate.word.release()
    until(lambda: panel.status.startswith("step 1 of 3"))
    before = panel.image.value
    upload(panel, "red.png", png((255, 0, 0)))
    assert panel.image.value == before  # the run's picture stays, too
    for _ in range(2):
        gate.word.release()
    finished(panel)
    assert panel.status.startswith("done")
    assert panel.notice == "red.png is ready for the next run"
    assert "red.png is ready" in panel.line.value


def test_a_large_photograph_is_kept_and_shown_reduced() -> None:
    panel = Panel(lambda image: steps(1), {}, upload="image")
    upload(panel, "large.png", png((9, 99, 199), (4000, 3000)))
    assert panel.controls["image"].value is not None
    assert max(panel.controls["image"].value.shape) <= 2048
    assert max(drawn(panel.image).size) <= 896
    assert len(panel.image.value) < 2_000_000


def test_pictures_are_no_state_of_a_widget() -> None:
    """Lab saves the state in the notebook if "Save Widget State" is on."""
    panel = Panel(lambda image: steps(2), {}, upload="image")
    content = png((1, 2, 3))
    upload(panel, "private.png", content)
    panel.run()
    finished(panel)
    state = {key: value for part in tree(panel) if part is not panel.curve for key, value in part.get_state().items()}
    held = [key for key, value in state.items() if isinstance(value, bytes | memoryview) and len(value)]
    assert held == []


def run_of_cell(monkeypatch: pytest.MonkeyPatch, cell: str, message: str) -> None:
    monkeypatch.setattr("cnnlab.teaching.panel.present_cell", lambda: (cell, message))


def test_a_cell_that_is_run_again_ends_its_former_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    gate, shared = Gate(), slider()
    run_of_cell(monkeypatch, "cell A", "first run")
    old = Panel(gate.start, {"shared": shared, "own": slider()}, upload="image")
    beside = Panel(lambda: steps(1), {})  # of the same run: it goes together with the other
    upload(old, "red.png", png((255, 0, 0)))
    old.run()
    gate.word.release()
    until(lambda: gate.taken == 1)
    run_of_cell(monkeypatch, "cell B", "second run")
    elsewhere = Panel(lambda: steps(1), {})
    run_of_cell(monkeypatch, "cell A", "third run")
    new = Panel(lambda shared: steps(1), {"shared": shared})
    gate.word.release()
    old.wait(10)
    assert gate.running == 0
    assert (old.controls["image"].value, old.shown, old.image.value) == (None, None, b"")
    for closed in (old, beside, old.controls["own"], old.controls["own"].layout, old.image, old.buttons["run"].style):
        assert closed.comm is None
    assert shared.comm is not None
    for alive in (new, elsewhere):
        assert alive.comm is not None
        alive.run()
        finished(alive)


def test_a_control_of_two_panels_starts_the_one_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, started = slider(1), []

    def start(who: str, shared: int) -> torch.Tensor:
        started.append(who)
        return solid(0.5)

    run_of_cell(monkeypatch, "cell", "first run")
    finished(Panel(partial(start, "old"), {"shared": shared}, live=True))
    run_of_cell(monkeypatch, "cell", "second run")
    new = finished(Panel(partial(start, "new"), {"shared": shared}, live=True))
    shared.value = 7
    finished(new)
    assert started == ["old", "new", "new"]


def test_an_upload_is_a_control_like_others_and_starts_a_live_panel() -> None:
    seen: list[torch.Tensor | None] = []

    def start(painting: torch.Tensor | None, image: torch.Tensor | None) -> torch.Tensor:
        seen.append(painting)
        return solid(0.5)

    own = Upload("a painting")
    panel = finished(Panel(start, {"painting": own}, live=True, upload="image"))
    own._handle_custom_msg({"name": "red.png"}, [memoryview(png((255, 0, 0)))])
    finished(panel)
    assert panel.notice == "red.png is the picture now"
    assert own.description == "a painting: red.png"
    own._handle_custom_msg({"name": "cut.png"}, [memoryview(png((255, 0, 0))[:40])])
    assert panel.notice.startswith("cut.png is not taken: ")
    assert seen[0] is None
    assert seen[-1] is own.value is not None
    panel.reset()
    finished(panel)
    assert seen[-1] is None
    assert own.description == "a painting"


def test_a_closed_panel_holds_no_picture() -> None:
    """Jupyter's history `Out` keeps the panel itself."""
    held: list[weakref.ref[torch.Tensor]] = []

    def start(image: torch.Tensor) -> Run:
        copy = image + 0
        held.extend([weakref.ref(image), weakref.ref(copy)])
        raise ValueError("no")

    panel = Panel(start, {}, upload="image")
    upload(panel, "red.png", png((255, 0, 0)))
    panel.run()
    panel.wait(10)
    assert isinstance(panel.error, ValueError)
    panel.close()
    panel.wait(10)
    gc.collect()
    assert [tensor() for tensor in held] == [None, None]


def test_a_panel_that_is_closed_in_the_middle_of_a_step_holds_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(total=5)
    panel = Panel(gate.start, {"count": slider()})
    panel.run()
    until(lambda: gate.running == 1)

    def close_slowly(part: widgets.Widget) -> None:  # the step ends while the widgets are being closed
        if not gate.taken:
            gate.word.release()
            until(lambda: panel.shown is not None or gate.taken == 1 and gate.running == 0)
        close(part)

    close = widgets.Widget.close
    monkeypatch.setattr(widgets.Widget, "close", close_slowly)
    panel.close()
    panel.wait(10)
    assert (panel.shown, panel.image.value) == (None, b"")


def test_twenty_runs_of_a_cell_leave_as_many_widgets_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def play(number: int) -> int:
        run_of_cell(monkeypatch, "cell", f"run {number}")
        panel = Panel(lambda count, image: steps(2), {"count": slider()}, upload="image")
        upload(panel, "red.png", png((255, 0, 0)))
        panel.run()
        finished(panel)
        return len(widgets.widget._instances)

    counts = [play(number) for number in range(20)]
    assert counts[1:] == [counts[0]] * 19


@pytest.mark.slow
@pytest.mark.parametrize("after", ["panel.wait(20)", "time.sleep(0.2)", "panel.close()", "del panel", "pass"])
def test_a_process_with_panels_can_end(after: str) -> None:
    program = f"""
import time, torch
from cnnlab.teaching import Panel
from cnnlab.runs import Run, Step
def steps():
    for number in range(1, 100):
        time.sleep(0.05)
        yield Step(number, 99, 0.0)
panel = Panel(lambda: Run(steps(), 99, lambda: torch.zeros(1, 3, 8, 8)), {{}})
panel.run()
{after}
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=300).returncode == 0


def test_a_kernel_without_a_second_shell_says_that_a_cell_is_running(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Callable[[], None]] = []
    monkeypatch.setattr("cnnlab.teaching.panel.on_cells", lambda *both: calls.extend(both) or (lambda: None))
    panel = Panel(lambda: steps(1), {})
    before, after = calls
    before()
    assert panel.line.value.index("A cell is running") < panel.line.value.index("ready")
    after()
    assert "A cell is running" not in panel.line.value
    assert panel.status == "ready"


def test_about_ten_pictures_a_second_and_always_the_last() -> None:
    panel = Panel(lambda: steps(100, pause=0.005), {})
    pictures: list[float] = []
    panel.image.observe(lambda change: pictures.append(time.monotonic()), "value")
    panel.run()
    finished(panel)
    between = [later - earlier for earlier, later in zip(pictures, pictures[1:], strict=False)]
    assert 3 <= len(pictures) < 20
    assert min(between[:-1]) >= PAUSE  # the last one may follow sooner
    assert drawn(panel.image).getpixel((0, 0)) == (255, 255, 255)


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    panel = Panel(lambda: steps(3), {})
    panel.run()
    finished(panel)
    panel.start = lambda: 1 / 0
    panel.run()
    panel.wait(10)
    assert isinstance(panel.error, ZeroDivisionError)
    assert tuple(capfd.readouterr()) == ("", "")


def test_controls_are_checked_labeled_aligned_and_carry_a_class() -> None:
    with pytest.raises(ValueError, match="controls: 'go' must be a widget with a value"):
        Panel(steps, {"go": widgets.Button()})
    with pytest.raises(ValueError, match="not the name of the upload"):
        Panel(steps, {"image": slider()}, upload="image")
    panel = Panel(steps, {"step_size": slider(), "count": widgets.IntText(3, description="how many steps")})
    assert [control.description for control in panel.controls.values()] == ["step size", "how many steps"]
    assert len({control.style.description_width for control in panel.controls.values()}) == 1
    assert "cnnlab-control-step_size" in panel.controls["step_size"]._dom_classes
    assert "cnnlab-run" in panel.buttons["run"]._dom_classes


def test_a_saved_notebook_says_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, object]] = []
    monkeypatch.setattr("cnnlab.teaching.panel.display", lambda data, raw: shown.append(data))
    Panel(steps, {"count": slider()}, title="Dream & more")._ipython_display_()
    words, view = shown  # the words are above the panel, and hidden as long as it works
    assert (
        "<b>Dream &amp; more</b> An interactive panel, count: it works while the notebook runs." in words["text/html"]
    )
    assert "run the cells above it" in words["text/html"]
    assert list(view) == ["application/vnd.jupyter.widget-view+json", "text/plain"]
    assert words["text/plain"] == "Panel('Dream & more')"
