"""Checks of the exercises of chapter 08: renormalized filters, and a step with momentum."""

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
