"""How the tests read a notebook of the course: its text, its sections, its exercises."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.name != "00_start_here.ipynb"]  # what opens the course teaches nothing

SOLUTION = re.compile(
    r"<details>\s*<summary>[^<]*solution[^<]*</summary>.*?```python\n(?P<code>.*?)```.*?</details>", re.I | re.S
)


@dataclass(frozen=True)
class Exercise:
    """The parts of an exercise: the stub to fill in, the check's cell, and the code of the folded solution."""

    stub: str
    check: str
    solution: str


@cache
def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def headings(notebook: NotebookNode) -> list[str]:
    """The headings of every level, without their #."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.findall(r"^#+ +(.*?) *$", re.sub(r"```.*?```", "", text, flags=re.S), flags=re.M)


def exercises(notebook: NotebookNode) -> list[Exercise]:
    """The exercises in order; ValueError for one whose check or solution is missing or elsewhere."""
    found = []
    cells = notebook.cells
    for index, cell in enumerate(cells):
        if "exercise" not in cell.metadata.get("tags", []):
            continue
        rest = cells[index + 1 :]
        end = next((i for i, other in enumerate(rest) if "exercise" in other.metadata.get("tags", [])), len(rest))
        checks = [other.source for other in rest[:end] if "check" in other.metadata.get("tags", [])]
        solutions = [
            match["code"]
            for other in rest[:end]
            if other.cell_type == "markdown"
            for match in SOLUTION.finditer(other.source)
        ]
        if len(checks) != 1 or len(solutions) != 1:
            raise ValueError(
                f"the exercise that begins {cell.source[:40]!r} needs one cell tagged check (it has {len(checks)}) "
                f"and one folded solution in Python (it has {len(solutions)}) before the next exercise"
            )
        found.append(Exercise(cell.source, checks[0], solutions[0]))
    return found
