"""A notebook for each chapter that holds its panels and what they need, and nothing else: `build/panels`.

    python -m tools.panel_notebooks [04 05]

They are derived from the chapters, statement by statement, and live in seconds where a whole chapter takes a minute.
"""

import ast
import re
import symtable
import sys
from functools import cache
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.run_notebooks import chosen

FOLDER = Path("build/panels")
WAIT = """\
# A page that opens asks for the state of the widgets once: a picture that comes a moment later would be lost.
import gc
from contextlib import suppress

for thing in gc.get_objects():
    if type(thing) is Panel:
        with suppress(TimeoutError):
            thing.wait(60)"""
ASKING = (".predict", ".show")  # methods that change nothing
COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}  # they run where they stand


def panel_notebook(chapter: NotebookNode) -> NotebookNode:
    """The chapter's title and question, the statements that its panels need, the panels' cells, the text before each.

    The cells of panels have the tag `panel`. What to find out is folded. Raises ValueError if there is no panel.
    """
    heading = "\n\n".join(chapter.cells[0].source.split("\n\n")[:2]).replace("**The question.** ", "")
    title = heading.splitlines()[0].removeprefix("# ")
    cells = {cell.id: ast.parse(cell.source).body for cell in chapter.cells if cell.cell_type == "code"}
    panels = [name for name, body in cells.items() if any(_makes_a_panel(statement) for statement in body)]
    if not panels:
        raise ValueError(f"no panel in {title!r}")
    names = list(cells)
    statements = [statement for name in names[: names.index(panels[-1]) + 1] for statement in cells[name]]
    kept = needed(statements, {id(statement) for name in panels for statement in cells[name]})
    parts, text = [new_markdown_cell(_without_links(heading))], list[str]()
    for cell in chapter.cells[1:]:
        if cell.cell_type == "markdown":  # of the text, what stands under the last heading
            text = [cell.source] if cell.source.startswith("## ") else [*text, cell.source]
            continue
        if cell.id in panels:
            parts += [new_markdown_cell(_folded(_without_links(source))) for source in text]
            text = []
        if source := "\n".join(_source(cell, statement) for statement in cells[cell.id] if id(statement) in kept):
            parts.append(new_code_cell(source, metadata={"tags": ["panel"]} if cell.id in panels else {}))
    return new_notebook(
        cells=[*parts, new_code_cell(WAIT)], metadata={"kernelspec": chapter.metadata.kernelspec, "title": title}
    )


def _without_links(text: str) -> str:
    """The text without links to other files: they do not lie beside the notebook."""
    return re.sub(r"(?<!!)\[([^]]+)\]\((?!https?:)[^)]*\)", r"\1", text)


def _folded(text: str) -> str:
    """The text with what stands after "Find out" behind these words."""
    before, mark, after = text.partition("**Find out")
    after = after.lstrip(":* \n")
    return f"{before}<details><summary>Find out</summary>\n\n{after}\n\n</details>" if mark else text


def needed(statements: list[ast.stmt], wanted: set[int]) -> set[int]:
    """The ids of the statements that the wanted ones need, and of these, so that they run as they did among all.

    A name that a kept statement reads is looked for in the statements before it. So are the names that functions read
    when the statement calls them; the wanted statements may call theirs at any time, so these are looked for in all.
    """
    modules = {name for s in statements if isinstance(s, ast.Import | ast.ImportFrom) for name in _bound(s)}
    late: dict[str, set[str]] = {}  # name → what functions in its value read when they are called
    reads: dict[int, set[str]] = {}
    open_names: set[str] = set()
    for statement in statements:
        read = _with_late(_read(statement), late)
        reads[id(statement)] = read
        in_functions = _read_late(statement).union(*(late.get(name, set()) for name in read))
        for name in _bound(statement) | (_callers(statement) - modules):
            late[name] = in_functions | (set() if _replaces(statement) else late.get(name, set()))
        if id(statement) in wanted:
            open_names |= in_functions
    open_names, kept = _with_late(open_names, late), set(wanted)
    for statement in reversed(statements):
        changed = _bound(statement) | (_callers(statement) | _arguments(statement)) - modules
        if id(statement) in wanted or changed & open_names:
            kept.add(id(statement))
            if _replaces(statement):
                open_names -= _bound(statement)
            open_names |= reads[id(statement)]
    return kept


def _with_late(names: set[str], late: dict[str, set[str]]) -> set[str]:
    """The names, and those that functions in their values read, and so on."""
    found: set[str] = set()
    while names:
        found |= names
        names = set().union(*(late.get(name, set()) for name in names)) - found
    return found


def _makes_a_panel(statement: ast.stmt) -> bool:
    return any(isinstance(p, ast.Call) and ast.unparse(p.func) == "Panel" for p in ast.walk(statement))


@cache
def _scopes(statement: ast.stmt) -> list[symtable.SymbolTable]:
    """The names of a statement, and of each function and comprehension in it."""
    tables = [symtable.symtable(ast.unparse(statement), "<cell>", "exec")]
    for table in tables:  # it grows meanwhile
        tables += table.get_children()
    return tables


@cache
def _read(statement: ast.stmt) -> set[str]:
    """The notebook's names that a statement reads when it runs, unless it has given them a value itself."""
    if isinstance(statement, ast.For):  # what it does in its body, it does for a target that has a value
        body = _read_in_turn(statement.body) - _bound(ast.Assign([statement.target], ast.Constant(0), lineno=1))
        return _read(ast.Expr(statement.iter)) | body | _read_in_turn(statement.orelse)
    top, *inner = _scopes(statement)
    names = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    if isinstance(statement, ast.FunctionDef):
        return names
    return names.union(*(_globals(table) for table in inner))


def _read_in_turn(statements: list[ast.stmt]) -> set[str]:
    read, bound = set[str](), set[str]()
    for statement in statements:
        read |= _read(statement) - bound
        bound |= _bound(statement) if _replaces(statement) else set()
    return read


def _read_late(statement: ast.stmt) -> set[str]:
    """The notebook's names that functions made by a statement read, whenever they are called."""
    top, *inner = _scopes(statement)
    functions = [table for table in inner if table.get_type() == "function" and table.get_name() not in COMPREHENSIONS]
    for table in functions:  # it grows meanwhile
        functions += table.get_children()
    return set().union(*(_globals(table) for table in functions))


def _globals(table: symtable.SymbolTable) -> set[str]:
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value."""
    symbols = _scopes(statement)[0].get_symbols()
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace()}


def _callers(statement: ast.stmt) -> set[str]:
    """The names whose objects a statement changes: `x[0] = 1`, `x.y = 1`, and `x.append(1)` on a line of its own."""
    parts = [] if isinstance(statement, ast.FunctionDef | ast.ClassDef) else list(ast.walk(statement))
    targets: list[ast.expr] = [
        part for part in parts if isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store)
    ]
    targets += [call.func for call in _own_lines(statement) if not ast.unparse(call.func).endswith(ASKING)]
    names: set[str] = set()
    for target in targets:
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
            names |= {target.id} if isinstance(target, ast.Name) else set()
    return names


def _arguments(statement: ast.stmt) -> set[str]:
    """The names whose objects a function changes: `normal_(x)`, `fit(x).finish()` on an own line; not `show(x)`."""
    names: set[str] = set()
    for call in _own_lines(statement):
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
            call = call.func.value
        elif not ast.unparse(call.func).endswith("_"):
            continue
        values = [*call.args, *(keyword.value for keyword in call.keywords)]
        names |= {value.id for value in values if isinstance(value, ast.Name)}
    return names


def _own_lines(statement: ast.stmt) -> list[ast.Call]:
    """The calls in a statement whose values are not used."""
    parts = [] if isinstance(statement, ast.FunctionDef | ast.ClassDef) else list(ast.walk(statement))
    return [part.value for part in parts if isinstance(part, ast.Expr) and isinstance(part.value, ast.Call)]


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
