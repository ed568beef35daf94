import base64
import io
import json
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from tools import run_notebooks

CELLS = [
    "import ipywidgets\nfrom tqdm.auto import tqdm",
    "for _ in tqdm(range(3), leave=False):\n    pass\nprint('done')",
    "ipywidgets.IntSlider()",
    "1 + 1",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, sources in {"01_good": CELLS, "02_bad": ["1 / 0"]}.items():
        cells = [new_markdown_cell("# Title"), *(new_code_cell(source) for source in sources)]
        cells[1].metadata = nbformat.from_dict({"tags": ["setup"], "execution": {"iopub.execute_input": "2020"}})
        nbformat.write(new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    monkeypatch.setattr(run_notebooks, "NOTEBOOKS", tmp_path)
    return tmp_path


def test_a_second_run_changes_no_byte_and_leaves_no_trace_of_the_machine(folder: Path) -> None:
    path = folder / "01_good.ipynb"
    ids = [cell.id for cell in nbformat.read(path, as_version=4).cells]
    run_notebooks.run(path)
    first = path.read_bytes()
    run_notebooks.run(path)
    assert path.read_bytes() == first
    notebook = json.loads(first)
    cells = notebook["cells"]
    assert [cell["id"] for cell in cells] == ids
    assert [cell["execution_count"] for cell in cells[1:]] == [1, 2, 3, 4]
    assert [len(cell["outputs"]) for cell in cells[1:]] == [0, 1, 0, 1]
    assert cells[1]["metadata"] == {"tags": ["setup"]}
    assert "version" not in notebook["metadata"]["language_info"]
    assert "widgets" not in notebook["metadata"]


def test_an_error_ends_the_work_and_the_notebook_stays_as_it_was(folder: Path) -> None:
    path = folder / "02_bad.ipynb"
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run_notebooks.run(path)
    assert path.read_bytes() == before


def test_notebooks_are_chosen_by_the_beginning_of_their_names(folder: Path) -> None:
    assert [path.stem for path in run_notebooks.chosen([])] == ["01_good", "02_bad"]
    assert [path.stem for path in run_notebooks.chosen(["02"])] == ["02_bad"]
    with pytest.raises(ValueError, match="'07'.*01_good, 02_bad"):
        run_notebooks.chosen(["07"])


def test_photographs_are_saved_as_jpeg_and_drawings_as_they_are() -> None:
    y, x = np.mgrid[:400, :400]
    generator = np.random.default_rng(0)  # grain, as photographs have it: nothing that PNG could shorten
    photograph = 128 + 40 * np.sin(x / 20)[..., None] + generator.normal(0, 4, (400, 400, 3))
    drawing = np.where((x // 30 + y // 30) % 2, 255, 0)
    outputs = []
    for array in (photograph, drawing):
        buffer = io.BytesIO()
        Image.fromarray(array.astype(np.uint8)).save(buffer, "PNG")
        outputs.append(new_output("display_data", {"image/png": base64.b64encode(buffer.getvalue()).decode()}))
    run_notebooks.lighten(outputs)
    assert [list(output.data) for output in outputs] == [["image/jpeg"], ["image/png"]]
    with Image.open(io.BytesIO(base64.b64decode(outputs[0].data["image/jpeg"]))) as picture:
        assert np.abs(np.asarray(picture) - photograph).mean() < 4
