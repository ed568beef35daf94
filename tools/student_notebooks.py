"""Copies of the chapters without outputs and solutions, for a class: `python -m tools.student_notebooks [04 05]`.

They lie in build/student. The stubs, the checks and the hints of the exercises stay.
"""

import re
import sys
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.run_notebooks import chosen

FOLDER = Path("build/student")
SOLUTION = re.compile(r"\s*<details>\s*<summary>[^<]*solution[^<]*</summary>.*?</details>", re.IGNORECASE | re.DOTALL)


def student_notebook(chapter: NotebookNode) -> NotebookNode:
    """The chapter without outputs, without numbers of runs, and without the folded solutions."""
    copy = deepcopy(chapter)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = SOLUTION.sub("", cell.source)
    return copy


def main() -> None:
    """Write the copies of the chapters that the command line names, or of all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in chosen(sys.argv[1:]):
        nbformat.write(student_notebook(nbformat.read(path, as_version=4)), FOLDER / path.name)
        print(FOLDER / path.name)


if __name__ == "__main__":
    main()
