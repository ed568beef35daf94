"""The microscope's pages in Chromium, from disk: index, layer, channel, search, keys, light and dark, on a phone."""

import re
import shutil
from collections.abc import Iterator

import pytest
from conftest import SCREENSHOTS
from playwright.sync_api import Browser, Page, expect

from cnnlab.microscope.reading import SHIPPED
from cnnlab.microscope.site import make_site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the shipped microscope's first page, on disk."""
    folder = tmp_path_factory.mktemp("pages on disk") / "microscope"
    shutil.copytree(SHIPPED, folder)
    make_site(folder)
    return (folder / "index.html").as_uri()


@pytest.fixture(params=[("light", 1280), ("dark", 390)], ids=["light", "dark, on a phone"])
def pages(browser: Browser, index: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that was opened from disk; afterwards nothing may have failed, and no host may have been asked."""
    scheme, width = request.param
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None)
    page.on("requestfailed", lambda asked: wrong.append(f"failed: {asked.url}"))
    page.goto(index)
    yield page
    page.close()
    assert not wrong, wrong


def heading(page: Page, text: str) -> None:
    expect(page.locator("h1")).to_have_text(text)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the window"


def test_from_the_index_to_a_channel_and_on(pages: Page) -> None:
    heading(pages, "What the channels of squeezenet see")
    expect(pages.locator("main h2")).to_have_count(5)
    pages.locator("#layers a", has_text="fire9").click()
    heading(pages, "fire9")
    expect(pages.locator(".thumb")).to_have_count(48)
    pages.locator(".thumb").nth(30).click()
    heading(pages, "fire9, channel 30")
    expect(pages.locator("main")).to_contain_text("lens cap")
    for image in pages.locator("figure img").all():
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("naturalWidth", 512)
        assert image.get_attribute("alt")
    name = "dark" if pages.viewport_size["width"] < 1000 else "light"
    pages.screenshot(path=SCREENSHOTS / f"microscope_{name}.png", full_page=True)
    pages.keyboard.press("ArrowRight")
    heading(pages, "fire9, channel 31")
    pages.keyboard.press("ArrowUp")
    heading(pages, "fire7, channel 31")
    pages.keyboard.press("Escape")
    heading(pages, "fire7")


def test_a_channel_has_an_address_and_links_to_what_it_is_made_of(pages: Page, index: str) -> None:
    pages.goto(f"{index}#fire5/37")
    heading(pages, "fire5, channel 37")
    pages.locator("table a", has_text="fire3").first.click()
    expect(pages.locator("h1")).to_have_text(re.compile("^fire3, channel"))
    pages.goto(f"{index}#fire5/200")
    expect(pages.locator("main")).to_contain_text("has not been made yet")


def test_search_finds_the_channels_that_vote_for_a_class(pages: Page) -> None:
    pages.keyboard.press("/")
    pages.keyboard.type("lens cap")
    pages.keyboard.press("Enter")
    heading(pages, "Who votes for “lens cap”")
    expect(pages.locator(".thumb", has_text="fire9 30")).to_be_visible()
    pages.locator("#search").fill("no such thing")
    pages.keyboard.press("Enter")
    expect(pages.locator("main")).to_contain_text("No class has this in its name")


def test_light_and_dark(pages: Page) -> None:
    color = "getComputedStyle(document.body).backgroundColor"
    before = pages.evaluate(color)
    pages.locator("#scheme").click()
    assert pages.evaluate(color) != before
