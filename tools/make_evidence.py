"""Measure what takes too long for a chapter, into data/evidence/: `python -m tools.make_evidence [NAME ...]`.

Each module of tools/evidence is an experiment: `SEEDS`; `FULL` and `TINY`, the settings of the real and of a quick run;
and `measure(seed, **settings)`, which returns a dict of numbers. After each seed the file is saved, so that the work
can be stopped and goes on where it was. A file whose settings are not those of its experiment is measured anew.
"""

import importlib
import json
import os
import pkgutil
import platform
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

import tools.evidence
from cnnlab._data import DATA
from tools.hashes import record

EXPERIMENTS = tuple(sorted(module.name for module in pkgutil.iter_modules(tools.evidence.__path__)))


def experiment(name: str) -> ModuleType:
    """The module of an experiment; ValueError for an unknown name."""
    if name not in EXPERIMENTS:
        raise ValueError(f"unknown experiment {name!r}: there are {', '.join(EXPERIMENTS)}")
    return importlib.import_module(f"tools.evidence.{name}")


def header(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """What a file says besides its results: the command, the settings, the seeds, the versions."""
    module = experiment(name)
    return {
        "question": (module.__doc__ or "").strip().splitlines()[0],
        "command": f"python -m tools.make_evidence {name}",
        "settings": settings,
        "seeds": list(module.SEEDS),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    }


def saved_results(file: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The results that the file holds for these settings; none if there is no such file or the settings are others."""
    if not file.exists():
        return []
    saved = json.loads(file.read_text(encoding="utf-8"))
    return list(saved["results"]) if saved["settings"] == settings else []


def measure(name: str, settings: dict[str, Any], folder: Path = DATA) -> Path:
    """Measure the seeds of an experiment that its file in `folder`/evidence does not hold yet; the result is the file.

    The file's hash is recorded in SHA256SUMS of the folder.
    """
    module, file = experiment(name), folder / "evidence" / f"{name}.json"
    settings = json.loads(json.dumps(settings))  # as they are read back: tuples are lists
    results = saved_results(file, settings)
    done = {result["seed"] for result in results}
    file.parent.mkdir(parents=True, exist_ok=True)
    for seed in tqdm(module.SEEDS, desc=name, unit="seed", leave=False):
        if seed not in done:
            results.append({"seed": seed} | module.measure(seed, **settings))
            text = json.dumps(header(name, settings) | {"results": results}, indent=1)
            unfinished = file.with_suffix(".tmp")
            unfinished.write_text(text + "\n", encoding="utf-8", newline="\n")  # as git keeps it: the hash is of bytes
            os.replace(unfinished, file)  # whoever stops the work finds the old file or the new one
            record(folder, f"evidence/{file.name}")
    return file


def main() -> None:
    """Measure the experiments that the command line names, or all."""
    for name in sys.argv[1:] or EXPERIMENTS:
        print(measure(name, experiment(name).FULL).name)


if __name__ == "__main__":
    main()
