"""The pages of the site before Sphinx sees them: pictures, folds, anchors, links, the ledger, the front page."""

import base64
import io
import json
import re
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_parts import NOTEBOOKS, read
from PIL import Image

from cnnlab.teaching.claims import MIME, PARTS
from tools.site.__main__ import entries, weights
from tools.site.chapters import Title, read_titles, stage_chapter
from tools.site.front import Tile, cut, front_page
from tools.site.ledger import TEXTS, ledger_page
from tools.site.links import PAGES, read_terms, relink

ROOT = Path(__file__).parent.parent
TITLE = Title("07 · Cats", "猫", "What is a cat?", "什么是猫？")
GLOSSARY = """
| term | 中文 | what it means | chapter |
|---|---|---|---|
| <a id="feature-map"></a>feature map | 特征图 | the outputs of *one* channel, "as they are" | [01](01_x.ipynb) |
"""
ROW = {
    "id": "A1", "claim": "a < b", "source": "ours", "criterion": "always", "measured": "1 & 2", "n": "2",
    "control": "0", "holds": False, "reason": "no", "expected": False,
}  # fmt: skip


def image_data(kind: str, frames: int = 1) -> dict[str, str]:
    """An output's data: a picture of 40 x 30 pixels."""
    images = [Image.effect_noise((40, 30), 10 + 40 * n).convert("RGB") for n in range(frames)]
    buffer = io.BytesIO()
    more = {"save_all": True, "append_images": images[1:]} if frames > 1 else {}
    images[0].save(buffer, kind, **more)
    return {f"image/{kind}": base64.b64encode(buffer.getvalue()).decode(), "text/plain": "<Figure>"}


def code(id: str, source: str, *outputs: dict, tags: tuple[str, ...] = (), slide: str = "-", **more) -> NotebookNode:
    """A code cell with outputs of these data."""
    metadata = {"tags": list(tags), "slideshow": {"slide_type": slide}, **more}
    shown = [new_output("execute_result", data, execution_count=1) for data in outputs]
    return new_code_cell(source, id=id, outputs=shown, metadata=metadata)


@pytest.fixture
def staged(tmp_path: Path) -> NotebookNode:
    panel = {
        "text/html": '<div class="cnnlab-asleep"><b>Draw</b> An interactive panel, pen, own_style: it works.</div>'
    }
    chapter = new_notebook(
        cells=[
            new_markdown_cell("# 07 · Cats\n\nWhat is a cat?"),
            code("imports", "import cnnlab", tags=("setup",)),
            code("helper", "net = 1", slide="skip"),
            new_markdown_cell("## 1. Seeing"),
            code("film", "show()", image_data("webp", 3), alt='A cat that says "miau"'),
            code("two", "show(); show()", image_data("png"), image_data("jpeg"), alt=["a cat", "a dog"]),
            code("bare", "show()", image_data("gif")),
            code("panel", "Panel()", panel),
            code("row-1", 'claims.row("A1")', slide="skip"),
            code("row-2", 'claims.row("A2")', slide="skip"),
            code("table", "claims", {"text/html": "<table><tr><td>A1</td></tr></table>", MIME: "[]"}),
            code("stub", "def f(): raise NotImplementedError", tags=("exercise",), slide="skip"),
            code("check", "check(f)", {"text/plain": "not solved"}, tags=("check",), slide="skip"),
        ]
    )
    before = json.dumps(chapter)
    result = stage_chapter(chapter, "07_cats", TITLE, {"row-1", "row-2"}, tmp_path)
    assert json.dumps(chapter) == before  # the notebook itself is not touched
    return result


def by_id(chapter: NotebookNode, id: str) -> NotebookNode:
    return next(cell for cell in chapter.cells if cell.id == id)


def html(chapter: NotebookNode, id: str) -> str:
    return "".join(output.data.get("text/html", "") for output in by_id(chapter, id).outputs)


def test_pictures_become_files_with_alt_texts_and_movies_stay_movies(staged, tmp_path) -> None:
    assert 'alt="A cat that says &quot;miau&quot;"' in html(staged, "film")
    assert 'width="40" height="30"' in html(staged, "film")
    with Image.open(tmp_path / "07-film.webp") as film:
        assert film.n_frames == 3
    assert re.findall('alt="([^"]*)"', html(staged, "two")) == ["a cat", "a dog"]
    assert re.findall('alt="([^"]*)"', html(staged, "bare")) == ["A figure of the section: 1. Seeing"]
    names = re.findall(r'src="pictures/([^"]*)"', "".join(html(staged, id) for id in ("film", "two", "bare")))
    assert sorted(names) == sorted(file.name for file in tmp_path.iterdir())
    assert not any("image/" in str(output.keys()) for cell in staged.cells for output in cell.get("outputs", []))


def test_png_becomes_webp_without_loss(tmp_path) -> None:
    data = image_data("png")
    chapter = new_notebook(cells=[new_markdown_cell("# 07 · Cats"), code("one", "show()", data)])
    stage_chapter(chapter, "07_cats", TITLE, set(), tmp_path)
    with (
        Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as before,
        Image.open(tmp_path / "07-one.webp") as now,
    ):
        assert now.convert("RGB").tobytes() == before.convert("RGB").tobytes()


def test_a_wrong_number_of_alt_texts_is_an_error(tmp_path) -> None:
    chapter = new_notebook(cells=[code("two", "show()", image_data("png"), alt=["a cat", "a dog"])])
    with pytest.raises(ValueError, match="cell two of 07_cats has 1 pictures and 2 alt texts"):
        stage_chapter(chapter, "07_cats", TITLE, set(), tmp_path)


def test_code_that_a_reader_can_do_without_is_folded_and_exercises_are_not(staged) -> None:
    folded = [cell.id for cell in staged.cells if "hide-input" in cell.metadata.get("tags", [])]
    assert folded == ["imports", "panel", "row-1"]
    assert by_id(staged, "imports").source == "import cnnlab\n\n\nnet = 1"
    assert by_id(staged, "row-1").source.endswith("\n\n\nclaims")  # the rows and their table are one fold
    assert "claims-table" in html(staged, "row-1")
    assert by_id(staged, "check").outputs[0].data["text/plain"] == "not solved"


def test_cells_that_the_ledger_links_to_have_anchors_before_their_fold(staged) -> None:
    sources = [cell.source for cell in staged.cells]
    place = next(i for i, cell in enumerate(staged.cells) if cell.id == "row-1")
    assert ['id="cell-row-1"' in source for source in sources].index(True) == place - 2
    assert ['id="cell-row-2"' in source for source in sources].index(True) == place - 1


def test_a_panel_becomes_a_note(staged) -> None:
    assert "Here is a panel: Draw" in html(staged, "panel")
    assert "pen, own style" in html(staged, "panel")
    assert 'href="about.html"' in html(staged, "panel")


def test_the_title_stands_in_both_languages(staged) -> None:
    assert staged.cells[0].source.splitlines()[:3] == ["# 07 · Cats", "", '<p class="chinese-title" lang="zh">猫</p>']


def test_links_lead_to_pages_of_the_site_or_are_dropped() -> None:
    text = (
        "A **[map](GLOSSARY.md#feature-map)**, [all](LEDGER.md), [next](08_x.ipynb), [tests](../tests), "
        "[out](https://a.b), `x[0](y)`, ![a cat](cat.jpg)\n```python\nx[0](y)\n```\n[`code`](TEACHING.md)"
    )
    linked = relink(text, "notebooks/07_cats.ipynb", read_terms(GLOSSARY), lambda path: f"images/{path}")
    title = "特征图: the outputs of one channel, &quot;as they are&quot;"
    assert f'**<a class="term" href="glossary.html#feature-map" title="{title}">map</a>**' in linked
    assert "[all](ledger.md), [next](08_x.ipynb), tests, [out](https://a.b), `x[0](y)`" in linked
    assert "![a cat](images/notebooks/cat.jpg)" in linked
    assert "\nx[0](y)\n" in linked
    assert linked.endswith("`code`")  # notebooks/TEACHING.md is no page; TEACHING.md is
    assert relink("[t](TEACHING.md)", "README.md", {}, str) == "[t](teaching.md)"
    with pytest.raises(
        ValueError, match=r"notebooks/07_cats.ipynb links to the term 'cat', which is not in .*GLOSSARY.md"
    ):
        relink("[cat](GLOSSARY.md#cat)", "notebooks/07_cats.ipynb", {}, str)


def test_the_course_has_what_the_site_needs() -> None:
    texts = {page: (ROOT / path).read_text(encoding="utf-8") for page, path in PAGES.items()}
    titles = read_titles(texts["chapters"])
    assert list(titles) == [path.name for path in NOTEBOOKS]
    assert all(re.search("[一-鿿]", title.chinese + title.chinese_question) for title in titles.values())
    assert entries(titles).splitlines()[4] == "04 What neurons see <04_what_neurons_see>"
    assert len(read_terms(texts["glossary"])) == texts["glossary"].count("<a id=")
    assert set(TEXTS) == set(PARTS)


def test_the_ledger_has_a_block_for_each_claim() -> None:
    page = ledger_page(
        [("07_cats", ROW | {"cell": "row-1"}), ("08_dogs", ROW | {"cell": "x", "id": "B2", "holds": None})]
    )
    assert page.count("<article") == page.count("</article>") == 2
    assert 'data-outcome="does not hold"' in page
    assert 'href="07_cats.html#cell-row-1"' in page
    assert "a &lt; b" in page
    assert "1 &amp; 2" in page
    assert "## A ·" in page
    assert "## B ·" in page
    assert ">1 do not hold</button>" in page


def test_the_front_page_shows_a_picture_of_each_chapter(tmp_path) -> None:
    chapters = {path.stem: read(path) for path in NOTEBOOKS}
    page = front_page(chapters, {path.name: TITLE for path in NOTEBOOKS}, "Of 2 claims 1 holds.", tmp_path)
    alts = re.findall(r'<img [^>]*alt="([^"]*)"', page)
    assert len(alts) == len(set(alts)) == len(list(tmp_path.iterdir())) == 1 + len(NOTEBOOKS)
    assert all(f'href="{path.stem}.html"' in page for path in NOTEBOOKS)
    assert "Of 2 claims 1 holds." in page
    for file in tmp_path.iterdir():
        with Image.open(file) as image:
            assert min(image.size) >= 180, file.name
            assert max(image.size) / min(image.size) < 1.05 or file.name == "front-poster.jpg"


def test_the_front_page_names_a_picture_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="wants the picture of cell 'nowhere', which shows none"):
        cut(new_notebook(), Tile("nowhere", (0, 0, 1, 1), ""))
    chapter = new_notebook(cells=[code("one", "show()", image_data("png"))])
    with pytest.raises(
        ValueError, match=r"the rectangle \(0, 0, 41, 30\) of the front page leaves the picture of cell 'one'"
    ):
        cut(chapter, Tile("one", (0, 0, 41, 30), ""))


def test_weights_count_a_page_and_its_pictures_once(tmp_path) -> None:
    (tmp_path / "a.html").write_text('<img class="x" src="p.png"><img src="p.png"><img src="data:image/gif;base64,">')
    (tmp_path / "p.png").write_bytes(b"x" * 1000)
    assert weights(tmp_path) == {"a.html": (tmp_path / "a.html").stat().st_size + 1000}
