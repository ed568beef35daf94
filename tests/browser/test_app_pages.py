"""Panels as pages without code, served by Voilà: the list, and three pages that are opened, run, stopped and closed."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import PATIENCE, ROOT, SCREENSHOTS, end
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
CHAPTERS = ["02", "05", "12"]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the pages of three chapters; they are made in a folder with spaces in its name."""
    pytest.importorskip("voila")
    folder = tmp_path_factory.mktemp("a folder with spaces")
    for name in ("tools", "notebooks", "cnnlab", "data"):
        (folder / name).symlink_to(ROOT / name)
    port = free_port()
    command = [sys.executable, "-m", "tools.make_apps", *CHAPTERS, "--", "--no-browser", f"--port={port}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(folder)}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 180
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                break
            except (urllib.error.URLError, TimeoutError):
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail("Voilà did not start:\n" + (folder / "log").read_text()[-3000:])
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/"
    finally:
        end(server)
        shutil.rmtree(folder / "build", ignore_errors=True)


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Page]:
    """A page that may not ask other hosts, nor fail."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(PATIENCE)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda line: (
            wrong.append(line.text) if line.type == "error" and "/api/kernels/" not in line.location["url"] else None
        ),
    )
    own = re.compile(r"(http|ws)://127\.0\.0\.1:|data:|blob:")
    page.on("request", lambda request: None if own.match(request.url) else wrong.append(request.url))
    yield page
    page.close()
    assert not wrong, wrong


def test_the_list_shows_a_picture_for_each_page(visitor: Page, apps: str) -> None:
    visitor.goto(apps)
    cards = visitor.locator("main a")
    expect(cards).to_have_count(len(CHAPTERS))
    for number in range(len(CHAPTERS)):
        cards.nth(number).scroll_into_view_if_needed()
        image = cards.nth(number).locator("img").element_handle()
        visitor.wait_for_function("image => image.naturalWidth > 100", arg=image)
    assert visitor.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visitor.set_viewport_size({"width": 390, "height": 844})
    assert visitor.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_page_has_no_code_and_its_panel_works(visitor: Page, apps: str, chapter: str) -> None:
    visitor.goto(apps)
    visitor.locator(f"a[href*='/{chapter}_']").click()
    panel = visitor.locator(".cnnlab-panel").first
    status, image = panel.locator(".cnnlab-status"), panel.locator(".cnnlab-image img")
    expect(status).to_have_text(re.compile("^(ready|done)"))
    visitor.wait_for_function("() => document.querySelector('.cnnlab-image img').naturalWidth > 0")
    for code in (".jp-InputArea-editor", ".highlight", ".jp-InputPrompt:visible"):
        expect(visitor.locator(code)).to_have_count(0)
    text = visitor.locator("body").inner_text()
    assert "Error" not in text
    assert "import" not in text
    expect(visitor.locator("summary", has_text="Find out").first).to_be_visible()
    first = image.get_attribute("src") or ""
    live = panel.locator(".cnnlab-curve").count() == 0
    if live:  # its picture is there from the start: a change of a control gives another
        handle = panel.locator(".noUi-handle").first
        handle.focus()
        handle.press("ArrowLeft")
    else:
        panel.locator(".cnnlab-run").click()
    expect(image).not_to_have_attribute("src", first)
    if not live:
        panel.locator(".cnnlab-stop").click()
    expect(status).to_have_text(re.compile("^(stopped|done)"))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    visitor.screenshot(path=Path(SCREENSHOTS) / f"apps-{chapter}.png", full_page=True)
    visitor.set_viewport_size({"width": 390, "height": 844})
    assert visitor.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than a phone"
    config = json.loads(visitor.locator("#jupyter-config-data").text_content() or "")
    kernel = f"{apps}api/kernels/{config['kernelId']}"
    assert visitor.request.get(kernel).status == 200
    visitor.locator(".cnnlab-all").click()
    visitor.wait_for_function("async url => (await fetch(url)).status == 404", arg=kernel, polling=500)
