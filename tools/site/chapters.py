"""A chapter as the site shows it: pictures as files with alt texts, folded code, anchors, a note for each panel."""

import base64
import io
import re
from copy import deepcopy
from dataclasses import dataclass
from html import escape
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output
from PIL import Image

from cnnlab.teaching.claims import MIME
from tools.site.links import plain

SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
# What a panel saves for readers without a kernel.
PANEL = re.compile(r'<div class="cnnlab-asleep"><b>(.*?)</b> An interactive panel, (.*?):')
TITLE = re.compile(
    r"^## \[(?P<title>[^\]]+)\]\((?P<file>[^)]+)\)\n+\*\*(?P<chinese>[^\n]+)\*\*\n+"
    r"\*(?P<question>[^\n]+)\*\n+\*(?P<chinese_question>[^\n]+)\*$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Title:
    """A chapter's title and question in English and Chinese."""

    title: str
    chinese: str
    question: str
    chinese_question: str


def read_titles(text: str) -> dict[str, Title]:
    """The titles in CHAPTERS.md by the chapters' file names."""
    found = [match.groupdict() for match in TITLE.finditer(text)]
    return {fields.pop("file"): Title(**fields) for fields in found}


def stage_chapter(chapter: NotebookNode, stem: str, title: Title, anchors: set[str], pictures: Path) -> NotebookNode:
    """The chapter as the site shows it.

    Args:
        chapter: the notebook with its outputs.
        stem: the name of its file without the suffix.
        title: its title in Chinese stands below that in English.
        anchors: the ids of the cells that other pages link to.
        pictures: the folder that gets the pictures.
    """
    staged = deepcopy(chapter)
    cells: list[NotebookNode] = []
    heading = ""
    for cell in staged.cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)
            heading = plain(re.sub(r"<[^>]*>", "", headings[-1])) if headings else heading
        elif cell.cell_type == "code":
            folded = is_folded(cell)
            cell.outputs = shown_outputs(cell, stem, heading, pictures)
            cell.metadata = NotebookNode({"tags": ["hide-input"] if folded else []})
        if cell.id in anchors:
            cells.append(new_markdown_cell(f'<div class="cell-anchor" id="cell-{cell.id}"></div>'))
        cells.append(cell)
    first = cells[0]
    below = f'<p class="chinese-title" lang="zh">{escape(title.chinese)}</p>'
    first.source = re.sub(r"^(# .+)$", rf"\1\n\n{below}", first.source, count=1, flags=re.MULTILINE)
    staged.cells = joined(cells)
    return staged


def is_folded(cell: NotebookNode) -> bool:
    """Whether a reader of pages can do without the code: imports, helpers, panels, the table of claims."""
    tags = set(cell.metadata.get("tags", []))
    skipped = cell.metadata.get("slideshow", {}).get("slide_type") == "skip"
    html = "".join(output.data.get("text/html", "") for output in cell.outputs if "data" in output)
    shows_claims = any(MIME in output.get("data", {}) for output in cell.outputs)
    return ("setup" in tags or skipped or bool(PANEL.match(html)) or shows_claims) and not tags & {"exercise", "check"}


def joined(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells, with folded ones that follow each other joined to one; their anchors come before it."""
    result: list[NotebookNode] = []
    last: NotebookNode | None = None  # the folded cell without outputs that the next one may join
    for cell in cells:
        if cell.cell_type == "markdown" and last and cell.source.startswith('<div class="cell-anchor"'):
            result.insert(len(result) - 1, cell)
            continue
        folded = cell.cell_type == "code" and "hide-input" in cell.metadata.tags
        if folded and last:
            last.source += "\n\n\n" + cell.source
            last.outputs = cell.outputs
        else:
            result.append(cell)
        last = result[-1] if folded and not cell.outputs else None
    return result


def shown_outputs(cell: NotebookNode, stem: str, heading: str, pictures: Path) -> list[NotebookNode]:
    """The outputs of a code cell, each in one form.

    A picture becomes a file and an <img> with the alt text in the cell's metadata or, without one, the heading above.
    Raises ValueError if there is a list of alt texts of another length than that of the pictures.
    """
    outputs = [output for output in cell.outputs if "data" in output]
    images = [output for output in outputs if set(output.data) & set(SUFFIXES)]
    alt = cell.metadata.get("alt") or f"A figure of the section: {heading}"
    alts = alt if isinstance(alt, list) else [alt] * len(images)
    if len(alts) != len(images):
        raise ValueError(f"cell {cell.id} of {stem} has {len(images)} pictures and {len(alts)} alt texts")
    for number, (output, text) in enumerate(zip(images, alts, strict=True)):
        kind = next(kind for kind in SUFFIXES if kind in output.data)
        name = f"{stem[:2]}-{cell.id}{f'-{number}' * (len(images) > 1)}"
        html = write_picture(pictures, name, base64.b64decode(output.data[kind]), kind, text)
        output.data = NotebookNode({"text/html": html})
    for output in outputs:
        if "text/html" in output.data:
            html = output.data["text/html"]
            if panel := PANEL.match(html):
                html = panel_note(panel[1], panel[2].split(", "))
            elif html.startswith("<table"):
                kind = "table-wrapper claims-table" if MIME in output.data else "table-wrapper"
                html = f'<div class="{kind}">{html}</div>'
            output.data = NotebookNode({"text/html": html})
    return [new_output("display_data", output.data) if "data" in output else output for output in cell.outputs]


def write_picture(folder: Path, name: str, content: bytes, kind: str, alt: str) -> str:
    """Write a picture into the site's folder of pictures; returns its <img>.

    The <img> has the size, which keeps the page from jumping as it loads. PNG becomes WebP, lossless and half as large;
    JPEG becomes WebP that looks the same, and is smaller.
    """
    with Image.open(io.BytesIO(content)) as image:
        width, height = image.size
        if kind == "image/png":
            file = folder / f"{name}.webp"
            image.save(file, lossless=True)
        elif kind == "image/jpeg":
            file = folder / f"{name}.webp"
            image.save(file, quality=80, method=6)
        else:
            file = folder / f"{name}.{SUFFIXES[kind]}"
            file.write_bytes(content)
    attributes = f'src="pictures/{file.name}" alt="{escape(alt)}" width="{width}" height="{height}"'
    return f'<img class="picture" {attributes} loading="lazy">'


def panel_note(title: str, controls: list[str]) -> str:
    """What stands on the site where the notebook has a panel."""
    names = ", ".join(name.replace("_", " ") for name in controls)
    return (
        f'<div class="admonition tip"><p class="admonition-title">Here is a panel: {title}</p>'
        f"<p>In the running chapter you change <em>{names}</em>, and watch what happens. "
        '<a href="about.html">Run the chapter</a> to use it.</p></div>'
    )
