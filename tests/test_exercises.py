"""Every exercise: its check refuses the empty stub, and accepts the solution that the notebook folds away.

How a notebook is written for this (the parts are cells with tags, and one folded text):

    code, tag `setup`      imports, and what the exercises build on: run first, in order, before all exercises
    code, tag `exercise`   the stub:   def gram(activations): raise NotImplementedError
    code, tag `check`      its last line is the check's answer:   checks.check_gram(gram)
    markdown               <details><summary>Solution</summary> ```python ... ``` </details>

The code runs here in one namespace and without a kernel, in the notebooks' folder; a later exercise may use the
solution of an earlier one. `checks.Check` says whether an answer is right.
"""

import ast
from pathlib import Path

import matplotlib
import pytest
from notebook_parts import CHAPTERS, exercises, read, tagged

from cnnlab.checks import Check


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
