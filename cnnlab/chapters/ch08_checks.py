"""Checks of the exercises of chapter 08: renormalized filters, a step with momentum, aliases, a spread."""

import math

import torch

from cnnlab.teaching.checks import Student, answer, require, same, verdict
from cnnlab.zoo import zfnets


@verdict
def check_renormalize(renormalize: Student) -> str:
    """Check `renormalize(filters, radius)`: (F, C, h, w), filters with a larger RMS are scaled down to the radius."""
    generator = torch.Generator().manual_seed(0)
    sizes = torch.tensor([0.02, 0.3, 0.1, 1.0, 0.05]).view(-1, 1, 1, 1)
    filters = sizes * torch.randn((5, 3, 4, 7), generator=generator)
    got = answer(renormalize, filters, 0.1)
    same(got[0], filters[0], "renormalize(filters, 0.1)[0], whose RMS is below the radius,")
    same(got, zfnets.renormalize(filters, 0.1), "renormalize(filters of shape (5, 3, 4, 7), 0.1)")
    same(answer(renormalize, filters, 0.01), zfnets.renormalize(filters, 0.01), "renormalize(filters, 0.01)")
    zero = torch.zeros(2, 3, 4, 4)
    same(answer(renormalize, zero, 0.1), zero, "renormalize(filters that are all 0, 0.1)")
    return "each filter is scaled by its own RMS, and small filters are not changed"


@verdict
def check_momentum_step(momentum_step: Student) -> str:
    """Check `momentum_step(weights, grad, velocity, rate, momentum)`: (weights, velocity) after a step of SGD."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn((3, 4), generator=generator)
    expected = weights.clone().requires_grad_()
    descent = torch.optim.SGD([expected], lr=0.1, momentum=0.9)
    velocity = torch.zeros_like(weights)
    for number in range(1, 4):
        grad = torch.randn((3, 4), generator=generator)
        expected.grad = grad.clone()
        descent.step()
        result = answer(momentum_step, weights, grad, velocity, 0.1, 0.9)
        pair = isinstance(result, tuple) and len(result) == 2
        require(pair, "momentum_step must return the pair (weights, velocity)")
        weights, velocity = result
        same(weights, expected.detach(), f"the weights after step {number}")
    return "three steps give the weights of torch.optim.SGD"


@verdict
def check_aliased(aliased: Student) -> str:
    """Check `aliased(frequency, stride)`: the slowest wave with the same values at every `stride`-th pixel."""
    for stride in (1, 2, 3, 4):
        for hundredths in range(0, 51, 3):
            frequency = hundredths / 100
            result = answer(aliased, frequency, stride)
            what = f"aliased({frequency}, {stride})"
            require(isinstance(result, (int, float)), f"{what} must be a number")
            require(-1e-9 <= result <= 0.5 / stride + 1e-9, f"{what} is {result:.4g}, not from 0 to 1 / (2 * {stride})")
            for pixel in range(0, 5 * stride, stride):
                same(
                    math.cos(2 * math.pi * result * pixel), math.cos(2 * math.pi * frequency * pixel),
                    f"at pixel {pixel} the wave of {what}", 1e-6,
                )  # fmt: skip
    return "at the pixels that are read the two waves are equal"


@verdict
def check_predicted_spread(predicted_spread: Student) -> str:
    """Check `predicted_spread(start, std, inputs)`: the start, then times std * sqrt(inputs / 2) with each layer."""
    for start, std, inputs in ((0.06, 0.01, [800, 432, 96]), (1.0, 0.1, [200]), (2.0, 0.05, [50, 3456, 800, 800, 12])):
        expected = [start]
        for number in inputs:
            expected.append(expected[-1] * std * math.sqrt(number / 2))
        result = answer(predicted_spread, start, std, inputs)
        require(isinstance(result, list), "predicted_spread must return a list of numbers")
        require(len(result) != len(inputs), "the list must begin with the start itself")
        same(torch.tensor(result), torch.tensor(expected), f"predicted_spread({start}, {std}, {inputs})")
    return "each layer multiplies what comes in by its own factor"
