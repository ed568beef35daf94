"""Checks of the exercises: a check runs a student's function on hard input and says in words what is wrong.

A check is a function that takes the student's function and returns a `Check`. The `Check` shows as one line under the
cell. A check raises nothing, so a notebook with an unsolved exercise still runs to its end. To write one:

    @verdict
    def check_gram(gram: Student) -> str:
        activations = random_tensor((2, 3, 4, 5))  # non-square, batched
        same(answer(gram, activations), gram_matrix(activations), "gram(activations of shape (2, 3, 4, 5))")
        return "one Gram matrix per image, scaled by the layer's size"  # the student reads this when all is right
"""

import functools
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

Student = Callable[..., Any]


@dataclass(frozen=True)
class Check:
    """The result of a check: whether the answer is right, and a message that says what is right or wrong."""

    ok: bool
    message: str

    def __repr__(self) -> str:
        return f"{'✓' if self.ok else '✗'} {self.message}"


class Wrong(Exception):
    """The message says what is wrong in a student's answer."""


def verdict(check: Callable[[Student], str]) -> Callable[[Student], Check]:
    """Make `check` return a `Check`, with the text that it returns or with the message of the `Wrong` that it raises.

    Any other exception is a fault of the check itself; it is not caught.
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
    """Return `student(*arguments)`; raise `Wrong` if it is not solved, raises an error, or changes its arguments."""
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
    """Raise `Wrong` unless `result` has the type, the shape and the values of `expected`.

    Numbers, arrays and tensors may differ by `tolerance` times the largest expected value; anything else must be
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


def random_tensor(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Draw a tensor of this shape, uniform in [0, 1); the same seed gives the same tensor."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def _hint(got: np.ndarray, wanted: np.ndarray) -> str:
    """Return a remark if all values are wrong by the same factor, else an empty text."""
    scale = (got * wanted).sum() / max((wanted**2).sum(), 1e-12)
    if scale == 0 or wanted.size == 1 or np.abs(got - scale * wanted).max() > 1e-4 * np.abs(got).max():
        return ""
    return f": everything is {scale:.4g} times what it should be"


def _is_array(value: object) -> bool:
    return isinstance(value, (np.ndarray, Tensor))


def _array(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def _described(value: object) -> str:
    kind = "a torch tensor" if isinstance(value, Tensor) else f"of type {type(value).__name__}"
    return f"{kind} of shape {tuple(value.shape)}" if isinstance(value, (np.ndarray, Tensor)) else kind


def _place(student: Student, error: Exception) -> str:
    """Return the student's own line that raised `error`, " (line 3: return x @ y)", or an empty text."""
    file = getattr(getattr(student, "__code__", None), "co_filename", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" (line {frames[-1].lineno}: {frames[-1].line})" if frames and frames[-1].line else ""
