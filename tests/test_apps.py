"""The panels as pages: the list of all, and nets that are trained once."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_parts import NOTEBOOKS, read

from tools import make_apps
from tools.kept_nets import with_kept_nets
from tools.make_apps import build
from tools.site.front import TILES, cut

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
TRAINS = [
    "import torch\nfrom pathlib import Path",
    "def fit(net, count):\n    net.weight.data += count\n    Path('trained').open('a').write('x')\n"
    "    class Run:\n        def finish(self):\n            pass\n    return Run()",
    "net = torch.nn.Linear(1, 1)\nfit(net, 7).finish()",
    "def made(count):\n    one = torch.nn.Linear(1, 1)\n    fit(one, count).finish()\n    return one",
    "nets = {count: made(count) for count in (1, 2)}  # two",
]


def notebook(*sources: str) -> nbformat.NotebookNode:
    cells = [new_markdown_cell("# 99 · A chapter\n\nA question."), *map(new_code_cell, sources)]
    panel = new_code_cell("Panel(net, nets)", metadata={"tags": ["panel"]})
    return nbformat.from_dict(new_notebook(cells=[*cells, panel], metadata=KERNEL))


def ran(one: nbformat.NotebookNode) -> dict:
    """The names of the notebook after its cells before the panel."""
    names: dict = {}
    for cell in one.cells[1:-1]:
        exec(cell.source, names)
    return names


def test_nets_are_trained_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    original = notebook(*TRAINS)
    changed = with_kept_nets(original, tmp_path)
    assert Path("trained").read_text() == "xxx"
    again = ran(with_kept_nets(original, tmp_path))
    assert Path("trained").read_text() == "xxx"
    assert changed.cells[-1].source == "Panel(net, nets)"
    assert again["net"].weight.item() > 5
    assert list(again["nets"]) == [1, 2]
    assert original.cells[3].source == TRAINS[2]
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_a_notebook_that_trains_nothing_stays_as_it_is(tmp_path: Path) -> None:
    original = notebook("def start():\n    return fit(net)", "run = 1")
    assert with_kept_nets(original, tmp_path) is original
    assert not list(tmp_path.iterdir())


def test_training_that_fails_says_why_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no net today"):
        with_kept_nets(
            notebook("def fit(net):\n    raise ValueError('no net today')", "net = 1\nfit(net).finish()"), tmp_path
        )
    assert not list((tmp_path / "kept").iterdir())


def test_every_chapter_has_a_picture_of_its_own() -> None:
    for path in NOTEBOOKS:
        assert min(cut(read(path), TILES[path.name[:2]]).size) > 100


def test_the_page_lists_the_chapters_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_apps, "notebook_of", lambda chapter, folder: notebook("side = 1"))
    folder = tmp_path / "a folder"
    build(NOTEBOOKS[:2], folder)
    build(NOTEBOOKS[3:5], folder)
    names = [path.stem for path in NOTEBOOKS[3:5]]
    assert sorted(path.stem for path in folder.glob("*.ipynb")) == names, "nothing is left from an earlier choice"
    assert sorted(path.stem for path in (folder / "pictures").iterdir()) == names
    page = (folder / "jupyter/voila/templates/course/tree-lab.html").read_text(encoding="utf-8")
    assert [page.index(f'href="voila/render/{name}.ipynb"') for name in names] == sorted(
        page.index(f'href="voila/render/{name}.ipynb"') for name in names
    )
    assert page.count("<h2>99 · A chapter</h2><p>A question.</p>") == 2
    assert "$" not in page
    assert "http" not in page, "the page asks no other host"
