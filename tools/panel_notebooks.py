"""A notebook for each chapter that holds its panels and what they need, and nothing else: `build/panels`.

    python -m tools.panel_notebooks [04 05]

They are derived from the chapters, statement by statement, and live in seconds where a whole chapter takes a minute.
"""

import ast
import symtable
import sys
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.run_notebooks import chosen

FOLDER = Path("build/panels")
COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}  # they run where they stand


def panel_notebook(chapter: NotebookNode) -> NotebookNode:
    """The chapter's title, the statements that its panels need, the panels' cells, and the text before each.

    Raises ValueError for a chapter without a panel.
    """
    title = chapter.cells[0].source.splitlines()[0]
    cells = {cell.id: ast.parse(cell.source).body for cell in chapter.cells if cell.cell_type == "code"}
    panels = [name for name, body in cells.items() if any(_makes_a_panel(statement) for statement in body)]
    if not panels:
        raise ValueError(f"no panel in {title!r}")
    names = list(cells)
    statements = [statement for name in names[: names.index(panels[-1]) + 1] for statement in cells[name]]
    kept = needed(statements, {id(statement) for name in panels for statement in cells[name]})
    parts, text = [new_markdown_cell(title)], list[str]()
    for cell in chapter.cells[1:]:
        if cell.cell_type == "markdown":  # of the text, what stands under the last heading
            text = [cell.source] if cell.source.startswith("## ") else [*text, cell.source]
            continue
        if cell.id in panels:
            parts += [new_markdown_cell(source) for source in text]
            text = []
        if source := "\n".join(_source(cell, statement) for statement in cells[cell.id] if id(statement) in kept):
            parts.append(new_code_cell(source))
    return new_notebook(cells=parts, metadata={"kernelspec": chapter.metadata.kernelspec})


def needed(statements: list[ast.stmt], wanted: set[int]) -> set[int]:
    """The ids of the statements that the wanted ones need, and of these, so that they run as they did among all.

    A name that a kept statement reads is looked for in the statements before it; one that a kept function reads, in all
    that come before the last statement, too, because a function looks its names up when it is called.
    """
    modules = {name for s in statements if isinstance(s, ast.Import | ast.ImportFrom) for name in _bound(s)}
    late: set[str] = set()
    while True:
        kept, open_names = set(wanted), set(late)
        for statement in reversed(statements):
            changed = _bound(statement) | (_changed(statement) - modules)
            if id(statement) in wanted or changed & open_names:
                kept.add(id(statement))
                if _replaces(statement):
                    open_names -= _bound(statement)
                open_names |= _read(statement)
        in_functions = set().union(*(_read_late(statement) for statement in statements if id(statement) in kept))
        if in_functions <= late:
            return kept
        late |= in_functions


def _makes_a_panel(statement: ast.stmt) -> bool:
    return any(isinstance(p, ast.Call) and ast.unparse(p.func) == "Panel" for p in ast.walk(statement))


@cache
def _scopes(statement: ast.stmt) -> list[symtable.SymbolTable]:
    """The names of a statement, and of each function and comprehension in it."""
    tables = [symtable.symtable(ast.unparse(statement), "<cell>", "exec")]
    for table in tables:  # it grows meanwhile
        tables += table.get_children()
    return tables


def _read(statement: ast.stmt) -> set[str]:
    """The notebook's names that a statement reads."""
    top, *inner = _scopes(statement)
    names = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    return names.union(*(_globals(table) for table in inner))


def _read_late(statement: ast.stmt) -> set[str]:
    """The notebook's names that functions made by a statement read, whenever they are called."""
    functions = [table for table in _scopes(statement)[1:] if table.get_name() not in COMPREHENSIONS]
    return set().union(*(_globals(table) for table in functions))


def _globals(table: symtable.SymbolTable) -> set[str]:
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value."""
    symbols = _scopes(statement)[0].get_symbols()
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace()}


def _changed(statement: ast.stmt) -> set[str]:
    """The names whose objects a statement may change: `x[0] = 1`, `x.y = 1`, and `x.append(1)` on a line of its own."""
    changed: set[str] = set()
    for part in [] if isinstance(statement, ast.FunctionDef | ast.ClassDef) else ast.walk(statement):
        if isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store):
            target: ast.expr = part
        elif isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
            target = part.value.func
        else:
            continue
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
            changed |= {target.id} if isinstance(target, ast.Name) else set()
    return changed


def _replaces(statement: ast.stmt) -> bool:
    """Whether what the statement binds had a value before that nobody needs any more."""
    if isinstance(statement, ast.Assign):
        return all(isinstance(target, ast.Name | ast.Tuple) for target in statement.targets)
    return isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)


def _source(cell: NotebookNode, statement: ast.stmt) -> str:
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    return "\n".join(cell.source.splitlines()[first - 1 : statement.end_lineno])


def main() -> None:
    """Derive the notebooks."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in chosen(sys.argv[1:]):
        notebook = panel_notebook(nbformat.read(path, as_version=4))
        nbformat.write(notebook, FOLDER / path.name)
        print(f"{path.name}: {len(notebook.cells) - 1} cells")


if __name__ == "__main__":
    main()
