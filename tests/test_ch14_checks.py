"""The checks of chapter 14 name likely mistakes. (test_exercises.py: they accept the solutions.)"""

from collections.abc import Callable

import pytest
import torch
from answers import assert_says
from torch import Tensor

from cnnlab.chapters import ch14_checks
from cnnlab.nets import Net
from cnnlab.steps import l2_ball


def signed(image: Tensor, grad: Tensor, rate: float, center: Tensor, eps: float = 1.0) -> Tensor:
    return center + (image - rate * grad.sign() - center).clamp(-eps, eps)


def stepped(image: Tensor, grad: Tensor, rate: float) -> Tensor:
    return image - rate * grad / grad.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def share(net: Net, images: Tensor, target: int, kept: Callable = torch.round) -> float:
    return (net(kept(255 * images) / 255).argmax(1) == target).double().mean().item()


def universal(perturbation: Tensor, grads: Tensor, eps: float, rate: float) -> Tensor:
    return (perturbation - rate * grads.sum(0, keepdim=True).sign()).clamp(-eps, eps)


MISTAKES = {
    "squares": (ch14_checks.check_flips_at, lambda w, x: (x @ w).abs() / w.norm(), "not their squares"),
    "negative": (ch14_checks.check_flips_at, lambda w, x: x @ w / w.abs().sum(), "at least 0"),
    "uphill": (ch14_checks.check_step, lambda i, g, c, e, r: signed(i, -g, r, c, e).clamp(0, 1), "must fall"),
    "out of the range": (ch14_checks.check_step, lambda i, g, c, e, r: signed(i, g, r, c, e), r"in \[0, 1\]"),
    "out of the ball": (ch14_checks.check_step, lambda i, g, c, e, r: signed(i, g, r, c).clamp(0, 1), "the ball"),
    "of the batch": (ch14_checks.check_l2_step, lambda i, g, c, e, r: i - r * g / g.norm(), "its own length"),
    "without the sign": (ch14_checks.check_step, lambda i, g, c, e, r: (i - r * g).clamp(0, 1), "use the sign"),
    "no ball": (ch14_checks.check_l2_step, lambda i, g, c, e, r: stepped(i, g, r), "shrink their distance"),
    "clipped": (
        ch14_checks.check_l2_step,
        lambda i, g, c, e, r: l2_ball(c, e)(stepped(i, g, r)).clamp(0, 1),
        "do not clip",
    ),
    "up the hill": (ch14_checks.check_l2_step, lambda i, g, c, e, r: stepped(i, -g, r), "must fall"),
    "with the label": (ch14_checks.check_margin, lambda y, k: y[range(6), k] - y.amax(1), "leave the label itself out"),
    "0 for the label": (
        ch14_checks.check_margin,
        lambda y, k: y[range(6), k] - y.scatter(1, k[:, None], 0.0).amax(1),
        "a 0 in the label",
    ),
    "before saving": (
        ch14_checks.check_share_after_saving,
        lambda n, i, t: share(n, i, t, lambda x: x),
        "before saving",
    ),
    "rounded down": (ch14_checks.check_share_after_saving, lambda n, i, t: share(n, i, t, torch.floor), "not down"),
    "signs first": (
        ch14_checks.check_universal_step,
        lambda r, g, e, t: universal(r, g.sign(), e, t),
        "first, and take",
    ),
    "all numbers alike": (
        ch14_checks.check_universal_step,
        lambda r, g, e, t: r - t * g.mean(0)[None].sign(),
        "the ball",
    ),
    "up for all": (ch14_checks.check_universal_step, lambda r, g, e, t: universal(r, -g, e, t), "must fall"),
    "a count": (ch14_checks.check_share_after_saving, lambda n, i, t: 7 * share(n, i, t), "not the number of images"),
}


@pytest.mark.parametrize(("check", "student", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_named(check: Callable, student: Callable, said: str) -> None:
    assert_says(check, student, said)


def test_answers_in_float64_are_answers() -> None:
    def l2_step(image: Tensor, grad: Tensor, center: Tensor, eps: float, rate: float) -> Tensor:
        return l2_ball(center.double(), eps)(stepped(image.double(), grad.double(), rate))

    assert_says(ch14_checks.check_l2_step, l2_step, None)
    assert_says(ch14_checks.check_flips_at, lambda w, x: (x @ w).abs().double() / w.abs().sum(), None)
