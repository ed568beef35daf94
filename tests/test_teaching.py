"""The page for teachers names chapters, sections and exercises that exist."""

import re

import pytest
from notebook_parts import NOTEBOOKS, exercises, headings, read

ROWS = re.findall(r"^\| \d+ \|.*$", (NOTEBOOKS[0].parents[1] / "TEACHING.md").read_text("utf-8"), re.MULTILINE)
CHAPTERS = {path.name[:2]: path for path in NOTEBOOKS}


def shown(row: str) -> list[tuple[str, int]]:
    """The sections that a row shows, as (chapter, number): "1 to 3; panel", or "01: 2, 3; 02: 3 to 5"."""
    chapters, sections = (row.split("|")[column] for column in (2, 3))
    found, chapter = [], chapters.split()[0].strip(",")
    for part in re.split(r"[,;]", sections):
        if other := re.match(r"\s*(\d\d):", part):
            chapter, part = other[1], part[other.end() :]
        if numbers := [int(number) for number in re.findall(r"\b\d+\b", part)]:
            found += [(chapter, number) for number in range(numbers[0], numbers[-1] + 1)]
    return found


@pytest.mark.parametrize("row", ROWS)
def test_sections_and_exercises_exist(row: str) -> None:
    for chapter, section in shown(row):
        assert any(heading.startswith(f"{section}. ") for heading in headings(read(CHAPTERS[chapter])))
    named = re.findall(r"\b(\d\d)\.(\d)\b", row)
    assert named
    assert all(1 <= int(number) <= len(exercises(read(CHAPTERS[chapter]))) for chapter, number in named)
    assert {chapter for chapter, _ in named} <= set(re.findall(r"\b\d\d\b", row.split("|")[2]))


def test_there_are_a_course_of_twelve_and_one_of_six_lectures() -> None:
    assert len(ROWS) == 12 + 6
