"""Checks of the exercises: a check runs a student's function on hard input and says in words what is wrong.

A check is a function that takes the student's function and returns a `Check`. The `Check` shows as one line under the
cell. A check raises nothing, so a notebook with an unsolved exercise still runs to its end. To write one:

    @verdict("there is one matrix per image, whatever its height and width")  # the student reads this if all is right
    def check_gram(gram: Student) -> None:
        activations = random_tensor((2, 3, 4, 5))  # non-square, batched
        result, expected = gram(activations), gram_matrix(activations)
        refuse(result, 20 * expected, "take the mean over the positions, not the sum")  # a likely mistake
        same(result, expected, f"{gram}(activations of shape (2, 3, 4, 5))")

In a text, `{gram}` is the student's own name for the function. A result may have any type: hand it to `same`, `alike`,
`refuse`, `within`, `numbers` or `tensor_of`, which raise nothing but `Wrong`, before you do anything else with it.
float32 and float64 are alike; NumPy arrays and torch tensors are not.
"""

import functools
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

ARRAYS = (np.ndarray, Tensor)


@dataclass(frozen=True)
class Check:
    """The result of a check: whether the answer is right, and a message that says what is right or wrong."""

    ok: bool
    message: str

    def __repr__(self) -> str:
        return f"{'✓' if self.ok else '✗'} {self.message}"


class Wrong(Exception):
    """The message says what is wrong in a student's answer."""


class Student:
    """A student's function in a check: it is called through `answer`, and in a text it is its own name."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.last: Any = None  # what it returned last

    def __call__(self, *arguments: Any) -> Any:
        self.last = answer(self.function, *arguments)
        return self.last

    def __str__(self) -> str:
        return _name(self.function)


def verdict(praise: str) -> Callable[[Callable[[Student], None]], Callable[[Callable[..., Any]], Check]]:
    """Make a check return a `Check`, with the text `praise` or with the message of the `Wrong` that the check raises.

    If the check stops at a result of a form that its author did not think of, the message says so. An error before the
    first result is a fault of the check itself; it is not caught.
    """

    def decorated(check: Callable[[Student], None]) -> Callable[[Callable[..., Any]], Check]:
        @functools.wraps(check)
        def judged(function: Callable[..., Any]) -> Check:
            student = Student(function)
            try:
                check(student)
            except Wrong as wrong:
                return Check(False, str(wrong))
            except Exception as error:
                if student.last is None:
                    raise
                form = f"it is {_described(student.last)} ({type(error).__name__})"
                return Check(False, f"the check does not understand the result of {student}: {form}")
            return Check(True, praise)

        return judged

    return decorated


def answer(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return `function(*arguments)`; raise `Wrong` if it is not solved, raises an error, or changes its arguments."""
    require(callable(function), f"expected your function, by its name without parentheses, got {_described(function)}")
    name = _name(function)
    before = [_plain(argument) for argument in arguments]
    try:
        result = function(*arguments)
    except NotImplementedError:
        raise Wrong(f"{name} is not solved yet") from None
    except Exception as error:
        first_line = (str(error).splitlines() or [""])[0]
        raise Wrong(f"{name} stopped with {type(error).__name__}: {first_line}{_place(function, error)}") from error
    if result is None or result is ...:
        raise Wrong(f"{name} is not solved yet: it returns nothing")
    for number, (old, argument) in enumerate(zip(before, arguments, strict=True), start=1):
        require(_plain(argument) == old, f"{name} changes its argument number {number} in place: work on a copy")
    return result


def require(condition: bool | np.bool_, message: str) -> None:
    """Raise `Wrong` with `message` unless `condition`."""
    if not condition:
        raise Wrong(message)


def alike(result: Any, other: Any, tolerance: float = 1e-4) -> bool:
    """Say whether two results have the same type, shape and values; `same` says what the tolerance means."""
    try:
        same(result, other, "", tolerance)
    except Wrong:
        return False
    return True


def refuse(result: Any, mistake: Any, message: str) -> None:
    """Raise `Wrong` with `message` if `result` equals `mistake`, which a likely mistake gives."""
    require(not alike(result, mistake), message)


def within(result: Any, low: float, high: float, message: str) -> None:
    """Raise `Wrong` with `message` unless all numbers of `result` lie between `low` and `high`."""
    found = numbers(result, "the result")
    require(((found >= low - 1e-9) & (found <= high + 1e-9)).all(), message)


def same(result: Any, expected: Any, what: str, tolerance: float = 1e-5) -> None:
    """Raise `Wrong` unless `result` has the type, the shape and the values of `expected`.

    Numbers, arrays, tensors and lists of floats may differ by `tolerance` times the largest expected value; so may the
    parts of a tuple, a list or a dict. Anything else must be equal, but a list may stand for a tuple. `what` names the
    result for the student: f"{gram}(activations of shape (2, 3, 4, 5))".
    """
    floats = isinstance(expected, list) and all(isinstance(value, float) for value in expected)
    if not (floats or isinstance(expected, (*ARRAYS, int, float))):
        require(_equal(result, expected, tolerance), f"{what} is {_shown(result)}, expected {_shown(expected)}")
        return
    bools, wish = _is_bool(expected), _described(expected)
    kind = Tensor if isinstance(expected, Tensor) else type(expected)  # a parameter is a tensor, too
    fits = isinstance(expected, (int, float)) or isinstance(result, kind)
    require(fits and (_is_bool(result) or not bools), f"{what} is {_described(result)}, expected {wish}")
    got, wanted = numbers(result, what, wish), numbers(expected, what)
    require(not floats or len(got) == len(wanted), f"{what} has {got.size} entries, expected {wanted.size}")
    require(got.shape == wanted.shape, f"{what} has the shape {got.shape}, expected {wanted.shape or 'a number'}")
    require((np.isfinite(got) | (got == wanted)).all(), f"{what} has values that are not finite (NaN or infinity)")
    error = np.abs(np.subtract(got, wanted, out=np.zeros_like(wanted), where=got != wanted))
    if error.size and error.max() > tolerance * np.abs(wanted[np.isfinite(wanted)]).max(initial=1e-12):
        where = tuple(int(index) for index in np.unravel_index(error.argmax(), error.shape))
        place = f" at {list(where)}" if where else ""
        pair = [str(values[where] > 0) if bools else f"{values[where]:.6g}" for values in (got, wanted)]
        hint = "" if bools or wanted.size == 1 else _hint(got, wanted)
        raise Wrong(f"{what}{place} is {pair[0]}, expected {pair[1]}{hint}")


def numbers(value: Any, what: str, expected: str = "numbers") -> np.ndarray:
    """Return a number, an array, a tensor or a list of them as an array of floats; raise `Wrong` for anything else."""
    try:
        found = np.asarray(_plain(value))
        if found.dtype.kind in "biuf":
            return found.astype(float)
    except Exception:  # whatever an odd type raises
        pass
    raise Wrong(f"{what} is {_described(value)}, expected {expected}")


def tensor_of(shape: tuple[int, ...], result: Any, what: str) -> Tensor:
    """Return `result` in float64 and without its graph; raise `Wrong` unless it is a torch tensor of this shape."""
    kind = f"a torch tensor of shape {shape}"
    require(isinstance(result, Tensor) and result.shape == shape, f"{what} is {_described(result)}, expected {kind}")
    return torch.from_numpy(numbers(result, what, kind))


def random_tensor(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Draw a tensor of this shape, uniform in [0, 1); the same seed gives the same tensor."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def _hint(got: np.ndarray, wanted: np.ndarray) -> str:
    """Return a remark if all values are wrong by the same factor, else an empty text."""
    scale = (got * wanted).sum() / max((wanted**2).sum(), 1e-12)
    if scale == 0 or np.abs(got - scale * wanted).max() > 1e-4 * np.abs(got).max():
        return ""
    return f": everything is {scale:.4g} times what it should be"


def _equal(result: Any, expected: Any, tolerance: float) -> bool:
    if isinstance(expected, dict):
        same_keys = isinstance(result, dict) and result.keys() == expected.keys()
        return same_keys and all(alike(result[key], part, tolerance) for key, part in expected.items())
    if isinstance(expected, (tuple, list)):
        same_length = isinstance(result, (tuple, list)) and len(result) == len(expected)
        return same_length and all(alike(*parts, tolerance) for parts in zip(result, expected, strict=True))
    return type(result) is type(expected) and bool(result == expected)


def _is_bool(value: object) -> bool:
    return str(getattr(value, "dtype", "")).endswith("bool")


def _plain(value: Any) -> Any:
    """Turn lists and dicts into tuples, arrays and tensors into lists of numbers; keep anything else."""
    if isinstance(value, (list, tuple)):
        return tuple(_plain(item) for item in value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.tolist() if isinstance(value, (np.generic, *ARRAYS)) else value


def _described(value: object) -> str:
    if not isinstance(value, ARRAYS):
        return f"of type {type(value).__name__}"
    kind = "a torch tensor" if isinstance(value, Tensor) else "a NumPy array"
    return f"{kind} of shape {tuple(value.shape)} and dtype {str(value.dtype).removeprefix('torch.')}"


def _shown(value: object) -> str:
    """Return the value as it is written in Python, in one line and at most 200 characters; describe an array."""
    text = _described(value) if isinstance(value, ARRAYS) else " ".join(repr(value).split())
    return text if len(text) <= 200 else f"{text[:197]}..."


def _name(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", "your function"))


def _place(function: Callable[..., Any], error: Exception) -> str:
    """Return the student's own line that raised `error`, " (line 3: return x @ y)", or an empty text."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" (line {frames[-1].lineno}: {frames[-1].line})" if frames and frames[-1].line else ""
