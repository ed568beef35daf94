"""LEDGER.md says what the notebooks' outputs say, and every row of theirs is a measurement."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from notebook_parts import CHAPTERS, code_cells, read

from cnnlab.teaching.claims import Claims
from tools.make_ledger import LEDGER, counts, ledger, rows

ROOT = Path(__file__).parent.parent


def row_calls(path: Path) -> list[dict[str, ast.expr]]:
    """The keyword arguments of each call of `claims.row` in a notebook."""
    trees = [ast.parse(cell.source) for cell in code_cells(read(path))]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    calls = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "row"]
    return [{keyword.arg or "": keyword.value for keyword in call.keywords} for call in calls]


def test_the_ledger_is_up_to_date() -> None:
    assert LEDGER.read_text(encoding="utf-8") == ledger(), "LEDGER.md is stale: make ledger"


def test_the_readme_counts_the_outcomes() -> None:
    found = [row for path in CHAPTERS for row in rows(read(path))]
    assert counts(found) in (ROOT / "README.md").read_text(encoding="utf-8").replace("\n", " ")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_saves_its_claims_as_data(path: Path) -> None:
    found = rows(read(path))
    assert len(found) >= len(row_calls(path)) > 0
    for row in found:
        assert row["holds"] is None or (row["criterion"] and row["control"])


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_what_was_measured_is_no_constant(path: Path) -> None:
    for call in row_calls(path):
        if isinstance(call["holds"], ast.Constant):
            assert call["holds"].value is None, "an outcome is measured"
            continue
        for name in ("holds", "measured"):
            assert any(isinstance(node, ast.Name) for node in ast.walk(call[name])), f"{name} is a constant"


def claimed() -> nbformat.NotebookNode:
    claims = Claims()
    claims.row(
        "A1", "a | b", source="ours", criterion="more than 2", measured="3", n="4 nets", control="chance: 1", holds=True
    )
    claims.row("A2", "not yet", source="notes", holds=None, reason="a larger net")
    cell = new_code_cell(
        'claims.row("A1", "a | b")', outputs=[new_output("execute_result", claims._repr_mimebundle_())]
    )
    other = new_code_cell('claims.row(\n    "A2", "not "\n    "yet", holds=None)')
    return new_notebook(cells=[cell, other])


def test_the_ledger_holds_criterion_numbers_control_outcome_and_the_cell(tmp_path: Path) -> None:
    notebook = claimed()
    nbformat.write(notebook, tmp_path / "01_x.ipynb")
    text = ledger(tmp_path)
    where = f"[01](01_x.ipynb#cell-id={notebook.cells[0]['id']})"
    assert f"| A1 | a \\| b | ours | more than 2 | 3 | 4 nets | chance: 1 | holds | {where} |" in text
    assert f"not tested: a larger net | [01](01_x.ipynb#cell-id={notebook.cells[1]['id']}) |" in text
    assert "Of 2 claims 1 hold, 0 do not hold, and 1 are not tested." in text
