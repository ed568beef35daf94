"""The site, built from the course as it is, and read in Chromium: on a laptop and a phone, in light and in dark."""

import os
import re
import warnings
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from conftest import served
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tools.site.__main__ import PAGE_LIMIT, SITE_LIMIT, build, mathjax, weights

pytestmark = pytest.mark.browser
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
# The lowest contrast of a text with what lies behind it, and the text; 3 is what WCAG asks of large letters.
CONTRAST = """() => {
  const channel = value => { value /= 255; return value <= 0.04 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
  const numbers = color => color.match(/[0-9.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = element => {  // the colors of the element and of those around it, one over the other
    if (!element) return [255, 255, 255];
    const [r, g, b, alpha = 1] = numbers(getComputedStyle(element).backgroundColor);
    const below = alpha < 1 ? behind(element.parentElement) : [0, 0, 0];
    return [r, g, b].map((value, i) => alpha * value + (1 - alpha) * below[i]);
  };
  const texts = [...document.querySelectorAll("article :is(p, td, th, li, dt, dd, h1, h2, h3, summary, pre, button)")];
  const found = texts.filter(text => text.checkVisibility() && !text.closest(".hero")).map(text => {
    const pair = [light(numbers(getComputedStyle(text).color)), light(behind(text))].sort((a, b) => b - a);
    return [(pair[0] + 0.05) / (pair[1] + 0.05), text.textContent.slice(0, 60)];
  });
  return found.sort((a, b) => a[0] - b[0])[0] || [21, "no text"];
}"""


class Anchors(HTMLParser):
    """The ids of a page and the targets of its links and pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name in ("href", "src") and value:
                self.targets.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site that was built just now; without npm the tests are skipped, or fail if CI is set."""
    try:
        mathjax()
    except SystemExit as error:
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop(str(error))
    folder = tmp_path_factory.mktemp("book") / "site"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what Sphinx 11 will bring
        build(folder)
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site's address on 127.0.0.1."""
    with served(site) as address:
        yield address


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Page]:
    """A page that reaches the site alone; no request to another host, no failed one and no error of a script."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, base_url=address)
    context.set_default_timeout(60_000)
    page, failures = context.new_page(), []
    elsewhere = re.compile(rf"^(?!{re.escape(address)}|data:)")
    context.route(elsewhere, lambda route: (failures.append(f"asks for {route.request.url}"), route.abort()))
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda message: message.type == "error" and failures.append(message.text))
    page.on("response", lambda answer: answer.status >= 400 and failures.append(f"{answer.status} {answer.url}"))
    yield page
    context.close()
    assert not failures, failures


def names(site: Path) -> list[str]:
    return sorted(page.name for page in site.glob("*.html"))


def test_all_links_and_pictures_lead_to_something_on_the_site(site: Path) -> None:
    pages = {name: Anchors((site / name).read_text(encoding="utf-8")) for name in names(site)}
    assert len(pages) >= 25
    missing = []
    for name, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme:
                continue
            file = unquote(parts.path) or name
            known = pages[file].ids if file in pages else set()
            if not (site / file).is_file() or (parts.fragment and file in pages and parts.fragment not in known):
                missing.append(f"{name}: {target}")
    assert not missing
    ledger = [target for target in pages["ledger.html"].targets if "#cell-" in target]
    assert len(ledger) > 100
    assert sum("glossary.html#" in target for page in pages.values() for target in page.targets) > 50


def test_the_site_is_light_and_its_movies_move(site: Path) -> None:
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) <= SITE_LIMIT
    assert max(weights(site).values()) <= PAGE_LIMIT
    assert not list(site.rglob("*.ipynb"))
    for movie in ("01-*.gif", "04-*.webp", "11-*.webp"):
        frames = []
        for file in (site / "pictures").glob(movie):
            with Image.open(file) as image:
                frames.append(image.n_frames)
        assert max(frames) >= 10, movie


def test_each_page_is_readable_on_a_laptop_and_a_phone_in_light_and_in_dark(reader: Page, site: Path) -> None:
    for name in names(site):
        reader.set_viewport_size({"width": 1280, "height": 900})
        reader.emulate_media(color_scheme="light")
        reader.goto(name)
        reader.evaluate("for (const image of document.images) image.loading = 'eager'")
        reader.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        reader.wait_for_function("[...document.images].every(image => image.complete)")
        pictures = reader.evaluate("[...document.images].map(image => [image.src, image.alt, image.naturalWidth])")
        for source, alt, width in pictures:
            assert width > 0, f"{name}: {source}"
            assert len(alt.split()) >= 3, f"{name}: {source} has the alt text {alt!r}"
            assert not re.search(r"\.(png|jpe?g|webp|gif)$", alt), f"{name}: {alt}"
        formulas = reader.locator(".math").count()
        reader.wait_for_function("n => document.querySelectorAll('.math mjx-container').length >= n", arg=formulas)
        assert reader.locator("mjx-merror").count() == 0, name
        for scheme in ("light", "dark"):
            reader.emulate_media(color_scheme=scheme)
            contrast, text = reader.evaluate(CONTRAST)
            assert contrast >= 3, f"{name}, {scheme}: a contrast of {contrast:.1f} at {text!r}"
        for width in (1280, 390):
            reader.set_viewport_size({"width": width, "height": 844})
            wide = reader.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} pixels wide at {width}"


def test_the_ledger_can_be_filtered_and_leads_to_the_cell(reader: Page) -> None:
    reader.goto("ledger.html")
    button = reader.locator(".filters button").nth(2)
    number = int(button.inner_text().split()[0])
    button.click()
    expect(reader.locator(".claim:visible")).to_have_count(number)
    expect(button).to_have_attribute("aria-pressed", "true")
    link = reader.locator(".claim:visible .verdict a").first
    link.click()
    reader.wait_for_url(re.compile(r"\.html#cell-"))
    anchor = reader.locator("#" + reader.url.partition("#")[2])
    reader.wait_for_function(
        "element => Math.abs(element.getBoundingClientRect().top) < innerHeight", arg=anchor.element_handle()
    )
    opened = reader.locator("details[open] pre:visible").first
    expect(opened).to_contain_text("claims.row(")


def test_search_finds_the_deconvnet(reader: Page) -> None:
    reader.goto("index.html")
    reader.get_by_placeholder("Search").fill("deconvnet")
    reader.get_by_placeholder("Search").press("Enter")
    expect(reader.locator("#search-results li a[href*='05_deconvnet']").first).to_be_visible()


def test_sounds_can_be_played_and_a_term_says_what_it_means(reader: Page) -> None:
    reader.goto("16_beyond_images.html")
    reader.wait_for_function("[...document.querySelectorAll('audio')].every(sound => sound.duration > 0.1)")
    assert reader.locator("audio").count() >= 6
    term = reader.locator("a.term").first
    assert re.search("[一-鿿].*: ", term.get_attribute("title"))
    term.click()
    reader.wait_for_url(re.compile("glossary.html#"))


def test_screenshots_for_people_to_look_at(browser: Browser, address: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    views = {
        "front": ("index.html", 1280, "light"), "front_dark": ("index.html", 1280, "dark"),
        "front_phone": ("index.html", 390, "light"), "chapter_light": ("04_what_neurons_see.html", 1280, "light"),
        "chapter_dark": ("04_what_neurons_see.html#what-you-vary-decides-what-you-see", 1280, "dark"),
        "chapter_phone": ("04_what_neurons_see.html#sixteen-steps-uphill", 390, "light"),
        "ledger": ("ledger.html", 1280, "light"), "ledger_phone": ("ledger.html", 390, "dark"),
        "glossary": ("glossary.html#fire", 1280, "light"), "glossary_phone": ("glossary.html", 390, "light"),
    }  # fmt: skip
    for name, (view, width, scheme) in views.items():
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.goto(address + view, wait_until="networkidle")
        file = SCREENSHOTS / f"site_{name}.png"
        page.screenshot(path=file)
        page.close()
        assert file.stat().st_size > 10_000
