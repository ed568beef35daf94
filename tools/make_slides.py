"""Slides for a lecture, which need no network: `python -m tools.make_slides [04 05]` writes build/slides.

Each chapter becomes one reveal.js deck (HTML, and a PDF where there is Chromium). The slide types of the notebooks say
what begins a slide; `tools/slides/deck.js` divides each slide into pages of 1280 x 720 when the deck is opened.
"""

import base64
import html
import io
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import nbformat
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from cnnlab.teaching.claims import MIME as CLAIMS
from tools.npm import node_modules
from tools.run_notebooks import NOTEBOOKS, chosen
from tools.site.front import TILES, cut

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "slides"
OWN = Path(__file__).parent / "slides"
# What a deck loads from npm's packages, beside our own script and style.
ASSETS = (
    "reveal.js/dist/reveal.css",
    "reveal.js/dist/reveal.js",
    "reveal.js/plugin/notes/notes.js",
    "mathjax/es5/tex-svg-full.js",  # formulas as drawings: no fonts to load
)
IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif")
OUTCOMES = {True: '<b class="holds">✓</b>', False: '<b class="fails">✗</b>', None: "not tested"}
DETAILS = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.S)
PANEL = re.compile(r'<div class="cnnlab-asleep"><b>(.*?)</b> An interactive panel')
PLACES = "in the notebook, section <b>Play</b>, or without code by <code>make apps</code>."


@dataclass
class Part:
    """A piece of a slide: what kind it is, its HTML, and with which step of the slide it appears."""

    kind: str  # text, words (about the figure before), figure, printed, table, play or code
    html: str
    step: int = 0


@dataclass
class Slide:
    """What stands between two cells that begin a slide; a new stack begins with each section of the chapter."""

    begins_stack: bool
    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Renderer(IPythonRenderer):
    """Markdown to HTML in which a formula is a block of its own and no link leads to a file that is not there."""

    def __init__(self) -> None:
        super().__init__(escape=False, exclude_anchor_links=True, embed_images=True, path=str(NOTEBOOKS))

    def block_math(self, body: str) -> str:
        """Handle a formula on lines of its own."""
        return f'<p class="formula">{super().block_math(body)}</p>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Handle a link: only one to the web is kept."""
        return super().link(text, url, title) if url.startswith("http") else text


def markdown(source: str) -> str:
    """Return markdown as HTML."""
    return MarkdownWithMath(Renderer()).render(source)


def slides(notebook: NotebookNode) -> list[Slide]:
    """Divide a notebook into slides, by the slide types of its cells.

    What is folded in a text (`<details>`) goes into the speaker's notes.
    """
    found: list[Slide] = []
    step = 0
    for cell in notebook.cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type", "-")
        if kind == "skip":
            continue
        if kind in ("slide", "subslide") or not found:
            found.append(Slide(begins_stack=kind != "subslide"))
            step = 0
        slide = found[-1]
        if note := cell.metadata.get("notes"):
            slide.notes.append(note)
        if kind == "notes":
            slide.notes.append(cell.source)
            continue
        step += kind == "fragment"
        if cell.cell_type == "markdown":
            slide.notes += [f"**{title}.** {text.strip()}" for title, text in DETAILS.findall(cell.source)]
            parts = _text(DETAILS.sub("", cell.source))
        else:
            parts = [Part("code", _code(cell.source)), *_outputs(cell)]
        slide.parts += [Part(part.kind, part.html, step) for part in parts]
    return [slide for slide in found if slide.parts]


def _text(source: str) -> list[Part]:
    if not source.strip():
        return []
    return [Part("words" if source.startswith("**What to see") else "text", markdown(source))]


def _code(source: str) -> str:
    return highlight(source, PythonLexer(), HtmlFormatter(cssclass="source"))


def _outputs(cell: NotebookNode) -> Iterator[Part]:
    """The outputs of a code cell; what was printed in one go is one part."""
    alts = cell.metadata.get("alt", "")
    left = [alts] if isinstance(alts, str) else list(alts)
    for output in cell.outputs:
        data = output.get("data", {})
        images = [kind for kind in IMAGES if kind in data]
        if images:
            yield Part("figure", _image(images[0], data[images[0]], left.pop(0) if left else ""))
        elif CLAIMS in data:
            yield Part("table", claims_table(data[CLAIMS]))
        elif panel := PANEL.search(data.get("text/html", "")):
            yield Part("play", f"<p>▶ Open the panel <b>{panel[1]}</b>: {PLACES}</p>")
        elif "text/html" in data:
            yield Part("table" if "<table" in data["text/html"] else "text", f"<div>{data['text/html']}</div>")
        elif text := (output.get("text", "") if output.get("name") == "stdout" else data.get("text/plain", "")):
            yield Part("printed", f"<pre>{html.escape(text.strip(chr(10)).rstrip())}</pre>")


def _image(kind: str, content: str, alt: str) -> str:
    return f'<img src="data:{kind};base64,{content.strip()}" alt="{html.escape(alt)}">'


def claims_table(rows: list[dict[str, Any]]) -> str:
    """The claims of a chapter in five columns: more cannot be read from the last row."""
    lines = [
        f"<tr><td>{row['id']}</td><td>{html.escape(row['claim'])}</td><td>{html.escape(row['criterion'])}</td>"
        f"<td>{html.escape(row['measured'])}</td><td>{OUTCOMES[row['holds']]}</td></tr>"
        for row in rows
    ]
    head = "<tr><th></th><th>claim</th><th>it holds if</th><th>measured</th><th></th></tr>"
    return f'<table class="claims"><thead>{head}</thead><tbody>{"".join(lines)}</tbody></table>'


def title_slides(first: Slide, cover: str) -> list[Slide]:
    """Divide a chapter's first slide: title, question and picture; then what the reader learns, and the sources."""
    question, *aims = re.split(r"<p>(After this .*)</p>", first.parts[0].html, maxsplit=1)
    parts = [Part("title", question + cover)], [Part("text", f"<h2>{aims[0]}</h2>{aims[1]}")] if aims else []
    return [Slide(i == 0, found, first.notes) for i, found in enumerate(parts) if found]


def cover_of(notebook: NotebookNode) -> str:
    """The chapter's picture, the one that the site's front page shows."""
    number = re.match("[0-9][0-9]", title_of(notebook))
    tile = TILES[number[0] if number else "00"]
    picture = io.BytesIO()
    cut(notebook, tile).save(picture, "JPEG", quality=92)
    return _image("image/jpeg", base64.b64encode(picture.getvalue()).decode(), tile.alt)


def title_of(notebook: NotebookNode) -> str:
    """The chapter's title, as in "04 · What neurons see"."""
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")


def deck(notebook: NotebookNode, cover: str) -> str:
    """The HTML of a deck, with a picture (an `img`) on its title; `deck.js` makes pages of it."""
    first, *others = slides(notebook)
    articles = [_article(slide) for slide in [*title_slides(first, cover), *others]]
    template = Template((OWN / "deck.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=html.escape(title_of(notebook)),
        pygments=HtmlFormatter(cssclass="source").get_style_defs(),
        articles="\n".join(articles),
    )


def _article(slide: Slide) -> str:
    parts = [f'<div data-kind="{part.kind}" data-step="{part.step}">{part.html}</div>' for part in slide.parts]
    notes = f'<aside class="notes">{markdown(chr(10).join(f"{note}{chr(10)}" for note in slide.notes))}</aside>'
    stack = "data-stack" if slide.begins_stack else ""
    return f"<article {stack}>\n" + "\n".join(parts) + f"\n{notes if slide.notes else ''}</article>"


def index(folder: Path) -> str:
    """The list of all decks of a folder."""
    lines = []
    for path in sorted(folder.glob("[0-9][0-9]_*.html")):
        title = re.search("<title>(.*?)</title>", path.read_text(encoding="utf-8"))
        pdf = f' <a class="pdf" href="{path.stem}.pdf">PDF</a>' if path.with_suffix(".pdf").exists() else ""
        lines.append(f'<li><a href="{path.name}">{title[1] if title else path.stem}</a>{pdf}</li>')
    template = Template((OWN / "index.html").read_text(encoding="utf-8"))
    return template.substitute(decks="\n".join(lines))


def write(path: Path, text: str) -> None:
    """Write a file that is whole or not there."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def make(paths: list[Path], folder: Path) -> list[Path]:
    """Write the decks of notebooks and the files that they load; return the decks."""
    modules = node_modules(OWN / "package.json", "slides")
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    for asset in [*(modules / asset for asset in ASSETS), OWN / "deck.css", OWN / "deck.js"]:
        shutil.copy(asset, folder / "assets")
    decks = []
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        decks.append(folder / f"{path.stem}.html")
        write(decks[-1], deck(notebook, cover_of(notebook)))
        decks[-1].with_suffix(".pdf").unlink(missing_ok=True)  # it would show an older deck
    return decks


def print_pdf(browser: Any, path: Path) -> int:
    """Print a deck as PDF beside it, one page for each page of a slide; return how many these are."""
    page = browser.new_page()
    page.goto(f"{path.as_uri()}?print-pdf")
    page.wait_for_function("window.deckReady && document.querySelector('.pdf-page')", timeout=120_000)
    part = path.with_suffix(".pdf.part")
    page.pdf(path=part, width="1280px", height="720px", print_background=True, prefer_css_page_size=True)
    part.replace(path.with_suffix(".pdf"))
    count = page.evaluate("document.querySelectorAll('.pdf-page').length")
    page.close()
    return count


def print_pdfs(decks: list[Path]) -> None:
    """Print the decks as PDFs, or say why not."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("The PDFs were left out: they need Playwright (pip install playwright) and Chromium.")
        return
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, names)), playwright.chromium.executable_path)
        if not Path(found).exists():
            print("The PDFs were left out: there is no Chromium or Chrome (playwright install chromium).")
            return
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"] if root else [])
        for path in decks:
            start = time.monotonic()
            pages = print_pdf(browser, path)
            size = path.with_suffix(".pdf").stat().st_size
            print(f"{path.stem}.pdf: {pages} pages, {size / 1e6:.1f} MB, {time.monotonic() - start:.0f} s")
        browser.close()


def main() -> None:
    """Make the decks of the chapters that the command line names, or of all."""
    decks = make(chosen(sys.argv[1:]), FOLDER)
    print_pdfs(decks)
    write(FOLDER / "index.html", index(FOLDER))
    size = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file())
    print(f"{len(decks)} decks in {FOLDER}, with all files {size / 1e6:.0f} MB: open index.html")


if __name__ == "__main__":
    main()
