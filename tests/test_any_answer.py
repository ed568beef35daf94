"""Whatever a student's function returns, its check says in few words what is wrong; only right results are accepted."""

import ast
import contextlib
import importlib
import pkgutil
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch
from notebook_parts import CHAPTERS, exercises, read, tagged
from torch import Tensor, nn

from cnnlab import chapters
from cnnlab.teaching.checks import Check

NAME = "my_own_function"
CHECKS = {
    f"{module.name[:4]} {name}": check
    for module in pkgutil.iter_modules(chapters.__path__)
    if module.name.endswith("_checks")
    for name, check in vars(importlib.import_module(f"{chapters.__name__}.{module.name}")).items()
    if name.startswith("check_") and check.__module__.endswith(module.name)
}
ERRORS = (ValueError(), KeyError("a"), RuntimeError("a\nb"), AssertionError("no"), RecursionError(), StopIteration())


def odd_results() -> Iterator[Any]:
    """Results that are right for no exercise; new ones with each call, because an iterator can be read only once."""
    yield from (None, ..., "text", "7", b"7", 7, -0.5, True, 2j, 10**400, float("nan"), float("inf"))
    yield from ((), (1, 2), (1.5, "a"), [], [0.5], [None], [1, "two"], [[1], [1, 2]], [(3, 4), (5, 6)], range(3))
    yield from ({}, {"key": 1}, {(0, 1): 1}, {3}, {(0, 1)}, iter([1]), (number for number in range(3)), slice(3))
    yield from (object(), int, Tensor, np.ndarray, len, lambda *arguments: torch.zeros(2, 3), ValueError("returned"))
    yield from ([torch.zeros(2), torch.zeros(3)], (torch.zeros(3, 4), "velocity"), {"weight": torch.zeros(3)})
    yield from (nn.Conv2d(3, 6, (4, 5), stride=3), nn.Conv2d(1, 1, 1), nn.Sequential())
    yield from (np.array(["a"]), np.array([None, [1]], dtype=object), np.zeros(3, dtype=[("y", int), ("x", float)]))
    yield from (np.array("2020-01-01", dtype="datetime64[D]"), np.ma.masked_array([1.0, 2.0], [True, False]))
    yield from (torch.eye(3).to_sparse(), torch.zeros(2, 3, device="meta"), nn.Parameter(torch.ones(2, 3)))
    for shape in ((), (0,), (6,), (3, 3), (2, 3, 4, 5)):
        yield from (np.ones(shape, kind) for kind in (np.float64, np.complex64, bool))
        yield from (torch.ones(shape, dtype=kind) for kind in (torch.float64, torch.complex64, torch.int64, torch.bool))
        yield from (torch.full(shape, number, requires_grad=True) for number in (torch.nan, torch.inf, 0.5))


def judged(check: Callable, function: Callable) -> Check:
    """Check a function under the name `NAME`; the check must say in few words what is wrong, under this name."""
    function.__name__ = NAME
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = check(function)
    assert isinstance(result, Check)
    assert result.message.strip()
    assert len(result.message) < 600, result.message
    assert len(result.message.splitlines()) <= 8, result.message  # a Go board has several lines
    assert "does not understand" not in result.message, result.message
    stub = re.match(r"Check `(\w+)\(", check.__doc__ or "")
    assert stub, "the check's docstring begins with: Check `name(arguments)`"
    assert not re.search(rf"\b{stub[1]}\(", result.message), f"this is not the student's name: {result.message}"
    return result


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_odd_results_are_refused_in_few_words(check: Callable) -> None:
    for odd in odd_results():
        assert not judged(check, lambda *arguments, odd=odd: odd).ok, f"accepted: {odd!r}"
    for number in range(7):
        judged(check, lambda *arguments, number=number: arguments[number])  # which may be a right result for some


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_an_error_of_the_function_is_told(check: Callable) -> None:
    for error in ERRORS:

        def stops(*arguments: Any, error: Exception = error) -> Any:
            raise error

        assert f"{NAME} stopped with {type(error).__name__}" in judged(check, stops).message


ARRAYS: dict[str, Callable[[Any], Any]] = {
    "of the other library": lambda a: a.detach().numpy() if isinstance(a, Tensor) else torch.from_numpy(a.copy()),
    "a list": lambda a: a.tolist(),
    "transposed": lambda a: a.swapaxes(-1, -2) if a.ndim > 1 else a,
    "one less": lambda a: a[:-1],
    "doubled": lambda a: 2 * a,
    "NaN": lambda a: a * float("nan"),
    "complex": lambda a: a + 0j,
    "whole numbers": lambda a: a.long() if isinstance(a, Tensor) else a.astype(int),
}
NUMBERS: dict[str, Callable[[Any], Any]] = {
    "doubled": lambda number: 2 * number,
    "NaN": lambda number: number * float("nan"),
    "whole numbers": lambda number: int(number) if abs(number) < torch.inf else number,
}
DESIGNS = ("check_diagonal_kernel",)  # there are many right results


def float64(part: Any) -> Any:
    if isinstance(part, np.ndarray):
        return part.astype(float) if part.dtype.kind == "f" else part
    return part.double() if isinstance(part, Tensor) and part.is_floating_point() else part


def with_a_graph(part: Any) -> Any:
    part = torch.tensor(part) if isinstance(part, float) else part
    return part.clone().requires_grad_() if isinstance(part, Tensor) and part.is_floating_point() else part


def changed(change: Callable, result: Any) -> Any:
    """Change a result; or all parts of a tuple, a list or a dict."""
    if isinstance(result, (tuple, list)):
        return type(result)(changed(change, part) for part in result)
    return {key: changed(change, part) for key, part in result.items()} if isinstance(result, dict) else change(result)


def with_fault(fault: str, result: Any) -> Any:
    """Give a result, or each of its parts, the fault; a result that cannot have it stays as it is."""
    if fault == "one less" and isinstance(result, (tuple, list, set)):
        return type(result)(list(result)[:-1])

    def spoil(part: Any) -> Any:
        faults = ARRAYS if isinstance(part, (Tensor, np.ndarray)) and part.ndim else NUMBERS
        known = isinstance(part, (Tensor, np.ndarray, int, float)) and fault in faults
        return faults[fault](part) if known else part

    return changed(spoil, result)


def identical(one: Any, other: Any) -> bool:
    """Whether two results are of one kind and equal, whatever their precision."""
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        one, other = one.detach().numpy(), other.detach().numpy()
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        kinds = {one.dtype.kind, other.dtype.kind}
        return (len(kinds) == 1 or kinds <= set("iuf")) and np.array_equal(one, other)
    return one is other or ((type(one) is type(other) or isinstance(one, (int, float))) and one == other)


def solutions(path: Path) -> Iterator[tuple[Callable, Callable]]:
    """The check and the solution of each exercise of a notebook."""
    matplotlib.use("agg")
    notebook, namespace = read(path), {"__name__": "__main__"}
    with contextlib.chdir(path.parent):
        for cell in tagged(notebook, "setup"):
            exec(cell.source, namespace)
        for exercise in exercises(notebook):
            exec(exercise.solution, namespace)
            call = ast.parse(exercise.check).body[-1].value  # checks.check_gram(gram)
            check, function = (eval(ast.unparse(node), namespace) for node in (call.func, *call.args))
            yield check, function


def try_fault(check: Callable, solution: Callable, fault: str) -> None:
    different: list[bool] = []

    def student(*arguments: Any) -> Any:
        result = solution(*arguments)
        faulty = with_fault(fault, result)
        different.append(not identical(faulty, result))
        return faulty

    answered = judged(check, student)
    assert answered.ok != any(different), f"{check.__name__}, a result with the fault {fault!r}: {answered}"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_right_result_may_have_any_precision_and_no_fault(path: Path) -> None:
    solved = list(solutions(path))
    own = {check for name, check in CHECKS.items() if name.startswith(f"ch{path.name[:2]}")}
    assert own <= {check for check, _ in solved}, "a check that no exercise uses"
    for check, solution in solved:
        for harmless in (float64, with_a_graph):
            answered = judged(check, lambda *arguments, f=solution, c=harmless: changed(c, f(*arguments)))
            assert answered.ok or harmless is with_a_graph, f"{check.__name__}: float64 is refused: {answered}"
        for fault in ARRAYS if check.__name__ not in DESIGNS else ():
            try_fault(check, solution, fault)
