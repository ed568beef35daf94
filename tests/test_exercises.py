"""Every exercise's check refuses the empty stub, and accepts the solution that the notebook folds away.

CONTRIBUTING.md says how a notebook is written for this.
"""

import ast
from pathlib import Path

import matplotlib
import pytest
from notebook_parts import CHAPTERS, exercises, read, tagged

from cnnlab.teaching.checks import Check


def verdict_of(source: str, namespace: dict) -> Check:
    """Run a check's cell; the value of its last line, which must be a `Check`."""
    *before, last = ast.parse(source).body
    assert isinstance(last, ast.Expr), f"the last line is no expression:\n{source}"
    exec(compile(ast.Module(before, []), "check", "exec"), namespace)
    result = eval(compile(ast.Expression(last.value), "check", "eval"), namespace)
    assert isinstance(result, Check), f"{source}\nanswers {result!r}, not a Check"
    return result


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_stub_is_refused_and_the_solution_accepted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib.use("agg")
    monkeypatch.chdir(path.parent)
    notebook = read(path)
    namespace: dict = {"__name__": "__main__"}
    for cell in tagged(notebook, "setup"):
        exec(compile(cell.source, "setup", "exec"), namespace)
    for number, exercise in enumerate(exercises(notebook), start=1):
        exec(compile(exercise.stub, "stub", "exec"), namespace)
        stub = verdict_of(exercise.check, namespace)
        assert not stub.ok, f"exercise {number}: the check accepts the empty stub"
        assert "not solved" in stub.message, f"exercise {number}: the check says of the empty stub: {stub.message}"
        exec(compile(exercise.solution, "solution", "exec"), namespace)
        solved = verdict_of(exercise.check, namespace)
        assert solved.ok, f"exercise {number}: the check refuses the solution: {solved.message}"
