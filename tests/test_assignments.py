"""What nbgrader gets and gives: each exercise is a cell that it marks, and no solution is in what the class gets.

Whether it marks rightly is tried with the exercises of chapter 01.
"""

import ast
import copy
import csv
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from notebook_parts import CHAPTERS, NOTEBOOKS, exercises, read

from tools.assignments import SETTINGS, assignment, main, release

pytest.importorskip("nbgrader", reason="`pip install nbgrader`, or make test")


def of(notebook, kind: str) -> list:
    """The cells that are a "solution", a "grade" or "locked" for nbgrader."""
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get(kind)]


def released(source):
    """The class's version, by nbgrader's own step that takes the solutions out, with our settings."""
    from nbgrader.preprocessors import ClearSolutions
    from traitlets.config import Config

    config = Config()
    exec(SETTINGS, {"get_config": lambda: config})
    return ClearSolutions(config=config).preprocess(copy.deepcopy(source), {})[0]


def body(source: str, name: str) -> str:
    """The statements of a function, without its docstring, and what stands before it."""
    before, function = [], None
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.FunctionDef) and statement.name == name:
            function = statement
            break
        before.append(statement)
    assert function is not None
    doc = ast.get_docstring(function) is not None
    return ast.unparse([*before, *function.body[doc:]])


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_exercise_is_marked_and_no_solution_is_given_away(path: Path) -> None:
    chapter = read(path)
    source = assignment(chapter)
    given = released(source)
    tasks = exercises(chapter)
    solved = [cell for cell in of(source, "solution") if cell.cell_type == "code"]
    asked = [cell for cell in of(given, "solution") if cell.cell_type == "code"]
    checks = [cell for cell in of(source, "grade") if cell.cell_type == "code"]
    assert len(solved) == len(asked) == len(checks) == len(tasks) >= 4
    text = "\n".join(cell.source for cell in given.cells)
    handed = "\n".join(c.source for c in given.cells if c.cell_type == "markdown" or "nbgrader" in c.metadata)
    assert "SOLUTION" not in text
    assert "What we found" not in text
    for task, full, empty, check in zip(tasks, solved, asked, checks, strict=True):
        name = full.metadata.nbgrader.grade_id
        assert empty.source == task.stub.rstrip()
        assert body(full.source, name) == body(task.solution, name)
        assert task.solution.partition(":\n")[2] not in handed
        assert check.metadata.nbgrader.locked
        assert check.metadata.nbgrader.points in (1, 2, 3)
        assert check.source.endswith("assert verdict.ok, verdict.message")
        assert ast.unparse(ast.parse(task.check).body[-1]) in check.source
    conclusions = [cell for cell in of(given, "grade") if cell.cell_type == "markdown"]
    assert [cell.metadata.nbgrader.points for cell in conclusions] == [1]
    names = [cell.metadata.nbgrader.grade_id for cell in source.cells if "nbgrader" in cell.metadata]
    assert len(names) == len(set(names))
    nbformat.validate(source)
    # What is no exercise is as it was, and all hints are there.
    assert [c.source for c in given.cells if c.cell_type == "code" and "nbgrader" not in c.metadata] == [
        c.source
        for c in chapter.cells
        if c.cell_type == "code" and not {"exercise", "check", "setup"} & {*c.metadata.get("tags", [])}
    ]
    assert text.count("<summary>Hint") == sum(cell.source.count("<summary>Hint") for cell in chapter.cells)
    assert not any(cell.get("outputs") for cell in source.cells)


def test_the_stars_are_the_points() -> None:
    checks = [cell for cell in of(assignment(read(NOTEBOOKS[2])), "grade") if cell.cell_type == "code"]
    assert [cell.metadata.nbgrader.points for cell in checks] == [1, 1, 2, 3, 3, 2]  # ★ ★ ★★ ★★★ ★★★ ★★


def test_an_exercise_without_a_solution_is_named() -> None:
    chapter = copy.deepcopy(read(NOTEBOOKS[1]))
    for cell in chapter.cells:
        cell.source = cell.source.replace("<summary>Solution</summary>", "")
    with pytest.raises(ValueError, match="no folded solution after the exercise 'How many multiplications"):
        assignment(chapter)


@pytest.mark.slow  # it takes as long as those: six kernels
def test_marks(tmp_path: Path) -> None:
    """A solved copy gets all points of its checks, an untouched one none, a half-solved one those that it earned."""
    name = "exercises"
    whole = assignment(read(NOTEBOOKS[1]))
    whole.cells = [cell for cell in whole.cells if "nbgrader" in cell.metadata]  # the chapter's own cells take a minute
    folder = tmp_path / "a course"
    (folder / "source" / name).mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(SETTINGS, encoding="utf-8")
    nbformat.write(whole, folder / "source" / name / f"{name}.ipynb")
    release(folder, [name])
    given = nbformat.read(folder / "release" / name / f"{name}.ipynb", 4)
    solutions = {cell.metadata.nbgrader.grade_id: cell.source for cell in of(whole, "solution")}

    def hand_in(student: str, answers: dict[str, str], first: str = "") -> None:
        copied = copy.deepcopy(given)
        for cell in of(copied, "solution"):
            cell.source = answers.get(cell.metadata.nbgrader.grade_id, cell.source)
        copied.cells.insert(0, nbformat.v4.new_code_cell(first))
        place = folder / "submitted" / student / name
        place.mkdir(parents=True)
        nbformat.write(copied, place / f"{name}.ipynb")

    tasks = [cell.metadata.nbgrader.grade_id for cell in of(whole, "solution") if cell.cell_type == "code"]
    only_code = {task: solutions[task] for task in tasks}
    warning = "\n    import warnings\n    warnings.warn('a mere warning')"
    warned = {task: text.replace("\n    ### BEGIN", f"{warning}\n    ### BEGIN") for task, text in only_code.items()}
    hand_in("solved", only_code)
    hand_in("untouched", {})
    hand_in("half", {task: only_code[task] for task in tasks[::2]})
    hand_in("stumbled", only_code, first="1 / 0")
    hand_in("warned", warned)
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    for command in (["autograde", name, "--create"], ["export"]):
        subprocess.run([sys.executable, "-m", "nbgrader", *command], cwd=folder, env=environment, check=True)
    with (folder / "grades.csv").open(encoding="utf-8") as file:
        marks = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    points = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in of(whole, "grade")}
    full, half = (sum(points[f"check-{task}"] for task in some) for some in (tasks, tasks[::2]))
    assert marks == {"solved": full, "untouched": 0, "half": half, "stumbled": full, "warned": full}


@pytest.mark.slow  # nbgrader makes its database
def test_the_command_keeps_what_is_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nbgrader_config.py").write_text(SETTINGS + "c.CourseDirectory.course_id = 'mine'\n")
    (tmp_path / "submitted").mkdir()
    monkeypatch.setattr(sys, "argv", ["assignments", "00", "17", "--folder", str(tmp_path)])
    main()
    assert sorted(path.name for path in (tmp_path / "release").iterdir()) == ["17_your_own_network"]
    assert "mine" in (tmp_path / "nbgrader_config.py").read_text()
    assert (tmp_path / "submitted").is_dir()
