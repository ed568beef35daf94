"""The glossary: each term once, in order, with a Chinese word; the chapter that teaches it links to it."""

import re

from notebook_parts import NOTEBOOKS, read

ROW = re.compile(
    r'^\| <a id="([a-z0-9-]+)"></a>([^|]+) \| ([^|]+) \| ([^|]+) \| \[(\d\d)\]\(([^)]+)\) \|$', re.MULTILINE
)
TABLE = (NOTEBOOKS[0].parent / "GLOSSARY.md").read_text(encoding="utf-8")
ROWS = ROW.findall(TABLE)
TEXTS = {path.name: "\n".join(c.source for c in read(path).cells if c.cell_type == "markdown") for path in NOTEBOOKS}


def test_every_term_has_a_chinese_word_and_a_meaning() -> None:
    assert len(ROWS) == TABLE.count("\n| ") - 1  # every row has this form; one line is the header
    assert len(ROWS) >= 100
    terms = [term.lower() for _, term, *_ in ROWS]
    assert terms == sorted(set(terms))
    assert all(anchor == re.sub("[^a-z0-9]+", "-", term.lower()).strip("-") for anchor, term, *_ in ROWS)
    assert all(re.search("[\u4e00-\u9fff]", chinese) for _, _, chinese, *_ in ROWS)
    assert all(name.startswith(number) for *_, number, name in ROWS)


def test_every_term_is_linked_where_its_chapter_first_uses_it() -> None:
    missing = [(term, name) for anchor, term, *_, name in ROWS if TEXTS[name].count(f"(GLOSSARY.md#{anchor})") != 1]
    assert not missing


def test_no_chapter_links_to_a_term_that_is_not_there() -> None:
    anchors = {anchor for anchor, *_ in ROWS}
    linked = {anchor for text in TEXTS.values() for anchor in re.findall(r"GLOSSARY\.md#([^)]*)\)", text)}
    assert linked <= anchors
