"""The notebook of a chapter's panels: it holds what they need, and no more."""

import ast

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_parts import NOTEBOOKS, read

from tools.panel_notebooks import needed, panel_notebook


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
        new_markdown_cell("# 99 · A chapter\n\nA question."),
        new_code_cell("import torch"),
        new_code_cell("slow = torch.rand(9)\nside = 2  # pixels\nslow.sum()"),
        new_markdown_cell("## Before"),
        new_markdown_cell("## Play"),
        new_markdown_cell("What happens?"),
        new_code_cell("Panel(side)"),
        new_code_cell("panel = Panel(torch)\npanel"),
        new_code_cell("after = 1"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    found = panel_notebook(nbformat.from_dict(new_notebook(cells=cells, metadata=kernel)))
    assert [cell.source for cell in found.cells] == [
        "# 99 · A chapter", "import torch", "side = 2  # pixels",
        "## Play", "What happens?", "Panel(side)", "panel = Panel(torch)\npanel",
    ]  # fmt: skip


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapters_panels_need_less_than_half_of_it(path) -> None:
    chapter = read(path)
    derived = panel_notebook(chapter)
    lines = [
        sum(len(cell.source.splitlines()) for cell in notebook.cells if cell.cell_type == "code")
        for notebook in (chapter, derived)
    ]
    assert lines[1] < lines[0] / 2
