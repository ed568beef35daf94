"""What the notebooks tell a reader who does not see a figure, and a lecturer who stands before the class."""

import re
from pathlib import Path

import pytest
from nbformat import NotebookNode
from notebook_parts import NOTEBOOKS, read

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def images(cell: NotebookNode) -> int:
    """How many outputs of a cell show an image."""
    return sum(any(kind.startswith("image/") for kind in output.get("data", {})) for output in cell.get("outputs", []))


def alts(cell: NotebookNode) -> list[str]:
    """A cell's alternative texts: `alt` is one text, or a list if the cell shows several images."""
    alt = cell.metadata.get("alt", [])
    return [alt] if isinstance(alt, str) else alt


def slides(path: Path) -> list[NotebookNode]:
    """The cells that begin a slide."""
    kinds = ("slide", "subslide")
    return [cell for cell in read(path).cells if cell.metadata.get("slideshow", {}).get("slide_type") in kinds]


def repeated(texts: list[str]) -> list[str]:
    return [text for text in texts if texts.count(text) > 1]


@every_notebook
def test_every_image_says_what_is_seen(path: Path) -> None:
    for cell in read(path).cells:
        texts = alts(cell)
        assert len(texts) == images(cell), f"{cell.id}: {images(cell)} images, {len(texts)} texts:\n{cell.source[:200]}"
        for text in texts:
            assert 40 <= len(text) <= 300, f"{cell.id}: {len(text)} characters: {text}"
            assert not re.search(r"\w\.(png|jpe?g|gif|webp|svg|ipynb|py)\b", text), f"{cell.id}: a file name: {text}"
            assert not re.match(r"(A |An |The )?(figure|image|picture|plot) of\b", text, re.I), f"{cell.id}: {text}"
            assert re.fullmatch(r"\S.*\.", text), f"{cell.id}: no whole sentence: {text}"
    assert not repeated([text for cell in read(path).cells for text in alts(cell)])


@every_notebook
def test_every_slide_tells_the_lecturer_what_to_do(path: Path) -> None:
    for cell in slides(path):
        note = cell.metadata.get("notes", "")
        assert re.match(r"\d+(\.5)? min\. \S", note), f"{cell.id} has no note that begins with its minutes:\n{note}"
        assert len(note.split()) >= 8, f"{cell.id}: says nothing: {note}"
    assert not repeated([cell.metadata["notes"] for cell in slides(path)])


@every_notebook
def test_the_minutes_of_a_chapter_are_a_lecture(path: Path) -> None:
    minutes = sum(float(cell.metadata["notes"].split(" min.")[0]) for cell in slides(path))
    least, most = (8, 12) if path.name.startswith("00") else (40, 50)
    assert least <= minutes <= most, f"{minutes} minutes"
