"""The decks' HTML, of a small notebook; tests/browser/test_slides.py looks at the pages that a browser makes of it."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cnnlab.teaching.claims import MIME
from tools import make_slides
from tools.make_slides import deck, slides

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
COVER = '<img src="data:image/png;base64," alt="a dot">'
FIRST = "# 99 · Dots\n\n**The question.** What is a dot?\n\nAfter this chapter you can\n\n1. see a dot."
ROW = {
    "id": "A1", "claim": "Dots < lines", "criterion": "always", "measured": "9 of 9", "holds": False,
    "source": "ours", "n": "9 dots", "control": "no dot", "reason": "", "expected": True,
}  # fmt: skip


def cell(make, source, kind="-", outputs=(), **metadata):
    made = make(source, metadata={"slideshow": {"slide_type": kind}, **metadata})
    if outputs:
        made.outputs = list(outputs)
    return made


def shown(data):
    return new_output("display_data", data)


@pytest.fixture
def chapter():
    picture, claims = shown({"image/png": DOT + "\n", "text/plain": "<Figure>"}), shown({MIME: [ROW], "text/html": "x"})
    panel = shown({"text/html": '<div class="cnnlab-asleep"><b>Dot it</b> An interactive panel, size: it works.</div>'})
    return new_notebook(
        cells=[
            cell(new_markdown_cell, FIRST, "slide", notes="1 min. Ask for *dots*."),
            cell(new_code_cell, "import secret", "skip"),
            cell(new_markdown_cell, "## One\n\nA [dot](GLOSSARY.md#dot), $a < b$, [it](https://example.org).", "slide"),
            cell(new_markdown_cell, "**Predict:** how many?\n\n$$a < b$$"),
            cell(new_code_cell, "show(dot)", "fragment", [picture], alt='A "dot"'),
            cell(new_markdown_cell, "**What to see.** A dot."),
            cell(new_markdown_cell, "Say this.", "notes"),
            cell(new_code_cell, "print('<dot>')", "subslide", [new_output("stream", name="stdout", text="<dot>\n\n")]),
            cell(new_code_cell, "Panel(dot)", "-", [panel]),
            cell(new_markdown_cell, "<details><summary>What to find</summary>\n\nThe **end**.\n\n</details>"),
            cell(new_code_cell, "claims", "slide", [claims]),
        ]
    )


def test_the_slide_types_say_what_begins_a_slide(chapter) -> None:
    found = slides(chapter)
    assert [slide.begins_stack for slide in found] == [True, True, False, True]
    kinds = [[part.kind for part in slide.parts] for slide in found]
    assert kinds == [["text"], ["text", "text", "code", "figure", "words"], ["code", "printed", "code", "play"],
                     ["code", "table"]]  # fmt: skip
    assert "secret" not in deck(chapter, COVER)


def test_the_answer_to_a_prediction_comes_a_step_later_with_its_words(chapter) -> None:
    assert [(part.kind, part.step) for part in slides(chapter)[1].parts] == [
        ("text", 0), ("text", 0), ("code", 1), ("figure", 1), ("words", 1)
    ]  # fmt: skip


def test_notes_and_what_is_folded_are_for_the_speaker(chapter) -> None:
    first, second, third, last = slides(chapter)
    assert first.notes == ["1 min. Ask for *dots*."]
    assert second.notes == ["Say this."]
    assert third.notes == ["**What to find.** The **end**."]
    assert not last.notes
    text = deck(chapter, COVER)
    notes = re.findall(r'<aside class="notes">(.*?)</aside>', text, re.S)
    assert "<em>dots</em>" in notes[0] == notes[1]  # the title and the aims are one slide of the notebook
    assert "What to find" not in re.sub(r"<aside.*?</aside>", "", text, flags=re.S)


def test_the_title_has_the_question_and_the_picture(chapter) -> None:
    title, aims = make_slides.title_slides(slides(chapter)[0], COVER)
    assert COVER in title.parts[0].html
    assert "What is a dot?" in title.parts[0].html
    assert "see a dot" not in title.parts[0].html
    assert "<h2>After this chapter you can</h2>" in aims.parts[0].html
    assert "<title>99 · Dots</title>" in deck(chapter, COVER)


def test_pictures_have_their_alternative_texts(chapter) -> None:
    assert f'<img src="data:image/png;base64,{DOT}" alt="A &quot;dot&quot;">' in deck(chapter, COVER)


def test_formulas_printed_text_and_claims_are_escaped(chapter) -> None:
    text = deck(chapter, COVER)
    assert "$a &lt; b$" in text
    assert '<p class="formula">$$a &lt; b$$</p>' in text
    assert "<pre>&lt;dot&gt;</pre>" in text
    assert "Dots &lt; lines" in text
    assert make_slides.OUTCOMES[False] in text
    assert "Dot it" in text


def test_a_deck_loads_only_its_own_files(chapter) -> None:
    text = deck(chapter, COVER)
    loaded = re.findall(r'(?:src|<link [^>]*href)="([^"]*)"', text)
    assert {address for address in loaded if not address.startswith("data:")} == {
        f"assets/{name.split('/')[-1]}" for name in (*make_slides.ASSETS, "deck.css", "deck.js")
    }
    assert "GLOSSARY" not in text  # it does not lie beside the decks
    assert '<a href="https://example.org">it</a>' in text


def test_the_index_lists_decks_and_pdfs(tmp_path) -> None:
    for name in ("04_two", "03_one"):
        (tmp_path / f"{name}.html").write_text(f"<title>{name[3:]}</title>")
    (tmp_path / "04_two.pdf").touch()
    text = make_slides.index(tmp_path)
    assert re.findall(r'href="(0[^"]*)"', text) == ["03_one.html", "04_two.html", "04_two.pdf"]
    assert ">one</a>" in text
