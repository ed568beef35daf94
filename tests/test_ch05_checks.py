"""The checks of chapters 05, 06 and 07 name likely mistakes; test_exercises.py tests that they accept the solutions."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from answers import assert_says
from torch import Tensor

from cnnlab.chapters import ch05_checks, ch06_checks, ch07_checks
from cnnlab.techniques.occlusion import cover


def first_of_window(maps: Tensor) -> Tensor:
    return maps.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).argmax(4)


def true_gradient(modules: list, image: Tensor, channel: int, y: int, x: int) -> Tensor:
    start = image.clone().requires_grad_()
    result = start
    for module in modules:
        result = module(result)
    return torch.autograd.grad(result[0, channel, y, x], start)[0]


def in_place(image: Tensor, positions: list, patch: int) -> Tensor:
    for top, left in positions:
        image[..., top : top + patch, left : left + patch] = 0.5
    return image.repeat(len(positions), 1, 1, 1)


def one_by_one(image: Tensor, positions: list, patch: int, score: Callable) -> list:
    return [score(image), *(score(cover(image, top, left, patch)) for top, left in positions)]


def rounded_down(first: int, last: int, kernel: int, stride: int, padding: int) -> tuple[int, int]:
    return max((first + padding - kernel + 1) // stride, 0), (last + padding) // stride


def swap(image: Tensor, other: Tensor, top: int, left: int, patch: int) -> Tensor:
    covered = image.clone()
    covered[..., top : top + patch, left : left + patch] = other[..., top : top + patch, left : left + patch]
    return covered


def relative(difference: Tensor, a: Tensor) -> Tensor:
    return difference.flatten(1).norm(dim=1) / a.norm()


def through_zero(sizes: Tensor, values: Tensor) -> Tensor:
    return (sizes.log() * values.log()).sum() / sizes.log().square().sum()


MISTAKES = {
    "only one condition": (ch05_checks.check_guided, lambda g, x: g.clamp(min=0), "that is deconvnet's rule"),
    "the other one": (ch05_checks.check_guided, lambda g, x: g * (x > 0), "that is backprop's rule"),
    "positions in the window": (ch05_checks.check_switches, first_of_window, r"positions in the window \(0 to 3\)"),
    "no rule": (ch05_checks.check_project, true_gradient, "that is the true gradient"),
    "all kept": (ch05_checks.check_distinct, lambda positions, d, n: positions[:n], r"45 positions, 20, 9\) is"),
    "changed in place": (ch06_checks.check_covered_batch, in_place, "changes its argument number 1 in place"),
    "rounded down": (ch06_checks.check_reached, rounded_down, "reached"),
    "one number": (ch06_checks.check_reached, lambda a, b, k, s, p: a, "must return two numbers"),
    "each patch alone": (ch06_checks.check_deletion_curve, one_by_one, "keep the earlier patches"),
    "the first one left out": (ch06_checks.check_deletion_curve, lambda *a: one_by_one(*a)[1:], "has 4 entries"),
    "the other image": (ch06_checks.check_cover_with, lambda i, o, *square: swap(o, i, *square), "of the first one"),
    "the whole map": (ch07_checks.check_pooled_distance, lambda a, b: relative(b - a, a), "of the whole maps"),
    "through 0": (ch07_checks.check_exponent, through_zero, "through 0"),
    "no logarithms": (ch07_checks.check_exponent, lambda s, v: float(np.polyfit(s, v, 1)[0]), "expected"),
    "not relative": (ch07_checks.check_relative_distance, lambda a, b: (b - a).flatten(1).norm(dim=1), "everything is"),
    "not turned": (ch07_checks.check_pinwheel, lambda image: image.repeat(1, 1, 2, 2), "a quarter turn changes it"),
}  # fmt: skip


@pytest.mark.parametrize(("check", "student", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_named(check: Callable, student: Callable, said: str) -> None:
    assert_says(check, student, said)
