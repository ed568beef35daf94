"""The checks of chapter 08 name likely mistakes; test_exercises.py tries the solutions."""

from collections.abc import Callable

import pytest
from answers import assert_says
from torch import Tensor

from cnnlab.chapters import ch08_checks as checks


def scaled_together(filters: Tensor, radius: float) -> Tensor:
    return filters * (radius / filters.square().mean().sqrt()).clamp(max=1)


def without_velocity(
    weights: Tensor, grad: Tensor, velocity: Tensor, rate: float, momentum: float
) -> tuple[Tensor, Tensor]:
    return weights - rate * grad, velocity


@pytest.mark.parametrize(
    ("check", "student", "said"),
    [
        (checks.check_renormalize, scaled_together, "renormalize"),
        (checks.check_momentum_step, without_velocity, "the weights after step 2"),
        (checks.check_aliased, lambda frequency, stride: frequency, "aliased"),
        (checks.check_aliased, lambda frequency, stride: 0.0, "expected"),
        (checks.check_predicted_spread, lambda start, std, inputs: [start * std for _ in inputs], "expected"),
        (checks.check_predicted_spread, lambda start, std, inputs: (len(inputs) + 1) * [start], "expected"),
    ],
)
def test_mistakes_are_named(check: Callable, student: Callable, said: str) -> None:
    assert_says(check, student, said)
