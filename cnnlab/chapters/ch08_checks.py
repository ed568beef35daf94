"""Checks of the exercises of chapter 08: renormalized filters, a step with momentum, aliases, factors of a spread."""

from itertools import pairwise

import torch

from cnnlab.teaching.checks import Student, random_tensor, refuse, require, same, verdict, within
from cnnlab.zoo import zfnets


@verdict("each filter is scaled by its own RMS, and small filters are not changed")
def check_renormalize(renormalize: Student) -> None:
    """Check `renormalize(filters, radius)`: (F, C, h, w), filters with a larger RMS are scaled down to the radius."""
    filters = torch.tensor([0.01, 0.5, 0.2, 2.0, 0.0]).view(-1, 1, 1, 1) * (2 * random_tensor((5, 3, 4, 7)) - 1)
    sizes = filters.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    for radius in (0.1, 0.01):
        result = renormalize(filters, radius)
        refuse(
            result,
            filters * (radius / sizes).clamp(max=1),
            "that is by the norm: take the mean of the squares, not the sum",
        )
        together = filters * (radius / filters.square().mean().sqrt()).clamp(max=1)
        refuse(result, together, "all filters are scaled by one factor: scale each one by its own RMS")
    for what, some in {"a small filter": filters[:1], "filters": filters, "a filter of zeros": filters[4:]}.items():
        for radius in (0.1, 0.01):
            same(renormalize(some, radius), zfnets.renormalize(some, radius), f"{renormalize}({what}, {radius})")


@verdict("three steps give the weights and the velocities of torch.optim.SGD")
def check_momentum_step(momentum_step: Student) -> None:
    """Check `momentum_step(weights, grad, velocity, rate, momentum)`: (weights, velocity) after a step of SGD."""
    weights, velocity = random_tensor((3, 4)), torch.zeros(3, 4)
    expected = weights.clone().requires_grad_()
    descent = torch.optim.SGD([expected], lr=1, momentum=0.9)
    for number, rate in enumerate((0.1, 0.03, 0.2), start=1):  # a velocity that holds the rate would go wrong
        grad = random_tensor((3, 4), number) - 0.5
        expected.grad = grad.clone()
        descent.param_groups[0]["lr"] = rate
        descent.step()
        result = momentum_step(weights, grad, velocity, rate, 0.9)
        require(isinstance(result, tuple) and len(result) == 2, f"{momentum_step} must return (weights, velocity)")
        right = descent.state[expected]["momentum_buffer"]
        refuse(result[1], rate * right, "the velocity must not hold the rate: multiply by it when the weights move")
        same(result[0], expected, f"the weights after step {number}")
        same(result[1], right, f"the velocity after step {number}")
        weights, velocity = result


@verdict("at the pixels that are read the two waves are equal")
def check_aliased(aliased: Student) -> None:
    """Check `aliased(frequency, stride)`: the slowest wave with the same values at every `stride`-th pixel."""
    for stride in (1, 2, 3, 4):
        for frequency in (hundredths / 100 for hundredths in range(0, 51, 3)):
            result, what = aliased(frequency, stride), f"{aliased}({frequency}, {stride})"
            within(result, 0, 0.5 / stride, f"{what} is not from 0 to 1 / (2 * {stride})")
            cycles = frequency * stride  # from one pixel that is read to the next one
            same(result, abs(cycles - round(cycles)) / stride, what)


@verdict("the spread is over the images, and each factor leads from one layer to the next")
def check_factors(factors: Student) -> None:
    """Check `factors(activations)`: by how much the mean standard deviation over the images grows, layer by layer."""
    scales, offsets = (2.0, 0.5, 0.5, 3.0), (0, 10, -2, 5)
    images = random_tensor((20, 3, 4, 5)) - 0.5
    activations = [scale * images + offset * images[:1] for scale, offset in zip(scales, offsets, strict=True)]
    activations[1] = activations[1].flatten(1)  # a dense layer has no maps
    result = factors(activations)
    overall = [float(x.std()) for x in activations]
    refuse(
        result,
        [after / before for before, after in pairwise(overall)],
        "take the standard deviation over the images alone",
    )
    refuse(
        result, [scale / 2 for scale in scales[1:]], "each layer is compared with the one before it, not with the first"
    )
    refuse(
        result,
        [before / after for before, after in pairwise(scales)],
        "that is the spread before, divided by the one after",
    )
    same(result, [after / before for before, after in pairwise(scales)], f"{factors}(4 layers)", tolerance=1e-4)
