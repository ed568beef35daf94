"""What the checks of chapters 05 and 06 say of likely mistakes; test_exercises.py tries the solutions."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from cnnlab.checks import Check
from cnnlab.exercises import deconvnet, probing


def first_of_window(maps: Tensor) -> Tensor:
    return maps.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).argmax(4)


def true_gradient(modules: list, image: Tensor, channel: int, y: int, x: int) -> Tensor:
    start = image.clone().requires_grad_()
    result = start
    for module in modules:
        result = module(result)
    return torch.autograd.grad(result[0, channel, y, x], start)[0]


def in_place(image: Tensor, places: list, patch: int) -> Tensor:
    for top, left in places:
        image[..., top : top + patch, left : left + patch] = 0.5
    return image.repeat(len(places), 1, 1, 1)


MISTAKES = {
    "only one condition": (deconvnet.check_guided, lambda g, x: g.clamp(min=0), "that is deconvnet's rule"),
    "the other one": (deconvnet.check_guided, lambda g, x: g * (x > 0), "that is backprop's rule"),
    "places in the window": (deconvnet.check_switches, first_of_window, r"places in the window \(0 to 3\)"),
    "no rule": (deconvnet.check_project, true_gradient, "that is the true gradient"),
    "all kept": (deconvnet.check_distinct, lambda places, d, n: places[:n], r"distinct\(45 places, 20, 9\) is"),
    "changed in place": (probing.check_covered_batch, in_place, "changes its argument number 1 in place"),
    "rounded": (probing.check_reached, lambda a, b, k, s, p: (max((a + p - k + 1) // s, 0), (b + p) // s), "reached"),
    "one number": (probing.check_reached, lambda a, b, k, s, p: a, "expected two numbers"),
    "not relative": (probing.check_relative_distance, lambda a, b: (b - a).flatten(1).norm(dim=1), "everything is"),
    "not turned": (probing.check_pinwheel, lambda image: image.repeat(1, 1, 2, 2), "a quarter turn changes it"),
}  # fmt: skip


@pytest.mark.parametrize(("check", "student", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_named(check: Callable[[Callable], Check], student: Callable, said: str) -> None:
    result = check(student)
    assert not result.ok
    assert re.search(said, result.message), result.message
