"""Nets that the notebook of a panel trains: they are trained once, and read from a file afterwards.

A page that trains its nets would open in half a minute. The file's name is a hash of the statements that led to the
nets, so a changed chapter trains anew. The file is a pickle: it is read with a list of the layers that are in it, and
nothing else in it is made or run.
"""

import ast
import hashlib
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import torch
from nbformat import NotebookNode

READER = """import torch
import cnnlab.nets

def kept_nets(name):
    with torch.serialization.safe_globals([{layers}]):
        return torch.load({file!r}, weights_only=True)[name]
"""


def with_kept_nets(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook with nets read from a file in `folder/kept`, which is made if it is not there.

    Raises RuntimeError with the error's text if the training fails.
    """
    changed = deepcopy(notebook)
    cells = [cell for cell in changed.cells if cell.cell_type == "code"]
    bodies = [ast.parse(cell.source).body for cell in cells]
    before_panels = [
        statement
        for cell, body in zip(cells, bodies, strict=True)
        for statement in body
        if "panel" not in cell.metadata.get("tags", [])
    ]
    trained = _trained(before_panels)
    if not trained:
        return notebook
    file = _kept([statement for body in bodies for statement in body], trained, folder)
    reader = READER.format(layers=", ".join(_layers_in(folder / file)), file=file)
    for cell, body in zip(cells, bodies, strict=True):
        if any(id(statement) in trained for statement in body):
            lines = [_reading(s, trained[id(s)]) if id(s) in trained else ast.unparse(s) for s in body]
            cell.source = "\n".join([reader, *lines])
    return changed


def _trained(statements: list[ast.stmt]) -> dict[int, str]:
    """The ids of the statements that train nets, and the names of these nets.

    They are `fit(net, ...).finish()`, and `nets = ...` with a function that calls `fit`.
    """
    functions = {s.name for s in statements if isinstance(s, ast.FunctionDef) and _calls(s, {"fit"})}
    trained = {}
    for statement in statements:
        match statement:
            case ast.Expr(ast.Call(ast.Attribute(ast.Call(ast.Name("fit"), [ast.Name(name), *_]), "finish"))):
                trained[id(statement)] = name
            case ast.Assign([ast.Name(name)]) if _calls(statement, functions):
                trained[id(statement)] = name
    return trained


def _calls(statement: ast.stmt, functions: set[str]) -> bool:
    calls = (part.func for part in ast.walk(statement) if isinstance(part, ast.Call))
    return any(isinstance(function, ast.Name) and function.id in functions for function in calls)


def _kept(statements: list[ast.stmt], trained: dict[int, str], folder: Path) -> str:
    """The file with the nets, relative to the folder."""
    lines, source = ["kept = {}"], ""
    for statement in statements:
        lines.append(ast.unparse(statement))
        if name := trained.get(id(statement)):
            lines.append(f"kept[{name!r}] = {name}" + ".state_dict()" * isinstance(statement, ast.Expr))
            source = "\n".join(lines)
    file = f"kept/{hashlib.sha256(source.encode()).hexdigest()[:12]}.pt"
    if not (folder / file).exists():
        (folder / "kept").mkdir(parents=True, exist_ok=True)
        save = f"import os, torch\ntorch.save(kept, '{file}.part')\nos.replace('{file}.part', '{file}')"
        run = subprocess.run(
            [sys.executable, "-"],
            input=f"{source}\n{save}",
            cwd=folder,
            text=True,
            encoding="utf-8",
            capture_output=True,
        )
        if run.returncode:
            raise RuntimeError(f"the nets of a panel cannot be trained: {run.stderr[-2000:]}")
    return file


def _layers_in(file: Path) -> list[str]:
    """The classes of the layers in a file that are more than tensors. Raises RuntimeError for other objects."""
    names = sorted(torch.serialization.get_unsafe_globals_in_checkpoint(str(file)))
    if others := [name for name in names if not name.startswith(("torch.nn.modules.", "cnnlab.nets."))]:
        raise RuntimeError(f"{file} must hold nets of PyTorch's layers alone, not {', '.join(others)}")
    return names


def _reading(statement: ast.stmt, name: str) -> str:
    value = f"kept_nets({name!r})"
    return f"{name} = {value}" if isinstance(statement, ast.Assign) else f"{name}.load_state_dict({value})"
