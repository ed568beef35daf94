"""The glossary: each term is in the chapter that it points to, once, in order, with a Chinese word."""

import re

from notebook_parts import NOTEBOOKS, read

ROOT = NOTEBOOKS[0].parents[1]
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| \[(\d\d)\]\(notebooks/([^)]+)\) \|$", re.MULTILINE)


def test_every_term_is_taught_where_the_glossary_says() -> None:
    table = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    rows = ROW.findall(table)
    assert len(rows) == table.count("\n| ") - 1  # every row has this form; one line is the header
    assert len(rows) >= 100
    terms = [term.lower() for term, *_ in rows]
    assert terms == sorted(set(terms))
    texts = {path.name: "\n".join(cell.source for cell in read(path).cells).lower() for path in NOTEBOOKS}
    wrong = [
        term
        for term, chinese, meaning, number, name in rows
        if term.lower() not in texts[name]
        or not name.startswith(number)
        or not re.search("[\u4e00-\u9fff]", chinese)
        or meaning[0].isspace()
    ]
    assert not wrong
