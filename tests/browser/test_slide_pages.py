"""The decks of all chapters in Chromium: every page fits, nothing is asked of a network, keys and PDFs work."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import served
from playwright.sync_api import Browser, Page

from tools.make_slides import index, make, print_pdf
from tools.run_notebooks import chosen

pytestmark = pytest.mark.browser

CHAPTERS = chosen([])
# What is wrong with each page of a deck. Reveal hides all but the current ones, so each is shown for a moment.
MEASURE = """() => Reveal.getSlides().flatMap((section, i) => {
    const shown = [section, section.parentElement];
    shown.forEach((each) => { each.style.display = "block"; });
    const page = section.querySelector(".page"), body = page.querySelector(".body"), wrong = [];
    if (page.scrollHeight > 720 || page.scrollWidth > 1280) wrong.push("the page is too large");
    if (body.scrollHeight > body.clientHeight || body.scrollWidth > body.clientWidth) wrong.push("its body overflows");
    const room = body.getBoundingClientRect();
    for (const child of body.children) {
        const box = child.getBoundingClientRect();
        if (box.top < room.top - 1 || box.bottom > room.bottom + 1 || box.right > room.right + 1)
            wrong.push(`${child.tagName} leaves the body`);
    }
    const texts = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const parent = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || parent.closest("footer, mjx-assistive-mml, svg")) continue;
        if (parseFloat(getComputedStyle(parent).fontSize) < 20) wrong.push(`small: ${texts.currentNode.data}`);
    }
    const figure = body.querySelector(":scope > img");
    if (figure && body.children.length === 1 && figure.height < 0.55 * 720 && figure.width < 0.9 * room.width)
        wrong.push(`a figure alone of ${figure.width} x ${figure.height}`);
    for (const image of page.querySelectorAll("img")) if (!image.alt || !image.naturalWidth) wrong.push("a picture");
    if (!body.hasChildNodes()) wrong.push("it is empty");
    shown.forEach((each) => { each.style.display = ""; });
    return wrong.map((text) => `page ${i + 1}: ${text}`);
})"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All decks; without npm the tests are skipped, or fail where the environment variable CI is set."""
    if not shutil.which("npm"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the slides need npm: install Node.js")
    folder = tmp_path_factory.mktemp("slides of a course")
    make(CHAPTERS, folder)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The decks on a web server."""
    with served(folder) as address:
        yield address.removesuffix("/")


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    """An empty window; afterwards no script may have failed in it, and it may have asked no other host."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: wrong.append(request.url) if not is_ours(request.url) else None)
    page.set_default_timeout(60_000)
    yield page
    page.close()
    assert not wrong, wrong


def is_ours(url: str) -> bool:
    return url.startswith(("file:", "data:", "blob:", "about:", "http://127.0.0.1:"))


def open_deck(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_function("window.deckReady", timeout=120_000)


def go_to(page: Page, where: str) -> None:
    """Turn to the first page for which a condition on `section` is true."""
    turned = page.evaluate(
        f"""() => {{
            const section = Reveal.getSlides().find((section) => {where});
            const {{ h, v }} = Reveal.getIndices(section);
            Reveal.slide(h, v, -1);
            return section === Reveal.getCurrentSlide();
        }}"""
    )
    assert turned


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_page_fits_and_can_be_read(window: Page, folder: Path, chapter: Path) -> None:
    open_deck(window, (folder / f"{chapter.stem}.html").as_uri())
    assert window.evaluate("Reveal.getTotalSlides()") > 8
    assert window.evaluate(MEASURE) == []


def test_a_key_shows_the_code_and_another_hides_it(window: Page, address: str) -> None:
    open_deck(window, f"{address}/04_what_neurons_see.html")
    go_to(window, "section.innerText.includes('Sixteen steps uphill') && section.querySelector('.page').codes.length")
    code = window.locator("#code")
    assert not code.is_visible()
    window.keyboard.press("c")
    code.wait_for()
    assert "torch.autograd.grad" in code.inner_text()
    window.keyboard.press("Escape")
    code.wait_for(state="hidden")
    assert not window.evaluate("Reveal.isOverview()")
    window.locator(".present .present .hint").click()
    code.wait_for()


def test_the_answer_waits_for_a_key(window: Page, address: str) -> None:
    open_deck(window, f"{address}/04_what_neurons_see.html")
    go_to(window, "section.innerText.includes('Predict') && section.querySelector('img.fragment')")
    answer = window.locator("section.present section.present img.fragment, section.present section.present .words")
    assert not answer.first.is_visible()
    page_number = window.evaluate("Reveal.getSlidePastCount()")
    window.keyboard.press("ArrowRight")
    answer.first.wait_for()
    assert window.evaluate("Reveal.getSlidePastCount()") == page_number


def test_the_speaker_sees_the_note_of_the_slide(window: Page, address: str) -> None:
    open_deck(window, f"{address}/04_what_neurons_see.html")
    missing = "Reveal.getSlides().filter((section) => !Reveal.getSlideNotes(section)).length"
    assert window.evaluate(missing) == 0
    go_to(window, "section.innerText.includes('An endless zoom')")
    note = window.evaluate("Reveal.getCurrentSlide().querySelector('.notes').textContent.trim()")
    with window.context.expect_page() as opened:
        window.keyboard.press("s")
    shown = opened.value.locator(".speaker-controls-notes .value")
    shown.wait_for()
    opened.value.wait_for_function(
        "note => document.querySelector('.speaker-controls-notes .value').textContent.trim() === note", arg=note
    )
    opened.value.close()


def test_sounds_and_movies_play(window: Page, address: str) -> None:
    open_deck(window, f"{address}/16_beyond_images.html")
    assert window.locator("audio").count() >= 6
    for which in ("find", "findLast"):  # Reveal loads what is on the current page
        go_to(window, f"section === Reveal.getSlides().{which}((each) => each.querySelector('audio'))")
        sounds = window.locator(".present .present audio")
        assert sounds.count() == 3
        window.wait_for_function("Reveal.getCurrentSlide().querySelector('audio').readyState > 0")
        sounds.first.evaluate("sound => sound.play()")
        window.wait_for_function("Reveal.getCurrentSlide().querySelector('audio').currentTime > 0")
    open_deck(window, f"{address}/04_what_neurons_see.html")
    assert window.locator('img[src^="data:image/webp"], img[src^="data:image/gif"]').count()


def test_a_pdf_has_one_page_for_each_page_of_the_deck(window: Page, browser: Browser, folder: Path) -> None:
    deck = folder / "00_start_here.html"
    open_deck(window, deck.as_uri())
    pages = window.evaluate("Reveal.getTotalSlides()")
    assert print_pdf(browser, deck) == pages
    content = deck.with_suffix(".pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", content)) == pages
    assert set(re.findall(rb"/MediaBox \[0 0 (\S+) (\S+)\]", content)) == {(b"960", b"540")}  # points: 16 : 9


def test_the_index_leads_to_the_decks(window: Page, folder: Path, address: str) -> None:
    (folder / "index.html").write_text(index(folder), encoding="utf-8")
    window.goto(f"{address}/index.html")
    assert window.locator("li").count() == len(CHAPTERS)
    window.get_by_text("11 · Deep Dream").click()
    window.wait_for_function("window.deckReady")
