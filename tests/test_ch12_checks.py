"""The checks of chapter 12 name likely mistakes; test_exercises.py tests that they accept the solutions."""

from collections.abc import Callable

import pytest
import torch
from answers import assert_says
from torch import Tensor

from cnnlab.chapters import ch12_checks as checks


def summed(activations: Tensor) -> Tensor:
    return torch.einsum("bihw,bjhw->bij", activations, activations)


def of_positions(activations: Tensor) -> Tensor:
    flat = activations.flatten(2)
    return flat.mT @ flat / flat.shape[2]


def centered(activations: Tensor, dims: tuple[int, ...]) -> Tensor:
    return summed(activations - activations.mean(dims, keepdim=True)) / activations[0, 0].numel()


def gradient(flat: Tensor, target: Tensor, factor: float = 1.0) -> Tensor:
    positions, channels = flat.shape
    return factor * flat @ (flat.mT @ flat - target) / (channels * positions) ** 2


def share(activations: Tensor, diagonal: bool = False) -> Tensor:
    matrix, mean = summed(activations) / activations[0, 0].numel(), activations.mean((2, 3))
    part = matrix.diagonal(dim1=1, dim2=2).square().sum(1) if diagonal else mean.square().sum(1).square()
    return part / matrix.square().sum((1, 2))


def brightness(image: Tensor) -> Tensor:
    return image.mean(1, keepdim=True)


ANSWERS = {
    "double": (checks.check_gram, lambda a: summed(a.double()) / 20, None),
    "sums": (checks.check_gram, summed, "everything is 20 times"),
    "pairs of positions": (checks.check_gram, of_positions, "not positions"),
    "batch lost": (checks.check_gram, lambda a: (summed(a) / 20).mean(0), "one matrix per image"),
    "not centered": (checks.check_covariance, lambda a: summed(a) / 15, "the means are still in it"),
    "one mean": (checks.check_covariance, lambda a: centered(a, (1, 2, 3)), "a mean of its own"),
    "unbiased": (checks.check_covariance, lambda a: centered(a, (2, 3)) * 15 / 14, "everything is 1.071 times"),
    "wrong way": (checks.check_style_gradient, lambda f, a: gradient(f, a, -1), "the sign is wrong"),
    "factor": (checks.check_style_gradient, lambda f, a: gradient(f, a, 2), "everything is 2 times"),
    "the other one": (checks.check_own_colors, lambda s, p: (s + brightness(p) - brightness(s)), "painting's colors"),
    "too bright": (checks.check_own_colors, lambda s, p: p + brightness(s) - brightness(p), r"stays in \[0, 1\]"),
    "share": (checks.check_share_of_means, share, None),
    "diagonal": (checks.check_share_of_means, lambda a: share(a, diagonal=True), "the share of the diagonal"),
    "not squared": (checks.check_share_of_means, lambda a: share(a).sqrt(), "both sizes are squared"),
    "the rest": (checks.check_share_of_means, lambda a: 1 - share(a), "leave over"),
}  # fmt: skip


@pytest.mark.parametrize(("check", "student", "said"), ANSWERS.values(), ids=ANSWERS.keys())
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
