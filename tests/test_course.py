"""The form of the notebooks: what a reader, a lecturer and nbval rely on in each of them."""

import ast
import json
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from notebook_parts import CHAPTERS, NOTEBOOKS, code_cells, exercises, headings, read

from cnnlab.teaching.claims import IDS

BINARY = ("image/png", "image/jpeg", "image/gif", "image/webp", "video/mp4")
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def saved_text(output: dict) -> str:
    """All that an output shows as text: a stream, or its text, HTML, Markdown, LaTeX, SVG."""
    data = output.get("data", {})
    return output.get("text", "") + "\n".join(str(data[kind]) for kind in data if kind not in BINARY)


def test_every_row_of_the_sources_is_claimed_by_a_notebook() -> None:
    sources = "\n".join(cell.source for path in NOTEBOOKS for cell in code_cells(read(path)))
    claimed = set(re.findall(r'\.row\(\s*"(\w+)"', sources))
    assert sorted(claimed ^ set(IDS)) == []


def test_notebooks_are_numbered_as_they_are_read() -> None:
    names = [path.stem for path in NOTEBOOKS]
    assert all(re.fullmatch(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*", name) for name in names), names
    assert [int(name.split("_")[0]) for name in names] == list(range(len(names))), "a number is used twice, or missing"


def test_every_chapter_ends_with_a_link_to_the_next() -> None:
    for path, following in pairwise(NOTEBOOKS):
        assert f"]({following.name})" in read(path).cells[-1].source, f"{path.name} does not lead to {following.name}"


@every_notebook
def test_chapters_are_named_with_two_digits_and_links_lead_to_them(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    assert not re.findall(r"[Cc]hapters? \d\b.*", text)
    for words, file in re.findall(r"\[([^]]*)\]\(([^)]*\.ipynb)\)", text):
        assert (path.parent / file).is_file(), file
        assert file[:2] in words, f"[{words}]({file})"


@every_notebook
def test_valid_notebook_with_stable_cell_ids(path: Path) -> None:
    saved = json.loads(path.read_text(encoding="utf-8"))  # nbformat.read would make up the ids that are missing
    assert (saved["nbformat"], saved["nbformat_minor"]) >= (4, 5), "cells have ids from format 4.5 on"
    assert all("id" in cell for cell in saved["cells"]), "a cell without id gets another one at every run"
    assert len({cell["id"] for cell in saved["cells"]}) == len(saved["cells"])
    nbformat.validate(read(path))


@every_notebook
def test_saved_after_a_clean_run_from_top_to_bottom(path: Path) -> None:
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), "make notebooks saves them so"
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", f"{cell.source}\nwrites to stderr: {output.text}"
    kinds = {kind for cell in cells for output in cell.outputs for kind in output.get("data", {})}
    assert kinds & {"image/png", "image/jpeg", "image/svg+xml"}, "no figure is saved"


@every_notebook
def test_outputs_hold_no_path_of_the_machine_that_made_them(path: Path) -> None:
    for cell in code_cells(read(path)):
        text = "\n".join(saved_text(output) for output in cell.outputs)
        found = re.search(r"(?<![\w.])/(home|root|tmp|work|Users|var|usr)/\S*|[A-Z]:\\\S+", text)
        assert not found, f"{cell.source}\nshows {found.group() if found else ''}"


@every_notebook
def test_below_2_megabytes(path: Path) -> None:
    assert path.stat().st_size < 2_000_000


@every_notebook
def test_a_code_cell_holds_one_idea(path: Path) -> None:
    for cell in code_cells(read(path)):
        assert len(cell.source.strip().splitlines()) <= 20, cell.source
        assert not re.search(r"^\s*[%!]", cell.source, flags=re.M), f"plain Python only, no magics:\n{cell.source}"


@every_notebook
def test_opens_with_its_title_and_is_a_lecture_too(path: Path) -> None:
    cells = read(path).cells
    assert cells[0].cell_type == "markdown"
    assert re.match(r"# \S", cells[0].source)
    for cell in cells:
        kind = cell.metadata.get("slideshow", {}).get("slide_type")
        assert kind in (None, "slide", "subslide", "fragment", "skip", "notes", "-"), kind
        if cell.cell_type == "markdown" and re.match(r"##? ", cell.source):
            assert kind in ("slide", "subslide", "skip"), f"a section begins a slide: {cell.source[:60]}"


def slide_type(cell: nbformat.NotebookNode) -> str:
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def only_defines(source: str) -> bool:
    """Whether a cell only imports, or only defines functions."""
    return all(isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef)) for node in ast.parse(source).body)


@every_notebook
def test_slides_show_no_bookkeeping(path: Path) -> None:
    cells = read(path).cells
    lesson = next((i for i, cell in enumerate(cells) if re.match(r"## Exercises", cell.source)), len(cells))
    summary = next((i for i, cell in enumerate(cells) if re.match(r"## Summary", cell.source)), len(cells))
    for i, cell in enumerate(cells):
        tags = cell.metadata.get("tags", [])
        bookkeeping = cell.cell_type == "code" and re.search(
            r"claims\.(row|check)\(|^claims = |^(import|from) ", cell.source, re.M
        )
        if lesson <= i < summary or bookkeeping or {"exercise", "check"} & set(tags):
            assert slide_type(cell) == "skip" or path.name.startswith("00"), f"not skipped:\n{cell.source[:300]}"
        if cell.cell_type == "code" and slide_type(cell) != "skip" and only_defines(cell.source):
            lines = len(cell.source.splitlines())
            assert lines <= 12, f"a helper of {lines} lines is no slide:\n{cell.source[:300]}"
        if cell.source.strip() == "claims":
            assert slide_type(cell) != "skip", "the table of claims is a slide"


@every_notebook
def test_the_answer_to_a_prediction_is_a_fragment(path: Path) -> None:
    cells = read(path).cells
    for i, cell in enumerate(cells):
        if cell.cell_type == "markdown" and "**Predict" in cell.source and slide_type(cell) != "skip":
            later = cells[i + 1 :]
            end = next((k for k, other in enumerate(later) if slide_type(other) in ("slide", "subslide")), len(later))
            assert any(slide_type(other) == "fragment" for other in later[:end]), cell.source[:300]


@every_notebook
def test_a_figure_and_the_words_about_it_are_on_one_slide(path: Path) -> None:
    for cell in read(path).cells:
        if cell.source.startswith("**What to see"):
            assert slide_type(cell) not in ("slide", "subslide", "skip"), cell.source[:300]


@every_chapter
def test_exercises_are_numbered_and_say_how_hard_and_how_long(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    section = re.search(r"^## Exercises$(.*?)^## ", text, flags=re.M | re.S)
    assert section, "no section named Exercises before the summary"
    titles = re.findall(r"^### (.*)$", re.sub(r"```.*?```", "", section[1], flags=re.S), flags=re.M)
    found = [re.fullmatch(r"(\d)\. (\S.*) \((★{1,3}), (\d+) minutes\)", title) for title in titles]
    assert all(found), f"not of the form: 1. Title (★★, 10 minutes): {titles}"
    assert [int(match[1]) for match in found if match] == list(range(1, len(titles) + 1))
    assert len(titles) == len(exercises(read(path))) >= 4
    assert sum(match[2].startswith("Experiment: ") for match in found if match) == 1, titles


@every_chapter
def test_has_a_panel_to_play_with(path: Path) -> None:
    cells = read(path).cells
    starts = [i for i, cell in enumerate(cells) if re.match(r"#+ Play\b", cell.source)]
    assert len(starts) == 1, f"one section named Play, among {headings(read(path))}"
    following = cells[starts[0] + 1 :]
    section = following[: next((i for i, cell in enumerate(following) if re.match(r"##? ", cell.source)), None)]
    assert any(cell.cell_type == "code" for cell in section), "the section Play shows no panel"


@every_chapter
def test_compares_the_source_with_what_was_measured(path: Path) -> None:
    notebook = read(path)
    sources = [cell.source for cell in code_cells(notebook)]
    assert any(".row(" in source for source in sources)
    assert any("claims.check()" in source for source in sources)
    assert any("<table" in saved_text(output) for cell in code_cells(notebook) for output in cell.outputs)


@every_chapter
def test_nbval_compares_something(path: Path) -> None:
    cells = code_cells(read(path))
    marked = [
        c for c in cells if "nbval-check-output" in c.metadata.get("tags", []) or "NBVAL_CHECK_OUTPUT" in c.source
    ]
    assert any(cell.outputs for cell in marked)
    # A progress bar is an output, too, and leaves nothing in the saved notebook to compare it with.
    assert not [cell.id for cell in marked if ".finish()" in cell.source]


def test_the_readme_maps_the_package_as_it_is() -> None:
    root = Path(__file__).parent.parent
    readme = (root / "README.md").read_text(encoding="utf-8")
    table = re.search(r"^\| where in `cnnlab` \|.*\n\|[-|]+\n((?:\|.*\n)+)", readme, flags=re.M)
    assert table, "the README has no table with the first column: where in `cnnlab`"
    rows = [line.split("|") for line in table[1].splitlines()]
    mapped = [name for row in rows for name in re.findall(r"`([^`]+)`", row[1])]
    modules = [path.stem for path in (root / "cnnlab").glob("*.py") if path.name != "__init__.py"]
    folders = [f"{path.parent.name}/" for path in (root / "cnnlab").glob("*/__init__.py")]
    assert sorted(mapped) == sorted(modules + folders)
