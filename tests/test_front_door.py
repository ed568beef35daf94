"""The front door: `import cnnlab` is cheap, and every name that it offers is the one where it is defined."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import cnnlab

STUB = ast.parse((Path(cnnlab.__file__).parent / "__init__.pyi").read_text(encoding="utf-8"))
# name -> the module that defines it; None for a module
OFFERED = {alias.name: line.module for line in STUB.body if isinstance(line, ast.ImportFrom) for alias in line.names}
HEAVY = ("torch", "numpy", "torchvision", "matplotlib", "ipywidgets", "skimage", "sklearn", "scipy", "PIL")


def loaded_after(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    return set(subprocess.check_output([sys.executable, "-c", program], text=True).split())


def test_importing_the_package_is_cheap() -> None:
    assert loaded_after("import cnnlab") == set()


def test_the_core_needs_no_library_of_pictures_and_widgets() -> None:
    names = "Net, Run, adam, channel, descend, fit, jitter, noise, spectrum"
    assert loaded_after(f"from cnnlab import {names}") <= {"torch", "numpy", "PIL"}


def test_every_name_is_the_one_that_its_module_defines() -> None:
    assert OFFERED
    for name, module in OFFERED.items():
        expected = getattr(importlib.import_module(f"cnnlab.{module}"), name) if module else None
        assert getattr(cnnlab, name) is (expected if module else sys.modules[f"cnnlab.{name}"])


def test_the_stub_and_the_package_offer_the_same_names() -> None:
    assert set(cnnlab.__all__) == set(OFFERED)
    assert set(cnnlab.__all__) <= set(dir(cnnlab))
    as_public = [alias for line in STUB.body if isinstance(line, ast.ImportFrom) for alias in line.names]
    assert all(alias.asname == alias.name for alias in as_public)  # what mypy takes for an export
    assert len(as_public) == len(OFFERED), "a name is offered twice"
