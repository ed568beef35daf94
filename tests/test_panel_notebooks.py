"""The notebook of a chapter's panels: it holds what they need, and no more."""

import ast
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_parts import NOTEBOOKS, read

from tools.panel_notebooks import WAIT, needed, panel_notebook


def kept(source: str) -> list[str]:
    """The statements that the last one needs."""
    statements = ast.parse(source).body
    ids = needed(statements, {id(statements[-1])})
    return [ast.unparse(statement) for statement in statements if id(statement) in ids][:-1]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = 1\nb = 2\nPanel(a)", ["a = 1"]),
        ("a = 1\na = 2\nPanel(a)", ["a = 2"]),
        ("a = 1\na = a + 1\nPanel(a)", ["a = 1", "a = a + 1"]),
        ("a = {}\na['x'] = 1\na.clear()\nprint(a)\nPanel(a)", ["a = {}", "a['x'] = 1", "a.clear()"]),
        ("a = 1\na += 1\nPanel(a)", ["a = 1", "a += 1"]),
        ("import m\nm.show()\nPanel(m)", ["import m"]),
        ("x, y = (1, 2)\nPanel(y)", ["x, y = (1, 2)"]),
        ("d = {}\nfor k in range(2):\n    d[k] = k\nPanel(d)", ["d = {}", "for k in range(2):\n    d[k] = k"]),
        ("x = 1\nfor x in range(2):\n    pass\nPanel(x)", ["x = 1", "for x in range(2):\n    pass"]),
        # a function looks its names up when it is called
        ("def f():\n    return g\ng = 1\nPanel(f)", ["def f():\n    return g", "g = 1"]),
        ("f = lambda: g\ng = 1\nPanel(f)", ["f = lambda: g", "g = 1"]),
        (
            "def g(x):\n    return x\ndef f():\n    return [g(x) for x in 'ab']\nPanel(f)",
            ["def g(x):\n    return x", "def f():\n    return [g(x) for x in 'ab']"],
        ),
        # a function that is called on a line of its own changes what it gets, unless it shows it
        ("a = net()\nfit(a, b).finish()\nPanel(a)", ["a = net()", "fit(a, b).finish()"]),
        ("a = net()\nnormal_(a)\nshow(a)\nplots.show(a)\na.predict(b)\nPanel(a)", ["a = net()", "normal_(a)"]),
        # a loop gives its own names a value
        (
            "x = 1\nc = {}\nfor x in 'ab':\n    y = x\n    c[x] = y\ny = 3\nPanel(c)",
            ["c = {}", "for x in 'ab':\n    y = x\n    c[x] = y"],
        ),
        # names of its own are not the notebook's
        ("x = 1\ndef f(x):\n    y = x\n    return y\ny = 2\nPanel(f)", ["def f(x):\n    y = x\n    return y"]),
        ("x = 1\na = [x for x in 'ab']\nPanel(a)", ["a = [x for x in 'ab']"]),
        ("x = 1\na = [x + i for i in 'ab']\nPanel(a)", ["x = 1", "a = [x + i for i in 'ab']"]),
    ],
)
def test_what_a_statement_needs(source: str, expected: list[str]) -> None:
    assert kept(source) == expected


def test_all_panels_are_kept_with_their_comments_and_nothing_else() -> None:
    cells = [
        new_markdown_cell("# 99 · A chapter\n\n**The question.** Why, after [98](98_x.ipynb)?\n\n*Sources:* two."),
        new_code_cell("import torch"),
        new_code_cell("slow = torch.rand(9)\nside = 2  # pixels\nslow.sum()"),
        new_markdown_cell("## Before"),
        new_markdown_cell("## Play"),
        new_markdown_cell("[Jitter](GLOSSARY.md#jitter), [a page](https://example.org).\n\n**Find out:** (1) What?"),
        new_code_cell("Panel(side)"),
        new_code_cell("panel = Panel(torch)\npanel"),
        new_code_cell("after = 1"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    found = panel_notebook(nbformat.from_dict(new_notebook(cells=cells, metadata=kernel)))
    assert [cell.source for cell in found.cells] == [
        "# 99 · A chapter\n\nWhy, after 98?", "import torch", "side = 2  # pixels", "## Play",
        "Jitter, [a page](https://example.org).\n\n<details><summary>Find out</summary>\n\n(1) What?\n\n</details>",
        "Panel(side)", "panel = Panel(torch)\npanel", WAIT,
    ]  # fmt: skip
    assert [cell.source for cell in found.cells if "panel" in cell.metadata.get("tags", [])] == [
        "Panel(side)", "panel = Panel(torch)\npanel",
    ]  # fmt: skip
    assert found.metadata.title == "99 · A chapter"
    assert [cell.source for cell in panel_notebook(found).cells] == [cell.source for cell in found.cells]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapters_panels_need_less_than_half_of_it(path) -> None:
    chapter = read(path)
    derived = panel_notebook(chapter)
    lines = [
        sum(len(cell.source.splitlines()) for cell in notebook if cell.cell_type == "code")
        for notebook in (chapter.cells, derived.cells[:-1])
    ]
    assert lines[1] < lines[0] / 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_name_of_a_chapters_panels_is_undefined(path) -> None:
    cells = panel_notebook(read(path)).cells
    source = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select=F821", "-"]
    found = subprocess.run(ruff, input=source, capture_output=True, text=True, encoding="utf-8")
    assert found.returncode == 0, found.stdout
