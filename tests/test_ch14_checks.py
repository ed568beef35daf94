"""The checks of chapters 02, 03, 10, 13 and 14 name likely mistakes. (test_exercises.py: they accept the solutions.)"""

from collections.abc import Callable

import pytest
import torch
from answers import assert_says
from torch import Tensor

from cnnlab.chapters import ch02_checks, ch03_checks, ch10_checks, ch13_checks, ch14_checks


def counted_once(labels: Tensor, found: Tensor) -> Tensor:
    counts = torch.zeros(10, 10, dtype=torch.long)
    counts[labels, found] += 1
    return counts


def swapped(labels: Tensor, found: Tensor) -> Tensor:
    return torch.bincount(10 * found + labels, minlength=100).view(10, 10)


def moved(score: Callable, image: Tensor, rate: float, steps: int, high: float = 1.0) -> Tensor:
    for _ in range(steps):
        start = image.clone().requires_grad_()
        image = (image + rate * torch.autograd.grad(score(start).sum(), start)[0]).clamp(0, high)
    return image


def decibels(image: Tensor, other: Tensor, logarithm: Callable, factor: float) -> Tensor:
    return factor * logarithm((image - other).square().mean((1, 2, 3)))


def undefined(activations: Tensor, target: Tensor) -> Tensor:
    return (activations - target).square().sum((2, 3)) / target.square().sum((2, 3))


def alone(activations: Tensor, channel: int) -> Tensor:
    return activations * (torch.arange(activations.shape[1]) == channel).view(1, -1, 1, 1)


def signed(image: Tensor, grad: Tensor, rate: float, center: Tensor, eps: float = 1.0) -> Tensor:
    return center + (image - rate * grad.sign() - center).clamp(-eps, eps)


MISTAKES = {
    "counted once": (ch02_checks.check_confusion, counted_once, "add 1 for each image"),
    "swapped": (ch02_checks.check_confusion, swapped, "rows and columns swapped"),
    "downhill": (ch03_checks.check_ascend, lambda s, i, r, n: moved(s, i, -r, n), "goes downhill"),
    "not clipped": (ch03_checks.check_ascend, lambda s, i, r, n: moved(s, i, r, n, 9.0), "clip after each step"),
    "no gradient": (ch03_checks.check_map_sum, lambda a, k: a[:, k].sum((1, 2)).detach(), "loses the gradient"),
    "sign": (ch10_checks.check_psnr, lambda i, o: decibels(i, o, torch.log10, 10), "check the sign"),
    "natural": (ch10_checks.check_psnr, lambda i, o: decibels(i, o, torch.log, -10), "base 10"),
    "cancelled": (ch10_checks.check_alpha_norm, lambda i, a: (i - 0.5).pow(a).mean((1, 2, 3)), "cancel out"),
    "0 / 0": (ch10_checks.check_unexplained, undefined, "divide by 0"),
    "own map": (ch13_checks.check_keep_channel, alone, "the sum over all maps"),
    "not divided": (ch13_checks.check_reweight, lambda a, s: a * s.view(1, -1, 1, 1), "its own sum first"),
    "itself": (ch13_checks.check_nearest, lambda d: torch.cdist(d, d).argmin(1), "leave the diagonal out"),
    "length": (ch13_checks.check_nearest, lambda d: (d @ d.T).fill_diagonal_(0).argmax(1), "expected"),
    "squares": (ch14_checks.check_flips_at, lambda w, x: (x @ w).abs() / w.norm(), "not their squares"),
    "negative": (ch14_checks.check_flips_at, lambda w, x: x @ w / w.abs().sum(), "at least 0"),
    "uphill": (ch14_checks.check_step, lambda i, g, c, e, r: signed(i, -g, r, c, e).clamp(0, 1), "must fall"),
    "out of the range": (ch14_checks.check_step, lambda i, g, c, e, r: signed(i, g, r, c, e), r"in \[0, 1\]"),
    "out of the ball": (ch14_checks.check_step, lambda i, g, c, e, r: signed(i, g, r, c).clamp(0, 1), "the ball"),
    "of the batch": (ch14_checks.check_l2_step, lambda i, g, c, e, r: i - r * g / g.norm(), "its own length"),
    "with the label": (ch14_checks.check_margin, lambda y, k: y[range(6), k] - y.amax(1), "leave the label itself out"),
}


@pytest.mark.parametrize(("check", "student", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_named(check: Callable, student: Callable, said: str) -> None:
    assert_says(check, student, said)
