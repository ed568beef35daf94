"""notebooks/CHAPTERS.md says each chapter's title, question and aims as the chapter does, and all of it in Chinese."""

import re

import pytest
from notebook_parts import NOTEBOOKS, read

PAGE = (NOTEBOOKS[0].parent / "CHAPTERS.md").read_text(encoding="utf-8")
PARTS = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
START = next(cell.source for cell in read(NOTEBOOKS[0]).cells if cell.id == "list-of-chapters")
CHINESE = re.compile("[\u4e00-\u9fff]")
AIM = re.compile(r"^(?:\d\.|-) (.+(?:\n {0,3}(?!\d\.|-|\*Time)\S.*)*)", re.MULTILINE)


def test_every_chapter_has_its_part() -> None:
    assert [re.match(r"\[.*\]\((.*)\)", part)[1] for part in PARTS] == [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize(
    ("part", "path"), list(zip(PARTS, NOTEBOOKS, strict=True)), ids=lambda x: getattr(x, "stem", "")
)
def test_a_part_says_what_the_chapter_says(part: str, path) -> None:
    first = re.sub(r"\[([^]]*)\]\(GLOSSARY[^)]*\)", r"\1", read(path).cells[0].source)
    title = first.splitlines()[0].removeprefix("# ").removeprefix(f"{path.name[:2]} · ")
    assert part.startswith(f"[{path.name[:2]} · {title}](")
    aims = [" ".join(aim.split()) for aim in AIM.findall(first) if not aim.startswith("*Time")]
    pairs = re.findall(r"^\d\. (.*)<br>(.*)$", part, re.MULTILINE)
    assert [english for english, _ in pairs] == aims
    assert all(CHINESE.search(chinese) for _, chinese in pairs)


@pytest.mark.parametrize("part", PARTS[1:], ids=lambda part: part[1:3])
def test_the_start_page_has_title_and_question_in_both_languages(part: str) -> None:
    chinese_title, english, chinese = re.findall(r"^\*+([^*\n]+)\*+$", part, re.MULTILINE)
    assert CHINESE.search(chinese)
    assert CHINESE.search(chinese_title)
    number = part[1:3]
    assert re.search(
        rf"^\| \[{number} [^|]*<br>{re.escape(chinese_title)} \| {re.escape(english)}<br>{re.escape(chinese)} \|",
        START,
        re.MULTILINE,
    )
