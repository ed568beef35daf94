"""The checks of chapter 05 name likely mistakes; test_exercises.py tests that they accept the solutions."""

from collections.abc import Callable

import pytest
import torch
from answers import assert_says
from torch import Tensor
from torch.nn.functional import cosine_similarity as cosine

from cnnlab.chapters import ch05_checks as checks


def first_of_window(maps: Tensor) -> Tensor:
    return maps.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4).argmax(4)


def true_gradient(modules: list, image: Tensor, channel: int, y: int, x: int) -> Tensor:
    start = image.clone().requires_grad_()
    result = start
    for module in modules:
        result = module(result)
    return torch.autograd.grad(result[0, channel, y, x], start)[0]


def cosines(a: Tensor, b: Tensor) -> Tensor:
    return cosine(a.flatten(1), b.flatten(1))


ANSWERS = {
    "right, in float64": (checks.check_guided, lambda g, x: (g.clamp(min=0) * (x > 0)).double(), None),
    "only one condition": (checks.check_guided, lambda g, x: g.clamp(min=0), "that is deconvnet's rule"),
    "the other one": (checks.check_guided, lambda g, x: g * (x > 0), "that is backprop's rule"),
    "positions in the window": (checks.check_switches, first_of_window, r"positions in the window \(0 to 3\)"),
    "no rule": (checks.check_project, true_gradient, "that is the true gradient"),
    "right mean, in float64": (checks.check_mean_cosine, lambda a, b: cosines(a.double(), b.double()).mean(), None),
    "one for each pair": (checks.check_mean_cosine, cosines, "take their mean"),
    "of the whole batch": (checks.check_mean_cosine, lambda a, b: cosines(a[None], b[None])[0], "batch with batch"),
    "no division": (checks.check_mean_cosine, lambda a, b: (a * b).flatten(1).sum(1).mean(), "expected"),
    "over the channels": (checks.check_mean_cosine, lambda a, b: cosine(a, b).mean(), "all its channels at once"),
}


@pytest.mark.parametrize(("check", "student", "said"), ANSWERS.values(), ids=ANSWERS.keys())
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
