"""The checks of chapter 13 name likely mistakes; test_exercises.py tests that they accept the solutions."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from answers import assert_says
from torch import Tensor

from cnnlab.chapters import ch13_checks as checks


def psi(activations: Tensor, channel: int) -> Tensor:
    return F.one_hot(torch.tensor(channel), activations.shape[1]).view(1, -1, 1, 1) * activations.sum(1, keepdim=True)


def likeness(descriptions: Tensor, diagonal: float = -2) -> Tensor:
    rows = F.normalize(descriptions, dim=1)
    return (rows @ rows.T).fill_diagonal_(diagonal)


def unscaled(descriptions: Tensor) -> Tensor:
    return (descriptions @ descriptions.T).fill_diagonal_(-1).argmax(1)


def found_with(descriptions: Tensor, owners: Tensor, k: int, diagonal: float = -2) -> int:
    top = descriptions.topk(k, dim=1)
    kept = torch.zeros_like(descriptions).scatter(1, top.indices, top.values)
    return int((owners[likeness(kept, diagonal).argmax(1)] == owners).sum())


ANSWERS = {
    "psi": (checks.check_keep_channel, psi, None),
    "own map only": (checks.check_keep_channel, lambda a, k: a * (psi(a + 1, k) > 0), "the sum over all maps"),
    "not divided": (checks.check_reweight, lambda a, shares: a * shares.view(1, -1, 1, 1), "by its own sum first"),
    "nearest": (checks.check_nearest, lambda d: likeness(d).argmax(1), None),
    "itself": (checks.check_nearest, lambda d: likeness(d, 1).argmax(1), "each is nearest to itself"),
    "itself or the longest": (checks.check_nearest, lambda d: (d @ d.T).argmax(1), "scale each"),
    "not scaled": (checks.check_nearest, unscaled, "scale each one to length 1"),
    "found": (checks.check_found_with, found_with, None),
    "found itself": (checks.check_found_with, lambda d, o, k: found_with(d, o, k, 1), "leave it out"),
    "a share": (checks.check_found_with, lambda d, o, k: found_with(d, o, k) / len(d), "not which share"),
    "all numbers": (checks.check_found_with, lambda d, o, k: found_with(d, o, d.shape[1]), "expected"),
}  # fmt: skip


@pytest.mark.parametrize(("check", "student", "said"), ANSWERS.values(), ids=ANSWERS.keys())
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)


def test_messages_use_the_name_that_the_student_gave() -> None:
    def my_psi(activations: Tensor, channel: int) -> Tensor:
        return activations

    assert checks.check_keep_channel(my_psi).message.startswith("my_psi(activations of shape (2, 5, 3, 4), 0)")
