"""Panels in a real JupyterLab: open the notebook, Run All, move a control, Run, see the picture change, Stop."""

import re
from pathlib import Path

import nbformat
import pytest
from conftest import COMPUTING, ROOT, SCREENSHOTS, Lab
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Locator, Page, expect

from tools.panel_notebooks import panel_notebook

pytestmark = pytest.mark.browser

SLOW_RUN = """\
import time

import ipywidgets as widgets
import torch

from cnnlab import Run, Step
from cnnlab.teaching import Panel


def start(layer, channel, strength, smooth, count, image):
    if layer == "fire99":
        raise ValueError("unknown layer 'fire99': this net has conv1, relu1, pool1, fire2, fire3, pool3, fire4, fire5")
    phase = torch.linspace(0, channel, 224)

    def steps():
        for number in range(1, count + 1):
            time.sleep(0.05)
            yield Step(number, count, -10 * number**0.5)

    def waves():
        waves = torch.sin(phase[:, None] + run.last.number / 5) * torch.sin(phase * strength)
        return torch.stack([waves, waves.T, -waves])[None] / 2 + 0.5

    run = Run(steps(), count, waves)
    return run


controls = {
    "layer": widgets.Dropdown(options=["conv1", "fire2", "fire3", "fire99"]),
    "channel": widgets.IntSlider(12, 0, 63),
    "strength": widgets.FloatSlider(0.5, min=0, max=2, step=0.05),
    "smooth": widgets.Checkbox(True, description="smooth between the steps"),
    "count": widgets.IntSlider(400, 1, 500, description="steps"),
}
Panel(start, controls, upload="image", title="Waves")"""
LIVE = """\
def blink(level):
    return torch.full((9, 1, 28, 28), level) * torch.rand(9, 1, 28, 28)


Panel(blink, {"level": widgets.FloatSlider(0.5, min=0, max=1, step=0.1)}, live=True, title="Live")"""


def open_notebook(page: Page, lab: Lab, name: str) -> None:
    """Open the notebook and wait until its kernel is there: what is run before is lost without a word."""
    page.goto(f"{lab.url}lab/tree/{name}?reset&token={lab.token}", timeout=COMPUTING)
    expect(page.locator("#jp-main-statusbar")).to_contain_text(re.compile(r"\| Idle"), timeout=COMPUTING)


def run_all(page: Page, cells: int) -> None:
    """Run all cells and wait until none is waiting and the kernel is idle; an error in one fails the test.

    All get their star at once, and lose it, without a number, when one before them fails.
    """
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
    prompts = page.locator(".jp-InputPrompt")
    expect(prompts.filter(has_text="[*]")).not_to_have_count(0)
    expect(prompts.filter(has_text="[*]")).to_have_count(0, timeout=COMPUTING)
    errors = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']")
    assert errors.count() == 0, errors.first.inner_text()
    assert prompts.filter(has_text=re.compile(r"^\[\d+\]")).count() == cells, (
        "a cell failed, and those after it did not run"
    )
    expect(page.locator("#jp-main-statusbar")).to_contain_text(re.compile(r"\| Idle"), timeout=COMPUTING)


def status(panel: Locator) -> Locator:
    return panel.locator(".cnnlab-status")


def source(panel: Locator) -> str:
    return panel.locator(".cnnlab-image img").get_attribute("src") or ""


def sizes(panel: Locator) -> list[tuple[float, float]]:
    """Width and height of the panel, its picture and its curve."""
    boxes = [part.bounding_box() for part in (panel, panel.locator(".cnnlab-image"), panel.locator(".cnnlab-curve"))]
    return [(box["width"], box["height"]) for box in boxes if box]


def wait_for_another_picture(panel: Locator, before: str) -> None:
    expect(panel.locator(".cnnlab-image img")).not_to_have_attribute("src", before)


def move_a_slider(panel: Locator) -> None:
    """Press a key on the first slider, as a person without a mouse would, and see its value change."""
    handle = panel.locator(".noUi-handle").first
    before = handle.get_attribute("aria-valuetext")
    handle.focus()
    for key in ("ArrowRight", "ArrowLeft"):  # it may stand at its end
        if handle.get_attribute("aria-valuetext") == before:
            handle.press(key)
    expect(handle).not_to_have_attribute("aria-valuetext", before or "")


def screenshot(panel: Locator, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    panel.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture(scope="module")
def small(lab: Lab) -> str:
    """A notebook of three cells with a slow panel and a live one."""
    cells = [new_markdown_cell("# Two panels"), new_code_cell(SLOW_RUN), new_code_cell(LIVE)]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}  # else Lab asks which
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), lab.folder / "small.ipynb")
    return "small.ipynb"


def test_run_stop_reset_and_errors_of_a_panel(page: Page, lab: Lab, small: str) -> None:
    open_notebook(page, lab, small)
    run_all(page, cells=2)
    panel = page.locator(".cnnlab-panel").first
    expect(status(panel)).to_have_text("ready")
    begin, size = source(panel), sizes(panel)
    screenshot(panel, "small-ready")

    move_a_slider(panel)
    panel.locator(".cnnlab-run").press("Enter")
    expect(status(panel)).to_have_text(re.compile(r"step \d+ of 400, objective -\d"))
    wait_for_another_picture(panel, begin)
    expect(status(panel)).to_have_text(re.compile(r"step [2-9]\d of"))
    screenshot(panel, "small-running")
    panel.locator(".cnnlab-stop").click()
    expect(status(panel)).to_have_text(re.compile(r"stopped at step \d+ of 400"))
    screenshot(panel, "small-stopped")
    assert sizes(panel) == size  # nothing jumps

    panel.locator(".cnnlab-save").click()
    expect(status(panel)).to_contain_text("saved as waves.png")
    assert (lab.folder / "waves.png").exists()

    stopped = source(panel)
    panel.locator(".cnnlab-control-layer select").select_option("fire99")
    panel.locator(".cnnlab-run").click()
    expect(status(panel)).to_contain_text("error: unknown layer 'fire99'")
    panel.locator("summary").click()
    expect(panel.locator(".cnnlab-error pre")).to_contain_text("ValueError")
    assert source(panel) == stopped
    screenshot(panel, "small-error")

    panel.locator(".cnnlab-reset").click()
    expect(status(panel)).to_have_text("ready")
    expect(panel.locator(".cnnlab-control-layer select")).to_have_value("conv1")
    expect(panel.locator("summary")).to_have_count(0)


def test_a_picture_can_be_uploaded(page: Page, lab: Lab, small: str, tmp_path: Path) -> None:
    open_notebook(page, lab, small)
    run_all(page, cells=2)
    panel = page.locator(".cnnlab-panel").first
    before = source(panel)
    (tmp_path / "notes.png").write_text("no picture")
    with page.expect_file_chooser() as chooser:
        panel.locator(".cnnlab-upload").click()
    chooser.value.set_files(tmp_path / "notes.png")
    expect(status(panel)).to_contain_text("cannot be read as a picture")
    from cnnlab import photo, save_image

    with page.expect_file_chooser() as chooser:
        panel.locator(".cnnlab-upload").click()
    chooser.value.set_files(save_image(photo("cat"), tmp_path / "cat.png"))
    expect(status(panel)).to_contain_text("cat.png is ready for the next run")
    wait_for_another_picture(panel, before)
    screenshot(panel, "small-uploaded")


def test_a_live_panel_follows_its_slider(page: Page, lab: Lab, small: str) -> None:
    open_notebook(page, lab, small)
    run_all(page, cells=2)
    panel = page.locator(".cnnlab-panel").nth(1)
    expect(status(panel)).to_have_text("done")
    before = source(panel)
    move_a_slider(panel)
    wait_for_another_picture(panel, before)
    expect(status(panel)).to_have_text("done")
    screenshot(panel, "small-live")


def panels_of(lab: Lab, path: Path) -> Path:
    """A notebook in Lab's folder that holds the chapter's panels and what they need: a whole chapter takes a minute."""
    file = lab.folder / f"panels_{path.name}"
    nbformat.write(panel_notebook(nbformat.read(path, as_version=4)), file)
    return file


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    """The cells that get a number when they are run: an empty one does not."""
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]


def change_a_control(panel: Locator) -> None:
    """Move the first slider; without one, take another choice of the first list, or click a dot of the pad."""
    if panel.locator(".noUi-handle").count():
        move_a_slider(panel)
    elif (choices := panel.locator("select")).count():
        choices.first.select_option(index=1 if choices.first.evaluate("list => list.selectedIndex") == 0 else 0)
    else:
        panel.locator("button[title^='column']").nth(30).click()


def try_the_panels(page: Page, notebook: str) -> None:
    """Change a control of each panel, run it, see another picture, stop it."""
    panels = page.locator(".cnnlab-panel")
    expect(panels).not_to_have_count(0)
    for number in range(panels.count()):
        panel, name = panels.nth(number), notebook + f"-panel{number + 1}" * (number > 0)
        panel.scroll_into_view_if_needed()
        screenshot(panel, f"{name}-ready")
        before = source(panel)
        change_a_control(panel)
        if panel.locator(".cnnlab-curve").count():  # a live panel has none, and starts without Run
            panel.locator(".cnnlab-run").click()
        wait_for_another_picture(panel, before)
        screenshot(panel, f"{name}-running")
        panel.locator(".cnnlab-stop").click()
        expect(status(panel)).to_have_text(re.compile("^(stopped|done)"))
        screenshot(panel, name)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_panels_of_a_chapter(page: Page, lab: Lab, path: Path) -> None:
    derived = panels_of(lab, path)
    open_notebook(page, lab, derived.name)
    run_all(page, cells=len(code_cells(derived)))
    try_the_panels(page, path.stem)


def test_the_panels_of_a_whole_chapter(page: Page, lab: Lab) -> None:
    (path,) = (ROOT / "notebooks").glob("05*.ipynb")
    open_notebook(page, lab, path.name)
    run_all(page, cells=len(code_cells(path)))
    try_the_panels(page, f"{path.stem}-whole")
