"""What is handed to a class: no outputs and no solutions; all exercises, checks and hints."""

import pytest
from notebook_parts import NOTEBOOKS, SOLUTION, exercises, read

from tools.student_notebooks import student_notebook


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_students_copy_has_the_exercises_and_not_their_solutions(path) -> None:
    chapter = read(path)
    before = [(cell.id, cell.source) for cell in chapter.cells]
    copy = student_notebook(chapter)
    texts = [cell.source for cell in copy.cells if cell.cell_type == "markdown"]
    code = [cell.source for cell in copy.cells if cell.cell_type == "code"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in copy.cells)
    assert not any(SOLUTION.search(text) for text in texts)
    assert code == [cell.source for cell in chapter.cells if cell.cell_type == "code"]
    for exercise in exercises(chapter):
        assert exercise.stub in code
        assert exercise.check in code
        first_line = max(exercise.solution.splitlines(), key=len).strip()
        assert not any(first_line in text for text in texts)
    hints = [sum(cell.source.count("<summary>Hint") for cell in notebook.cells) for notebook in (chapter, copy)]
    assert hints[0] == hints[1]
    assert hints[0] or not exercises(chapter)
    assert before == [(cell.id, cell.source) for cell in chapter.cells]  # the chapter itself is not touched
