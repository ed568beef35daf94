"""`cnnlab lab` as a student types it: the course is laid, and the address that it prints opens the start page."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from conftest import SCREENSHOTS, end
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
ADDRESS = re.compile(r"(http://localhost:\d+)(/\S*)\?token=(\w+)")
UPLOAD = """
import ipywidgets
upload, label = ipywidgets.FileUpload(), ipywidgets.Label("nothing yet")
upload.observe(lambda _: setattr(label, "value", f"{len(upload.value[0].content):,} bytes arrived"), "value")
ipywidgets.VBox([upload, label])
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, str, str]]:
    """The folder, and the printed address of a running `cnnlab lab`: host, path and token."""
    base = tmp_path_factory.mktemp("student")
    own = {f"JUPYTER_{name}_DIR": str(base / ".jupyter" / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    own["IPYTHONDIR"] = str(base / ".ipython")
    other = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    command = [sys.executable, "-m", "cnnlab", "lab", "a folder with spaces", "--no-browser", "--port", "0"]
    log = base / "lab.log"
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=base, env=other | own, stdout=file, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 180
        while not (found := ADDRESS.search(log.read_text())):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(log.read_text()[-3000:])
            time.sleep(0.2)
        yield base / "a folder with spaces", *found.groups()
    finally:
        end(server)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """An empty page."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(60_000)
    yield page
    page.close()


def test_the_printed_address_opens_the_start_page(printed: tuple[Path, str, str, str], tab: Page) -> None:
    folder, host, path, token = printed
    assert path == "/lab/tree/00_start_here.ipynb"
    tab.goto(f"{host}{path}?token={token}")
    expect(tab.locator(".jp-NotebookPanel h1").first).to_be_visible()
    name = tab.locator(".jp-DirListing-itemText", has_text="04_what_neurons_see.ipynb")
    expect(name).to_be_visible()
    tab.wait_for_load_state("networkidle")  # a question about news would come now
    tab.screenshot(path=SCREENSHOTS / "lab_command.png")
    expect(tab.locator(".jp-Dialog, .Toastify__toast")).to_have_count(0)
    items = tab.locator(".jp-DirListing-itemText")
    cut = items.evaluate_all(
        "all => all.filter(item => item.scrollWidth > item.clientWidth).map(item => item.innerText)"
    )
    assert len(cut) <= 6, cut  # only the ends of long names; with the column of dates nearly all were cut
    # A page of the course opens as it is read, not as it is written.
    tab.locator(".jp-DirListing-itemText", has_text="GLOSSARY.md").dblclick()
    expect(tab.locator(".jp-MarkdownViewer h1")).to_be_visible()
    assert {"00_start_here.ipynb", "LEDGER.md", "tour.jpg", ".cnnlab.json"} <= {file.name for file in folder.iterdir()}


def test_a_large_upload_arrives(printed: tuple[Path, str, str, str], tab: Page) -> None:
    folder, host, _, token = printed
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(new_notebook(cells=[new_code_cell(UPLOAD.strip())], metadata=kernel), folder / "upload.ipynb")
    photograph = folder / "photograph.tif"
    photograph.write_bytes(bytes(12_000_000))  # tornado's own limit for a message is 10 MB
    tab.goto(f"{host}/lab/tree/upload.ipynb?reset&token={token}")
    expect(tab.locator("#jp-main-statusbar")).to_contain_text("| Idle")  # earlier, a run is lost
    tab.locator(".jp-NotebookPanel .jp-CodeCell").first.click()
    tab.keyboard.press("Shift+Enter")
    expect(tab.get_by_text("nothing yet", exact=True)).to_be_visible()
    with tab.expect_file_chooser() as chooser:
        tab.locator(".jp-OutputArea button", has_text="Upload").click()
    chooser.value.set_files(photograph)
    expect(tab.get_by_text("12,000,000 bytes arrived")).to_be_visible()
