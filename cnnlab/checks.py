"""Checks of the exercises: each runs a student's function on hard input and says in words what is wrong.

A check is a function that takes the student's function and answers with a `Check`; it shows as one line under the
cell and raises nothing, so that a notebook with an unsolved exercise still runs to its end. To write one:

    @verdict
    def check_gram(gram: Student) -> str:
        generator = torch.Generator().manual_seed(0)
        activations = torch.rand((2, 3, 4, 5), generator=generator)  # non-square, batched
        same(answer(gram, activations), gram_matrix(activations), "gram(activations of shape (2, 3, 4, 5))")
        return "one Gram matrix per image, scaled by the layer's size"  # shown when all is right
"""

import functools
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

Student = Callable[..., Any]


@dataclass(frozen=True)
class Check:
    """What a check found: whether the answer is right, and in words what is right or wrong."""

    ok: bool
    message: str

    def __repr__(self) -> str:
        return f"{'✓' if self.ok else '✗'} {self.message}"


class Wrong(Exception):
    """Says what is wrong in a student's answer."""


def verdict(check: Callable[[Student], str]) -> Callable[[Student], Check]:
    """Let `check` answer with a `Check`: its text when it returns, what is wrong when it raises `Wrong`.

    Any other exception is a fault of the check itself, and comes through.
    """

    @functools.wraps(check)
    def judged(student: Student) -> Check:
        try:
            if not callable(student):
                raise Wrong(f"expected your function, got {_described(student)}: pass its name, without parentheses")
            return Check(True, check(student))
        except Wrong as wrong:
            return Check(False, str(wrong))

    return judged


def answer(student: Student, *arguments: Any) -> Any:
    """What `student(*arguments)` returns; raises `Wrong` where it is not solved, stops, or changes its arguments."""
    name = getattr(student, "__name__", "your function")
    before = [_array(argument).copy() if _is_array(argument) else None for argument in arguments]
    try:
        result = student(*arguments)
    except NotImplementedError:
        raise Wrong(f"{name} is not solved yet") from None
    except Exception as error:
        first_line = (str(error).splitlines() or [""])[0]
        raise Wrong(f"{name} stopped with {type(error).__name__}: {first_line}{_place(student, error)}") from error
    if result is None or result is ...:
        raise Wrong(f"{name} is not solved yet: it returns nothing")
    for number, (old, argument) in enumerate(zip(before, arguments, strict=True), start=1):
        if old is not None and not np.array_equal(old, _array(argument)):
            raise Wrong(f"{name} changes its argument number {number} in place: work on a new array or tensor")
    return result


def require(condition: bool, message: str) -> None:
    """Raise `Wrong` with `message` unless `condition`."""
    if not condition:
        raise Wrong(message)


def same(result: Any, expected: Any, what: str, tolerance: float = 1e-5) -> None:
    """Raise `Wrong` unless `result` is `expected`: its kind, its shape, its values.

    Numbers, arrays and tensors may differ by `tolerance` times the largest value expected; anything else must be
    equal. `what` names the result for the student: "gram(activations of shape (2, 3, 4, 5))".
    """
    if not (_is_array(expected) or isinstance(expected, (int, float))):
        require(not _is_array(result) and result == expected, f"{what} is {result!r}, expected {expected!r}")
        return
    if _is_array(expected) and not isinstance(result, type(expected)):
        raise Wrong(f"{what} is {_described(result)}, expected {_described(expected)}")
    try:
        got, wanted = _array(result).astype(float), _array(expected).astype(float)
    except (TypeError, ValueError):
        raise Wrong(f"{what} is {_described(result)}, expected {_described(expected)}") from None
    require(got.shape == wanted.shape, f"{what} has the shape {got.shape}, expected {wanted.shape}")
    require(bool(np.isfinite(got).all()), f"{what} has values that are not finite (NaN or infinity)")
    error = np.abs(got - wanted)
    if error.size and error.max() > tolerance * max(np.abs(wanted).max(), 1e-12):
        where = tuple(int(index) for index in np.unravel_index(error.argmax(), error.shape))
        place = f" at {list(where)}" if where else ""
        raise Wrong(f"{what}{place} is {got[where]:.6g}, expected {wanted[where]:.6g}{_hint(got, wanted)}")


def _hint(got: np.ndarray, wanted: np.ndarray) -> str:
    """A remark where all values are wrong by one and the same factor, else nothing."""
    scale = (got * wanted).sum() / max((wanted**2).sum(), 1e-12)
    if scale == 0 or wanted.size == 1 or np.abs(got - scale * wanted).max() > 1e-4 * np.abs(got).max():
        return ""
    return f": everything is {scale:.4g} times what it should be"


def _is_array(value: object) -> bool:
    return isinstance(value, (np.ndarray, torch.Tensor))


def _array(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def _described(value: object) -> str:
    kind = "a torch tensor" if isinstance(value, torch.Tensor) else f"of type {type(value).__name__}"
    return f"{kind} of shape {tuple(value.shape)}" if isinstance(value, (np.ndarray, torch.Tensor)) else kind


def _place(student: Student, error: Exception) -> str:
    """Where in the student's own lines `error` arose: " (line 3: return x @ y)", or nothing."""
    file = getattr(getattr(student, "__code__", None), "co_filename", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" (line {frames[-1].lineno}: {frames[-1].line})" if frames and frames[-1].line else ""
