"""Panels in a real JupyterLab that is used badly: busy, restarted, reopened, opened twice, run again, large files."""

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest
from conftest import SCREENSHOTS, Lab
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from test_panels import SLOW_RUN, open_notebook, screenshot, source, status, wait_for_another_picture

pytestmark = pytest.mark.browser

PANEL = SLOW_RUN.replace("Waves", "Abused")  # the names of its pictures are its own
BUSY = "import time\nwhile not __import__('os').path.exists('go_on'):\n    time.sleep(0.1)"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"}}


@pytest.fixture
def waves(lab: Lab) -> Iterator[str]:
    """A notebook with a slow panel, and a cell that runs until the file go_on is there."""
    (lab.folder / "go_on").unlink(missing_ok=True)
    nbformat.write(
        new_notebook(cells=[new_code_cell(PANEL), new_code_cell(BUSY)], metadata=KERNEL), lab.folder / "abuse.ipynb"
    )
    yield "abuse.ipynb"
    (lab.folder / "go_on").touch()


def run_cell(page: Page, number: int) -> None:
    """Click on the cell's number, and press Ctrl + Enter."""
    page.locator(".jp-CodeCell").nth(number).locator(".jp-InputPrompt").click()
    page.keyboard.press("Control+Enter")


def opened(page: Page, lab: Lab, name: str) -> Locator:
    """The panel of the first cell, which has been run."""
    open_notebook(page, lab, name)
    run_cell(page, 0)
    panel = page.locator(".cnnlab-panel")
    expect(status(panel)).to_have_text("ready")
    return panel


def choose(page: Page, panel: Locator, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        panel.locator(".cnnlab-upload button").click()
    chooser.value.set_files(file)


def menu(page: Page, name: str, entry: str) -> None:
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{name}$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entry}")).first.click()


def expect_a_picture(panel: Locator) -> None:
    expect(panel.locator(".cnnlab-image img")).to_have_attribute("src", re.compile("^blob:"))


def save(page: Page, file: Path) -> None:
    """Save the notebook, and wait until the file is another."""
    before = file.stat().st_mtime_ns
    page.keyboard.press("Control+s")
    for _ in range(300):
        if file.stat().st_mtime_ns != before:
            return
        page.wait_for_timeout(100)
    pytest.fail("the notebook was not saved")


def picture(file: Path, width: int, height: int, noisy: bool = False) -> Path:
    """A picture file; noise makes it as large as pictures can be."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (height, width, 3), np.uint8) if noisy else np.full((height, width, 3), 77, np.uint8)
    Image.fromarray(pixels).save(file)
    return file


def test_a_panel_works_while_a_cell_runs(page: Page, lab: Lab, waves: str, tmp_path: Path) -> None:
    panel = opened(page, lab, waves)
    run_cell(page, 1)
    expect(page.locator(".jp-InputPrompt").nth(1)).to_have_text("[*]:")
    panel.locator(".cnnlab-run").click()
    expect(status(panel)).to_contain_text(re.compile(r"step \d+ of 400"))
    choose(page, panel, picture(tmp_path / "gray.png", 30, 20))
    expect(status(panel)).to_contain_text("gray.png is ready for the next run")
    panel.locator(".cnnlab-stop").click()
    expect(status(panel)).to_contain_text(re.compile(r"stopped at step \d+ of 400"))
    expect(status(panel)).to_contain_text("gray.png is ready for the next run")
    panel.locator(".cnnlab-save").click()
    expect(status(panel)).to_contain_text("saved as abused.png")
    expect(page.locator(".jp-InputPrompt").nth(1)).to_have_text("[*]:")  # it has run all the time


def test_a_file_of_any_size_is_taken_or_refused_and_so_is_the_next(
    page: Page, lab: Lab, waves: str, tmp_path: Path
) -> None:
    """The server of this test has its usual limit for a message, 10 MB."""
    panel = opened(page, lab, waves)
    large = picture(tmp_path / "large.png", 2600, 2000, noisy=True)
    assert large.stat().st_size > 12_000_000
    choose(page, panel, large)
    expect(status(panel)).to_contain_text("large.png is ready for the next run")
    (tmp_path / "broken.tif").write_bytes(large.read_bytes()[::-1])
    choose(page, panel, tmp_path / "broken.tif")
    expect(status(panel)).to_contain_text("broken.tif is not taken: it has more than 4 MB")
    expect(status(panel)).to_contain_text("The next run takes your former picture.")
    screenshot(panel, "abuse-refused")
    choose(page, panel, picture(tmp_path / "small.png", 30, 20))
    expect(status(panel)).to_contain_text("small.png is ready for the next run")
    expect(panel.locator(".cnnlab-upload")).to_have_text("your own picture: small.png")


def test_a_cell_that_is_run_again_has_one_panel_and_one_run(page: Page, lab: Lab, waves: str) -> None:
    panel = opened(page, lab, waves)
    for _ in range(3):
        panel.locator(".cnnlab-run").click()
        expect(status(panel)).to_contain_text(re.compile(r"step \d+ of 400"))
        run_cell(page, 0)
        expect(status(panel)).to_have_text("ready")
        expect(panel).to_have_count(1)
    # A run of this notebook that nobody stops goes on for 20 s, in a thread of this name.
    page.locator(".jp-CodeCell").nth(1).locator(".cm-content").fill(
        "import threading, ipywidgets\n"
        "runs = lambda: [t.name for t in threading.enumerate()].count('cnnlab panel')\n"
        "end = time.time() + 10\n"
        "while runs() > 1 and time.time() < end: time.sleep(0.1)\n"
        "print('runs', runs(), 'panels',"
        " sum(type(w).__name__ == 'Panel' for w in ipywidgets.widgets.widget._instances.values()))"
    )
    panel.locator(".cnnlab-run").click()
    expect(status(panel)).to_contain_text(re.compile(r"step \d+ of 400"))
    run_cell(page, 1)
    expect(page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output")).to_have_text("runs 1 panels 1")


def test_a_panel_without_its_kernel_says_how_to_wake_it(page: Page, lab: Lab, waves: str) -> None:
    panel, words = opened(page, lab, waves), page.locator(".cnnlab-asleep")
    expect(words).to_be_hidden()
    save(page, lab.folder / waves)

    menu(page, "Kernel", "Restart Kernel…")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(words).to_be_visible()
    expect(words).to_contain_text("To wake it, run the cells above it")
    expect(panel).to_have_css("pointer-events", "none")
    page.screenshot(path=SCREENSHOTS / "abuse-restarted.png")

    page.goto(f"{lab.url}lab/tree/{waves}?reset&token={lab.token}")
    expect(words).to_be_visible()
    expect(page.locator("#jp-main-statusbar")).to_contain_text(re.compile(r"\| Idle"))
    expect(page.get_by_text("model not found")).to_have_count(1)
    expect(page.get_by_text("model not found")).to_be_hidden()
    page.screenshot(path=SCREENSHOTS / "abuse-reopened.png")
    run_cell(page, 0)
    expect(status(panel)).to_have_text("ready")
    expect(words).to_be_hidden()


def test_a_second_tab_and_a_page_that_is_loaded_again_show_the_same_panel(
    page: Page, lab: Lab, waves: str, browser: Browser
) -> None:
    panel = opened(page, lab, waves)
    save(page, lab.folder / waves)
    second = browser.new_page(viewport={"width": 1280, "height": 1000})
    second.goto(f"{lab.url}lab/workspaces/second/tree/{waves}?reset&token={lab.token}")
    twin = second.locator(".cnnlab-panel")
    expect(status(twin)).to_have_text("ready")
    for view in (panel, twin):
        expect_a_picture(view)
    before = source(panel), source(twin)
    twin.locator(".cnnlab-run").click()
    for view, picture_before in ((panel, before[0]), (twin, before[1])):
        expect(status(view)).to_contain_text(re.compile(r"step \d+ of 400"))
        wait_for_another_picture(view, picture_before)
    panel.locator(".cnnlab-stop").click()
    expect(status(twin)).to_contain_text("stopped at step")
    second.close()
    page.reload()
    expect(status(panel)).to_contain_text("stopped at step")
    expect_a_picture(panel)
    panel.locator(".cnnlab-run").click()
    expect(status(panel)).to_contain_text(re.compile(r"step \d+ of 400"))


def test_an_uploaded_photograph_does_not_go_into_the_notebook(page: Page, lab: Lab, waves: str, tmp_path: Path) -> None:
    panel = opened(page, lab, waves)
    menu(page, "Settings", "Save Widget State")
    choose(page, panel, picture(tmp_path / "mine.png", 320, 240))
    expect(status(panel)).to_contain_text("mine.png is ready for the next run")
    save(page, lab.folder / waves)
    notebook = json.loads((lab.folder / waves).read_text())
    state = notebook["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    assert len(state) > 20  # the state is there ...
    buffers = [b["data"] for model in state.values() for b in model.get("buffers", [])]
    sizes = [Image.open(io.BytesIO(base64.b64decode(data))).size for data in buffers]
    assert len(sizes) <= 1  # ... with the curve, and no other picture
    assert (320, 240) not in sizes
    assert max(map(len, json.dumps(notebook).split('"')), default=0) < 100_000
