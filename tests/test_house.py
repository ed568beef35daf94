"""The rules of the house that a linter does not know (STYLE.md): names, spelling, import cells."""

import ast
import re
from pathlib import Path

import pytest
from notebook_parts import NOTEBOOKS, code_cells, read

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "cnnlab").rglob("*.py"))
BRITISH = r"colour|grey|centre|neighbour|behaviour|favourite|learnt|(?:optim|minim|maxim|normal|visual|recogn)is[ei]"
every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.FunctionDef)}


@every_module
def test_no_module_is_named_like_a_function_of_it(path: Path) -> None:
    assert path.stem not in functions(path)


@every_module
def test_no_parameter_hides_a_function_of_its_module(path: Path) -> None:
    own = functions(path)
    for name, function in own.items():
        arguments = function.args
        taken = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
        assert not taken & set(own), f"{name}: {taken & set(own)}"


@every_module
def test_public_functions_say_what_they_do(path: Path) -> None:
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


@pytest.mark.parametrize("path", [*MODULES, *ROOT.glob("*.md"), *NOTEBOOKS], ids=lambda path: path.name)
def test_american_spelling(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n".join(cell.source for cell in read(path).cells)
    assert not re.findall(BRITISH, text.lower())


@every_notebook
def test_one_short_cell_of_imports(path: Path) -> None:
    first, *others = [cell.source for cell in code_cells(read(path))]
    statements = [node for node in ast.walk(ast.parse(first)) if isinstance(node, ast.Import | ast.ImportFrom)]
    lines = sum(node.end_lineno - node.lineno + 1 for node in statements)
    assert 0 < lines <= (4 if path.stem.startswith("00") else 8)
    assert all(node.end_lineno - node.lineno == 0 for node in statements), "an import takes one line"
    for source in others:
        assert not re.search(r"^\s*(import|from) \w", source, flags=re.M), source
