"""What the course costs: `make bench-course`, or `python -m benchmarks.course [04 05]`.

Run time and peak memory of every notebook, the slowest cells, the time that importing the package adds to torch's own,
and the time from a click on Run to the first picture of each chapter's panel.
"""

import json
import statistics
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from tools.run_notebooks import NOTEBOOKS, chosen

# Runs in the notebook's kernel, after its cells: the panels are those that still exist.
AFTERWARDS = """
import gc as _gc, json as _json, resource as _resource, sys as _sys, time as _time
from cnnlab.teaching import Panel as _Panel

def _first_picture(panel):
    if panel.live:  # it has one picture per run
        start = _time.perf_counter()
        panel.run()
        panel.wait(60)
        return _time.perf_counter() - start
    panel.reset()
    panel.wait(60)
    before, start = panel.image.value, _time.perf_counter()
    panel.buttons["run"].click()
    while panel.image.value == before and panel.error is None and _time.perf_counter() - start < 20:
        _time.sleep(0.002)
    seconds = _time.perf_counter() - start
    panel.stop()
    panel.wait(60)
    return seconds

_unit = 2**20 if _sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes there, in KiB elsewhere
_memory = _resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss / _unit
_panels = [thing for thing in _gc.get_objects() if isinstance(thing, _Panel)]
print(_json.dumps({"peak_mib": _memory, "first_picture_s": [_first_picture(panel) for panel in _panels]}))
"""


def measure(path: Path) -> dict[str, Any]:
    """One notebook from a clean kernel: seconds in all and of each cell, peak memory, first pictures."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(new_code_cell(AFTERWARDS))
    start = time.perf_counter()
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    *times, (_, after) = [(cell.source, _seconds(cell.metadata.execution)) for cell in cells]
    printed = "".join(output.text for output in cells[-1].outputs if output.get("name") == "stdout")
    found = json.loads(printed.splitlines()[-1])
    return {"notebook": path.stem, "seconds": time.perf_counter() - start - after, "cells": times} | found


def _seconds(execution: dict[str, str]) -> float:
    first, last = (datetime.fromisoformat(execution[f"iopub.{key}"]) for key in ("status.busy", "status.idle"))
    return (last - first).total_seconds()


def import_seconds(statement: str, repeats: int = 5) -> float:
    """The time that a new Python takes for it, median."""
    program = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
    outputs = [subprocess.check_output([sys.executable, "-c", program], text=True) for _ in range(repeats)]
    return statistics.median(map(float, outputs))


def main() -> None:
    """Print the tables, and write build/course.json."""
    modules = "cnnlab.nets, cnnlab.images, cnnlab.objectives, cnnlab.descent, cnnlab.parametrizations"
    torch, ours = import_seconds("import torch"), import_seconds(f"import {modules}")
    print(f"import: {ours:.2f} s, of which torch {torch:.2f} s")
    results = []
    for path in chosen(sys.argv[1:]):
        results.append(result := measure(path))
        pictures = ", ".join(f"{seconds:.2f} s" for seconds in result["first_picture_s"])
        print(
            "{notebook:28} {seconds:6.1f} s  {peak_mib:6.0f} MiB  first picture ".format(**result) + (pictures or "-")
        )
    print(f"in all {sum(result['seconds'] for result in results) / 60:.1f} minutes; the slowest cells:")
    cells = [(seconds, result["notebook"], source) for result in results for source, seconds in result["cells"]]
    for seconds, notebook, source in sorted(cells, reverse=True)[:10]:
        print(f"{seconds:6.1f} s  {notebook:28} {source.strip().splitlines()[0][:80]}")
    Path("build").mkdir(exist_ok=True)
    table = {"import_s": ours, "import_torch_s": torch, "notebooks": results}
    Path("build/course.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
