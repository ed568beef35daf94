"""Run notebooks and save them with their outputs: `python -m tools.run_notebooks 04 05`, or all of them.

Times, the version of Python and the state of widgets are not saved: they differ between two runs or machines and mean
nothing. If a cell raises an error, the work ends, and its notebook stays as it was.
"""

import base64
import io
import os
import sys
import time
from copy import deepcopy
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
LARGE = 100_000  # characters of a figure; larger ones are made smaller
LIMIT = 1_900_000  # bytes of a notebook
QUALITIES = (90, 85, 75, 65, 55)  # of JPEG: the first one that keeps the notebook below the limit is taken
WIDGET = "application/vnd.jupyter.widget-view+json"
# What `jupyter lab` needs to open a notebook without asking for its kernel, and no more.
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}


def chosen(names: list[str]) -> list[Path]:
    """The notebooks whose file names start with one of `names`, or all; ValueError for a name that fits none."""
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    for name in names:
        if not any(path.name.startswith(name) for path in paths):
            raise ValueError(f"no notebook starts with {name!r}; there are {', '.join(path.stem for path in paths)}")
    return [path for path in paths if not names or path.name.startswith(tuple(names))]


def without_widgets(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs without the views of widgets, which show nothing without the kernel that made them.

    If such an output also holds a picture or HTML, that is kept; a mere repr is not.
    """
    kept = []
    for output in outputs:
        data = output.get("data", {})
        if WIDGET in data:
            del data[WIDGET]
            if not set(data) - {"text/plain"}:
                continue
        kept.append(output)
    return kept


def lighten(outputs: list[NotebookNode], quality: int = QUALITIES[0]) -> None:
    """Turn figures that are clearly smaller as JPEG, those of photographs, into JPEG, in place."""
    for output in outputs:
        data = output.get("data", {})
        if len(data.get("image/png", "")) > LARGE:
            buffer = io.BytesIO()
            with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as picture:
                rgb, sub = picture.convert("RGB"), 0 if quality > 80 else 2  # 2: half the resolution for colors
                rgb.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True, subsampling=sub)
            jpeg = base64.b64encode(buffer.getvalue()).decode()
            if len(jpeg) < 0.75 * len(data["image/png"]):
                del data["image/png"]
                data["image/jpeg"] = jpeg


def run(path: Path) -> None:
    """Run the notebook at `path` in its own folder, with this Python, and save it."""
    notebook = nbformat.read(path, as_version=4)
    # A warning shows a path of this machine. A reader at work sees it; the saved notebook does not.
    os.environ["PYTHONWARNINGS"] = "ignore:the gradient of"
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    )
    client.execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = without_widgets(cell.outputs)
        for transient in ("execution", "scrolled", "collapsed"):
            cell.metadata.pop(transient, None)
    notebook.metadata = nbformat.from_dict(METADATA)
    for quality in QUALITIES:
        lighter = deepcopy(notebook)
        for cell in lighter.cells:
            lighten(cell.get("outputs", []), quality)
        if len(nbformat.writes(lighter).encode()) < LIMIT:
            break
    nbformat.write(lighter, path)


def main() -> None:
    """Run the notebooks that the command line names."""
    for path in chosen(sys.argv[1:]):
        print(f"{path.name} ...", end=" ", flush=True)
        start = time.perf_counter()
        run(path)
        print(f"{time.perf_counter() - start:.0f} s, {path.stat().st_size / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main()
