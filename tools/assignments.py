"""A course folder for nbgrader, with an assignment for each chapter: `python -m tools.assignments [01 02]`.

It lies in build/assignments, or in the folder that `--folder` names. In it, `source` holds the teacher's version with
the solutions, and `release` what the class gets. nbgrader marks each exercise by its check: a star is a point. An
experiment also asks for a conclusion in words, which the teacher marks: one point. What came back from the class, the
marks and the settings of a folder that is there already stay. TEACHING.md says how to hand out, collect and mark.
"""

import argparse
import ast
import os
import re
import sys
from pathlib import Path
from textwrap import indent

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from tools.run_notebooks import NOTEBOOKS, chosen
from tools.student_notebooks import student_notebook

FOLDER = Path("build/assignments")
SETTINGS = '''"""nbgrader's settings for the course. This file is written once: change it as you like."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "cnnlab"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.ClearSolutions.text_stub = "(Write here: what did you expect, what came out, what follows?)"
c.Execute.timeout = 300  # seconds for one cell; nbgrader's own 30 are too few on a busy machine
'''
HEADING = re.compile(r"^### \d+\. (?P<title>.*?) *\((?P<stars>★+), \d+ minutes\)", re.MULTILINE)
FOLDED = re.compile(
    r"<details>\s*<summary>[^<]*solution[^<]*</summary>\s*```python\n(?P<code>.*?)\n```(?P<text>.*?)</details>",
    re.IGNORECASE | re.DOTALL,
)
# A line of a warning is no failure, but nbgrader gives no point to a check that writes to stderr.
CHECK = """\
import contextlib, sys

with contextlib.redirect_stderr(sys.stdout):
    verdict = {check}
print(verdict)
assert verdict.ok, verdict.message"""
CONCLUSION = "**Your conclusion** (1 point):\n\n### BEGIN SOLUTION\n{found}\n### END SOLUTION"


def assignment(chapter: NotebookNode) -> NotebookNode:
    """The teacher's version of a chapter: nbgrader takes the solutions out of it, and marks what comes back.

    The rest of the chapter is the same, without outputs; the cells that all exercises need are read-only.
    """
    copy = student_notebook(chapter)
    cells, copy.cells = copy.cells, []
    for index, cell in enumerate(cells):
        copy.cells.append(cell)
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags:
            heading = HEADING.findall(_text(chapter.cells[:index]))[-1]
            solutions = FOLDED.findall(_text(chapter.cells[index:]))
            if not solutions:
                raise ValueError(f"no folded solution after the exercise {heading[0]!r}")
            code, found = solutions[0]
            name, cell.source, rest = _solved(cell.source, code)
            cell.metadata.nbgrader = _marked(name, solution=True)
        elif "check" in tags:
            *before, check = ast.parse(cell.source).body
            cell.source = "\n".join([*map(ast.unparse, before), CHECK.format(check=ast.unparse(check))])
            cell.metadata.nbgrader = _marked(f"check-{name}", grade=True, locked=True, points=len(heading[1]))
            if heading[0].startswith("Experiment"):
                found = f"```python\n{rest}\n```\n\n{found.strip()}" if rest else found.strip()
                asked = new_markdown_cell(CONCLUSION.format(found=found), id=f"conclusion-{name}"[:64])
                asked.metadata.nbgrader = _marked(f"conclusion-{name}", grade=True, solution=True, points=1)
                copy.cells.append(asked)
        elif "setup" in tags:
            cell.metadata.nbgrader = _marked(f"setup-{index}", locked=True)
    return copy


def _text(cells: list[NotebookNode]) -> str:
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def _solved(stub: str, solution: str) -> tuple[str, str, str]:
    """The name of the exercise's function, its cell with the solution in the place of the stub's last line, the rest.

    What stands before the function in the solution goes into it; the rest is what comes after it.
    """
    [empty] = ast.parse(stub).body
    statements, lines = ast.parse(solution).body, solution.splitlines()
    if not isinstance(empty, ast.FunctionDef):
        raise ValueError(f"an exercise asks for one function; got {stub!r}")
    full = next(s for s in statements if isinstance(s, ast.FunctionDef) and s.name == empty.name)
    head = stub.splitlines()[: empty.body[-1].lineno - 1]
    first = full.body[0].lineno - 1
    while lines[first - 1].lstrip().startswith("#"):
        first -= 1
    before = indent("\n".join(lines[: full.lineno - 1]).strip(), "    ")
    body = [before] * bool(before) + lines[first : full.end_lineno]
    cell = [*head, "    ### BEGIN SOLUTION", *body, "    ### END SOLUTION"]
    return empty.name, "\n".join(cell), "\n".join(lines[full.end_lineno :]).strip()


def _marked(name: str, grade: bool = False, solution: bool = False, locked: bool = False, points: int = 0) -> dict:
    """What nbgrader wants to know of a cell, in the form of its version 3."""
    found = {"grade_id": name, "grade": grade, "solution": solution, "locked": locked, "task": False}
    return found | {"schema_version": 3} | ({"points": points} if grade else {})


def release(folder: Path, names: list[str]) -> None:
    """Let nbgrader write the class's version of each assignment of a course folder.

    Raises RuntimeError with nbgrader's own words if it refuses.
    """
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it calls alembic
    config = Config(PyFileConfigLoader("nbgrader_config.py", str(folder)).load_config())
    config.CourseDirectory.root = str(folder)
    for name in names:
        answer = NbGraderAPI(config=config).generate_assignment(name, force=True, create=True)
        if not answer["success"]:
            raise RuntimeError(f"nbgrader does not release {name}:\n{answer.get('log') or answer.get('error')}")


def main() -> None:
    """Write the course folder for the chapters that the command line names, or for all."""
    parser = argparse.ArgumentParser(prog="python -m tools.assignments", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="the numbers of chapters; without any, all of them")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"the course folder, instead of {FOLDER}")
    options = parser.parse_args()
    folder, names = options.folder.resolve(), []
    if folder.exists() and not folder.is_dir():
        parser.error(f"--folder must be a folder; {options.folder} is a file")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "nbgrader_config.py").exists():
        (folder / "nbgrader_config.py").write_text(SETTINGS, encoding="utf-8")
    for path in chosen(options.chapters):
        made = assignment(nbformat.read(path, as_version=4))
        points = [cell.metadata.nbgrader.get("points", 0) for cell in made.cells if "nbgrader" in cell.metadata]
        if not any(points):
            continue  # chapter 00 has no exercises
        names.append(path.stem)
        source = folder / "source" / path.stem
        source.mkdir(parents=True, exist_ok=True)
        nbformat.write(made, source / path.name)
        (source / "GLOSSARY.md").write_bytes((NOTEBOOKS / "GLOSSARY.md").read_bytes())  # the text links to it
        print(f"{path.stem}: {sum(points)} points")
    release(folder, names)
    print(f"the class gets {options.folder / 'release'}; the solutions are in {options.folder / 'source'}")


if __name__ == "__main__":
    main()
