"""The checks of chapter 06 name likely mistakes; test_exercises.py tries the solutions."""

from collections.abc import Callable

import pytest
import torch
from answers import assert_says
from torch import Tensor

from cnnlab.chapters import ch06_checks as checks
from cnnlab.techniques.occlusion import cover


def lowest_of(fill: str) -> Callable:
    """An answer to exercise 4: what the patch shows, and which score is taken."""

    def lowest_score(image: Tensor, other: Tensor, patch: int, stride: int, score: Callable) -> float:
        scores, kept = [], image.double()
        for top in range(0, image.shape[2] - patch + (fill != "ends early"), stride):
            for left in range(0, image.shape[3] - patch + 1, stride):
                square = ..., slice(top, top + patch), slice(left, left + patch)
                covered = kept if fill == "all" else image.double()
                covered[square] = 0.5 if fill == "gray" else other.double()[square]
                scores.append(score(covered))
        return max(scores) if fill == "highest" else min(scores)

    return lowest_score


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        ("other", None),
        ("gray", "not gray"),
        ("all", "one position at a time"),
        ("highest", "highest"),
        ("ends early", "expected"),
    ],
)
def test_lowest_score(fill: str, said: str | None) -> None:
    assert_says(checks.check_lowest_score, lowest_of(fill), said)


def test_answers_of_other_kinds_are_read() -> None:
    def covered_batch(image: Tensor, positions: list, patch: int) -> Tensor:
        return torch.cat([cover(image, top, left, patch) for top, left in positions]).double()

    assert_says(checks.check_covered_batch, covered_batch, None)
    assert_says(checks.check_deletion_curve, lambda image, positions, patch, score: [score(image)] * 5, "expected")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda image, masks, score: sum(score(image * m) * m[0].double() for m in masks) / len(masks), None),
        (lambda image, masks, score: sum(score(image * m) * m[0] for m in masks), "divide by the number"),
        (lambda image, masks, score: sum(score(image) * m[0] for m in masks) / len(masks), "not the image itself"),
        (lambda image, masks, score: masks[:, 0].mean(0), "weight each one"),
        (lambda image, masks, score: sum(score(image * m) * m for m in masks) / len(masks), "(H, W)"),
    ],
)
def test_rise_map(answer: Callable, said: str | None) -> None:
    assert_says(checks.check_rise_map, answer, said)
