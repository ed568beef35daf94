"""The checks of chapter 10 name likely mistakes; test_exercises.py tests that they accept the solutions."""

from collections.abc import Callable

import pytest
import torch
from answers import assert_says
from torch import Tensor

from cnnlab.chapters import ch10_checks as checks


def psnr(image: Tensor, other: Tensor) -> Tensor:
    return -10 * (image - other).square().mean((1, 2, 3)).log10()


def mean_of_batch(image: Tensor, other: Tensor) -> Tensor:
    return -10 * (image - other).square().mean().log10()


def alpha_norm(image: Tensor, alpha: float) -> Tensor:
    return (image - 0.5).abs().pow(alpha).mean((1, 2, 3))


def nearer(pictures: Tensor, digits: Tensor) -> Tensor:
    distances = torch.cdist(pictures, digits)
    return (distances < distances.diagonal()[:, None]).sum(dim=1)


def found(pictures: Tensor, digits: Tensor, first: int) -> float:
    return (nearer(pictures, digits) < first).float().mean().item()


ANSWERS = {
    "double decibels": (checks.check_psnr, lambda a, b: psnr(a.double(), b.double()), None),
    "one mean": (checks.check_psnr, mean_of_batch, "has the shape|each image has a PSNR"),
    "one mean, repeated": (checks.check_psnr, lambda a, b: mean_of_batch(a, b).expand(3), "a PSNR of its own"),
    "double norm": (checks.check_alpha_norm, lambda image, alpha: alpha_norm(image.double(), alpha), None),
    "no mean": (checks.check_alpha_norm, lambda image, alpha: (image - 0.5).abs().pow(alpha), "one number per image"),
    "signed": (checks.check_alpha_norm, lambda image, alpha: (image - 0.5).pow(alpha).mean((1, 2, 3)), "cancel out"),
    "found": (checks.check_found_among, found, None),
    "a tensor": (checks.check_found_among, lambda *given: torch.tensor(found(*given)).double(), None),
    "a count": (checks.check_found_among, lambda p, d, n: (nearer(p, d) < n).sum(), "divide by the number"),
    "one more": (checks.check_found_among, lambda p, d, n: found(p, d, n + 1), "compare with <"),
    "first only": (checks.check_found_among, lambda p, d, n: found(p, d, 1), "pictures of shape"),
}  # fmt: skip


@pytest.mark.parametrize(("check", "student", "said"), ANSWERS.values(), ids=ANSWERS.keys())
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)


def test_messages_use_the_name_that_the_student_gave() -> None:
    def psnr_of(image: Tensor, other: Tensor) -> Tensor:
        return torch.zeros(3)

    assert checks.check_psnr(psnr_of).message.startswith("psnr_of(image of shape (3, 3, 6, 9), other)")
