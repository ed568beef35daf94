"""The checks of chapter 01 name likely mistakes; test_exercises.py tests that they accept the solutions."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from answers import assert_says

from cnnlab.chapters import ch01_checks as checks


def torch_conv2d(image: np.ndarray, filters: np.ndarray, stride: int, padding: int) -> np.ndarray:
    return F.conv2d(torch.tensor(image)[None], torch.tensor(filters), stride=stride, padding=padding)[0].numpy()


def torch_max_pool(maps: np.ndarray, size: int, stride: int, padding: int = 0) -> np.ndarray:
    if padding:
        maps = np.pad(maps, [(0, 0), (0, padding), (0, padding)])
    return F.max_pool2d(torch.tensor(maps), size, stride).numpy()


def torch_dilated(image: np.ndarray, kernel: np.ndarray, **how: int) -> np.ndarray:
    return F.conv2d(torch.tensor(image)[None, None], torch.tensor(kernel)[None, None], **how)[0, 0].numpy()


def products(c: int, f: int, k: int, n: int, s: int, p: int) -> int:
    return f * c * k * k * ((n + 2 * p - k) // s + 1) ** 2


def shift(
    image: np.ndarray, window: int, *, stride: int = 8, pool: Callable = F.avg_pool2d, center: bool = True
) -> float:
    here, there = (pool(torch.tensor(view)[None], window, stride)[0] for view in (image[:, :-1], image[:, 1:]))
    return float((there - here).norm() / (here - center * here.mean()).norm())


RISING = np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]])


@pytest.mark.parametrize(
    ("check", "student", "said"),
    [
        (checks.check_multiplications, products, None),
        (checks.check_multiplications, lambda *a: float(products(*a)), None),
        (checks.check_multiplications, lambda c, *a: products(1, *a), "a kernel for each of the 3 channels"),
        (checks.check_multiplications, lambda c, f, k, n, s, p: f * c * k * k * ((n - k) // s + 1), "4 rows"),
        (checks.check_multiplications, lambda c, f, k, n, s, p: f * c * k * k * n * n, "fewer fit"),
        (checks.check_multiplications, lambda c, *a: products(c, *a) + products(1, a[0], 1, *a[2:]), "expected|bias"),
        (
            checks.check_multiplications,
            lambda c, f, k, n, s, p: products(c, f, k, n, s, 0),
            r"9, 3, 2\) is 800, expected",
        ),
        (checks.check_multiplications, lambda *a: "many", "multiplications|lambda"),
        (checks.check_max_pool, torch_max_pool, None),
        (checks.check_max_pool, lambda m, *a: torch_max_pool(m.astype(float), *a), None),  # float64 is an answer
        (checks.check_max_pool, lambda m, size, stride: torch_max_pool(m, size, size), "2 apart, not 3"),
        (checks.check_max_pool, lambda m, size, stride: torch_max_pool(m, size, stride, 1), r"has the shape|is 0"),
        (checks.check_max_pool, lambda m, *a: F.avg_pool2d(torch.tensor(m), *a).numpy(), "averages"),
        (checks.check_conv2d, torch_conv2d, None),
        (checks.check_conv2d, lambda i, f, s, p: torch_conv2d(i, f[..., ::-1, ::-1].copy(), s, p), "turns the kernels"),
        (checks.check_conv2d, lambda i, f, s, p: torch_conv2d(i, f, s, 0), r"3, 3\), 1, 1\) has the shape"),
        (
            checks.check_conv2d,
            lambda i, f, s, p: torch_conv2d(np.pad(i, [(0, 0), (p, p), (p, p)], mode="edge"), f, s, 0),
            "repeats the edge",
        ),
        (checks.check_dilated, lambda i, k, d: torch_dilated(i, k, dilation=d), None),
        (checks.check_dilated, lambda i, k, d: torch_dilated(i, k, stride=d), "is a stride"),
        (
            checks.check_dilated,
            lambda i, k, d: torch_dilated(i, k, dilation=max(d - 1, 1)),
            "2 pixels apart, with 1 between",
        ),
        (checks.check_dilated, lambda i, k, d: [1, 2], "expected"),
        (checks.check_diagonal_kernel, lambda: RISING, None),
        (checks.check_diagonal_kernel, lambda: [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]], None),  # a line's detector
        (checks.check_diagonal_kernel, lambda: RISING + 1, "an even area must give 0, but the numbers sum to 9"),
        (checks.check_diagonal_kernel, lambda: RISING[:, ::-1], "rising edges must clearly give the largest"),
        (checks.check_diagonal_kernel, lambda: [[0, 1, 0], [1, -4, 1], [0, 1, 0]], "rising edges must"),
        (checks.check_diagonal_kernel, lambda: np.eye(2), r"shape \(2, 2\), expected \(3, 3\)"),
        (checks.check_diagonal_kernel, lambda: np.full((3, 3), np.nan), "not finite"),
        (checks.check_shift_sensitivity, shift, None),
        (checks.check_shift_sensitivity, lambda i, w: shift(i, w, stride=w), "the stride stays 8"),
        (checks.check_shift_sensitivity, lambda i, w: shift(i, w, pool=F.max_pool2d), "not its maximum"),
        (checks.check_shift_sensitivity, lambda i, w: shift(i, w, center=False), "subtract the mean first"),
        (checks.check_shift_sensitivity, lambda i, w: shift(i, w) ** 2, "take the root"),
        (checks.check_shift_sensitivity, lambda i, w: shift(i.T, w), r"57 equal columns, 4\) is .*, expected 0"),
    ],
)
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
