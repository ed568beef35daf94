"""Checks of the exercises of chapter 08: renormalized filters, a step with momentum, aliases, a spread."""

import math
import operator
from itertools import accumulate

import torch

from cnnlab.teaching.checks import Student, random_tensor, refuse, require, same, verdict, within
from cnnlab.zoo import zfnets


@verdict("each filter is scaled by its own RMS, and small filters are not changed")
def check_renormalize(renormalize: Student) -> None:
    """Check `renormalize(filters, radius)`: (F, C, h, w), filters with a larger RMS are scaled down to the radius."""
    filters = torch.tensor([0.01, 0.5, 0.2, 2.0, 0.0]).view(-1, 1, 1, 1) * (2 * random_tensor((5, 3, 4, 7)) - 1)
    for what, some in {"a small filter": filters[:1], "filters": filters, "a filter of zeros": filters[4:]}.items():
        for radius in (0.1, 0.01):
            same(renormalize(some, radius), zfnets.renormalize(some, radius), f"renormalize({what}, {radius})")


@verdict("three steps give the weights of torch.optim.SGD")
def check_momentum_step(momentum_step: Student) -> None:
    """Check `momentum_step(weights, grad, velocity, rate, momentum)`: (weights, velocity) after a step of SGD."""
    weights, velocity = random_tensor((3, 4)), torch.zeros(3, 4)
    expected = weights.clone().requires_grad_()
    descent = torch.optim.SGD([expected], lr=0.1, momentum=0.9)
    for number in range(1, 4):
        grad = random_tensor((3, 4), number) - 0.5
        expected.grad = grad.clone()
        descent.step()
        result = momentum_step(weights, grad, velocity, 0.1, 0.9)
        require(isinstance(result, tuple) and len(result) == 2, "momentum_step must return (weights, velocity)")
        weights, velocity = result
        same(weights, expected, f"the weights after step {number}")


@verdict("at the pixels that are read the two waves are equal")
def check_aliased(aliased: Student) -> None:
    """Check `aliased(frequency, stride)`: the slowest wave with the same values at every `stride`-th pixel."""
    for stride in (1, 2, 3, 4):
        for frequency in (hundredths / 100 for hundredths in range(0, 51, 3)):
            result, what = aliased(frequency, stride), f"aliased({frequency}, {stride})"
            within(result, 0, 0.5 / stride, f"{what} is {result}, not from 0 to 1 / (2 * {stride})")
            cycles = frequency * stride  # from one pixel that is read to the next one
            same(result, abs(cycles - round(cycles)) / stride, what)


@verdict("each layer multiplies what comes in by its own factor")
def check_predicted_spread(predicted_spread: Student) -> None:
    """Check `predicted_spread(start, std, inputs)`: the start, then times std * sqrt(inputs / 2) with each layer."""
    for start, std, inputs in ((0.06, 0.01, [800, 432, 96]), (1.0, 0.1, [200]), (2.0, 0.05, [50, 3456, 800, 800, 12])):
        factors = [std * math.sqrt(number / 2) for number in inputs]
        expected = list(accumulate(factors, operator.mul, initial=start))
        result = predicted_spread(start, std, inputs)
        refuse(result, expected[1:], "the list must begin with the start itself")
        same(result, expected, f"predicted_spread({start}, {std}, {inputs})")
