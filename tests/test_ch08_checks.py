"""The checks of chapter 08 name likely mistakes; test_exercises.py tries the solutions."""

from collections.abc import Callable
from itertools import pairwise

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


def momentum_with(rate_inside: bool) -> Callable:
    """Both ways to write momentum; only one of them is the text's."""

    def momentum_step(
        weights: Tensor, grad: Tensor, velocity: Tensor, rate: float, momentum: float
    ) -> tuple[Tensor, Tensor]:
        velocity = momentum * velocity.double() + (rate if rate_inside else 1) * grad
        return weights - (1 if rate_inside else rate) * velocity, velocity

    return momentum_step


def factors_of(spread: Callable[[Tensor], Tensor]) -> Callable:
    def factors(activations: list[Tensor]) -> list[float]:
        spreads = [float(spread(x.double())) for x in activations]
        return [after / before for before, after in pairwise(spreads)]

    return factors


def by_norm(filters: Tensor, radius: float) -> Tensor:
    return filters * (radius / filters.flatten(1).norm(dim=1)).clamp(max=1).view(-1, 1, 1, 1)


@pytest.mark.parametrize(
    ("check", "student", "said"),
    [
        (checks.check_renormalize, scaled_together, "by its own RMS"),
        (checks.check_renormalize, by_norm, "by the norm"),
        (checks.check_momentum_step, momentum_with(rate_inside=False), None),
        (checks.check_momentum_step, momentum_with(rate_inside=True), "must not hold the rate"),
        (checks.check_momentum_step, without_velocity, "the velocity after step 1"),
        (checks.check_momentum_step, lambda *given: given[0], "must return"),
        (checks.check_aliased, lambda frequency, stride: frequency, "not from 0 to 1"),
        (checks.check_aliased, lambda frequency, stride: 0.0, "expected"),
        (checks.check_factors, factors_of(lambda x: x.std(dim=0).mean()), None),
        (checks.check_factors, factors_of(lambda x: x.std()), "over the images alone"),
        (checks.check_factors, factors_of(lambda x: 1 / x.std(dim=0).mean()), "the spread before"),
        (checks.check_factors, lambda activations: [float(x.std(dim=0).mean()) for x in activations], "3"),
    ],
)
def test_mistakes_are_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
