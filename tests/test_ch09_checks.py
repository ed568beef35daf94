"""The references of chapter 09 agree with their formulas, and its checks name likely mistakes."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from answers import assert_says
from torch import Generator, Tensor

from cnnlab.chapters import ch09_checks as checks
from cnnlab.teaching.checks import random_tensor


def test_sign_distance_equals_the_loop() -> None:
    generator = Generator().manual_seed(0)
    changes = torch.randn((5, 3, 4, 2), generator=generator).relu() - random_tensor((5, 3, 4, 2)).round()
    signs = np.sign(changes.flatten(1).numpy())
    pairs = [np.mean(signs[i] != signs[j]) for i in range(5) for j in range(i + 1, 5)]
    assert checks.sign_distance(changes) == pytest.approx(np.mean(pairs))


def test_thumbnails_forget_the_light_and_know_the_image() -> None:
    images = random_tensor((4, 3, 64, 64))
    products = checks.thumbnails(images) @ checks.thumbnails(0.6 * images + 0.3).T
    torch.testing.assert_close(products.diag(), torch.ones(4))
    small = images[0].reshape(3, 16, 4, 16, 4).mean(dim=(2, 4))
    vector = (small - small.mean(dim=(1, 2), keepdim=True)).flatten()
    torch.testing.assert_close(checks.thumbnails(images)[0], vector / vector.norm())


def without_zeros(changes: Tensor) -> float:
    return checks.sign_distance((changes >= 0).float())


def by_pixels(images: Tensor, others: Tensor, threshold: float) -> Tensor:
    return (torch.cdist(images.flatten(1), others.flatten(1)) == 0).any(dim=1)


def overlaps_of(closed: bool) -> Callable[[Tensor, Tensor], Tensor]:
    def overlapping(crops: Tensor, others: Tensor) -> Tensor:
        begin, end = crops[:, None, :2], crops[:, None, :2] + crops[:, None, 2:]
        first, last = others[:, :2], others[:, :2] + others[:, 2:]
        pairs = (begin <= last) & (first <= end) if closed else (begin < last) & (first < end)
        return pairs.all(dim=2).any(dim=1)

    return overlapping


def nearest_by(product: bool) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    def nearest_accuracy(features: Tensor, answers: Tensor, known: Tensor, labels: Tensor) -> Tensor:
        known = known.double() if product else known.double() / known.norm(dim=1, keepdim=True)
        return (labels[(features.double() @ known.T).argmax(dim=1)] == answers).double().mean()

    return nearest_accuracy


def beyond(images: Tensor, others: Tensor, threshold: float) -> Tensor:
    return (checks.thumbnails(images) @ checks.thumbnails(others).T).amax(dim=1) > threshold


@pytest.mark.parametrize(
    ("check", "student", "said"),
    [
        (checks.check_overlapping, overlaps_of(closed=False), None),
        (checks.check_overlapping, overlaps_of(closed=True), "is True, expected False"),
        (checks.check_nearest_accuracy, nearest_by(product=False), None),
        (checks.check_nearest_accuracy, nearest_by(product=True), "prefers long features"),
        (checks.check_nearest_accuracy, lambda *given: 40 * nearest_by(product=False)(*given), "divide"),
        (checks.check_near_duplicates, beyond, "reaches it, too"),
        (checks.check_sign_distance, checks.sign_distance, None),
        (checks.check_sign_distance, without_zeros, r"shape \(5, 60\)\) is 0.49"),
        (checks.check_near_duplicates, by_pixels, r"others, 0.9\) at \[1\] is False, expected True"),
        (
            checks.check_near_duplicates,
            lambda images, others, threshold: len(images) * [True],
            "of type list, expected a torch",
        ),
    ],
)
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
