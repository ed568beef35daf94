"""The checks of chapter 02 name likely mistakes; test_exercises.py tests that they accept the solutions."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from answers import assert_says
from torch import Tensor, nn

from cnnlab.chapters import ch02_checks as checks
from cnnlab.training import Examples


def added_at(labels: Tensor, found: Tensor) -> Tensor:
    matrix = torch.zeros(10, 10, dtype=torch.long)
    matrix[labels, found] += 1
    return matrix


def switched(maps: Tensor, grad: Tensor) -> Tensor:
    return torch.where(enlarged(F.max_pool2d(maps, 2)) == maps, enlarged(grad), 0)


def enlarged(maps: Tensor) -> Tensor:
    return maps.repeat_interleave(2, 1).repeat_interleave(2, 2)


def full(grad: Tensor, kernel: Tensor) -> Tensor:
    return F.conv2d(F.pad(grad[None, None], (len(kernel) - 1,) * 4), kernel[None, None])[0, 0]


def curve(train: Examples, counts: list[int], learn: Callable) -> dict[int, float]:
    return {count: learn(Examples(*(part[:count] for part in train)), 28_000 // count) for count in counts}


def as_convolution(dense: nn.Linear, channels: int, h: int, w: int) -> nn.Conv2d:
    convolution = nn.Conv2d(channels, dense.out_features, (h, w))
    convolution.weight.data = dense.weight.view(-1, channels, h, w)
    convolution.bias.data = dense.bias.data
    return convolution


@pytest.mark.parametrize(
    ("check", "student", "said"),
    [
        (checks.check_sizes, lambda shape, layers: [26, 13, 11, 5], r"after conv \[25, 3\] is 26, expected \(25"),
        (checks.check_sizes, lambda shape, layers: [], "number of shapes is 0, expected 4"),
        (checks.check_sizes, lambda shape, layers: shape, "a list with one shape"),
        (checks.check_confusion, lambda a, b: torch.bincount(10 * a + b, minlength=100).view(10, 10), None),
        (
            checks.check_confusion,
            lambda a, b: torch.bincount(10 * b + a, minlength=100).view(10, 10),
            "columns swapped",
        ),
        (checks.check_confusion, added_at, "counts a pair that comes twice only once"),
        (checks.check_pool_backward, switched, None),
        (checks.check_pool_backward, lambda m, g: switched(m, g).double(), None),
        (checks.check_pool_backward, lambda m, g: enlarged(g), "all four positions"),
        (checks.check_pool_backward, lambda m, g: enlarged(g) / 4, "average pooling"),
        (checks.check_pool_backward, lambda m, g: switched(m, F.max_pool2d(m, 2)), "put the gradients there"),
        (checks.check_pool_backward, lambda m, g: g, r"has the shape \(2, 2, 3\), expected \(2, 4, 6\)"),
        (checks.check_conv_backward, lambda g, k: full(g, k.flip(0, 1)), None),
        (checks.check_conv_backward, lambda g, k: full(g, k.flip(0, 1)).double(), None),
        (checks.check_conv_backward, full, "does not flip the kernel"),
        (checks.check_conv_backward, lambda g, k: full(g, k.flip(0)), r"kernel \(3, 3\)\) at"),
        (checks.check_conv_backward, lambda g, k: g, "has the shape"),
        (checks.check_as_convolution, as_convolution, None),
        (checks.check_as_convolution, lambda d, c, h, w: as_convolution(d, c, h, w).double(), None),
        (checks.check_as_convolution, lambda d, c, h, w: d, "must return an nn.Conv2d"),
        (checks.check_as_convolution, lambda d, c, h, w: nn.Conv2d(c, 6, (w, h)), "shape of its weight"),
        (checks.check_as_convolution, lambda d, c, h, w: nn.Conv2d(c, 6, (h, w), bias=False), "its output"),
        (checks.check_learning_curve, curve, None),
        (checks.check_learning_curve, lambda t, c, learn: {n: learn(t, 28_000 // n) for n in c}, "is 0.6|expected"),
        (
            checks.check_learning_curve,
            lambda t, c, learn: {n: learn(Examples(*(part[:n] for part in t)), 8) for n in c},
            "you change two things",
        ),
        (checks.check_learning_curve, lambda t, c, learn: {10: 0.1, 40: 0.4}, "learn was called 0 times"),
        (checks.check_learning_curve, lambda t, c, learn: [0.1, 0.4], "expected"),
        (checks.check_learning_curve, lambda t, c, learn: {n: learn(t.images[:n], 8) for n in c}, "AttributeError"),
    ],
)
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
