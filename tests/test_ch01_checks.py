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


RISING = np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]])


@pytest.mark.parametrize(
    ("check", "student", "said"),
    [
        (checks.check_output_size, lambda n, k, s, p: (n + 2 * p - k) // s + 1, None),
        (checks.check_output_size, lambda n, k, s, p: (n - k) // s + 1, r"output_size\(9, 5, 3, 2\) is 2, expected 3"),
        (checks.check_output_size, lambda n, k, s, p: (n + 2 * p - k) / s + 1, r"\(8, 3, 2, 0\) is 3.5, expected 3"),
        (checks.check_conv_parameters, lambda c, f, k: f * (c * k * k + 1), None),
        (checks.check_conv_parameters, lambda c, f, k: f * c * k * k, r"\(1, 25, 3\) is 225, expected 250"),
        (checks.check_max_pool, torch_max_pool, None),
        (checks.check_max_pool, lambda m, size, stride: torch_max_pool(m, size, size), r"3, 2\) has the shape"),
        (checks.check_max_pool, lambda m, size, stride: torch_max_pool(m, size, stride, 1), r"has the shape|is 0"),
        (checks.check_conv2d, torch_conv2d, None),
        (checks.check_conv2d, lambda i, f, s, p: torch_conv2d(i, f[..., ::-1, ::-1].copy(), s, p), "turns the kernels"),
        (checks.check_conv2d, lambda i, f, s, p: torch_conv2d(i, f, s, 0), r"3, 3\), 1, 1\) has the shape"),
        (checks.check_diagonal_kernel, lambda: RISING, None),
        (checks.check_diagonal_kernel, lambda: [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]], None),  # a line's detector
        (checks.check_diagonal_kernel, lambda: RISING + 1, "an even area must give 0, but the numbers sum to 9"),
        (checks.check_diagonal_kernel, lambda: RISING[:, ::-1], "rising edges must clearly give the largest"),
        (checks.check_diagonal_kernel, lambda: [[0, 1, 0], [1, -4, 1], [0, 1, 0]], "rising edges must"),
        (checks.check_diagonal_kernel, lambda: np.eye(2), r"shape \(2, 2\), expected \(3, 3\)"),
    ],
)
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
