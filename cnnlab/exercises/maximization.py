"""Checks of the exercises of chapter 04, what neurons see."""

import torch
from torch import Tensor

from cnnlab import objectives, parametrizations
from cnnlab.checks import Student, Wrong, answer, require, same, verdict
from cnnlab.images import frequencies


def _random(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@verdict
def check_normalized_step(normalized_step: Student) -> str:
    """`normalized_step(image, grad, rate)`: (B, C, H, W) moved against each image's own gradient, within [0, 1]."""
    image, grad = _random((2, 3, 5, 7)), _random((2, 3, 5, 7), 1) - 0.5
    grad[1] *= 100  # a batch of one would not show whose mean is taken
    moved = answer(normalized_step, image, grad, 0.05)
    size = grad.abs().mean(dim=(1, 2, 3), keepdim=True)
    for wrong, reason in (
        (
            (image + 0.05 * grad / size).clamp(0, 1),
            "it climbs: step against the gradient to make it small",
        ),
        ((image - 0.05 * grad / grad.abs().mean()).clamp(0, 1), "each image has a mean of its own, not the batch"),
        (image - 0.05 * grad / size, "some pixels have left [0, 1]"),
    ):
        if isinstance(moved, Tensor) and moved.shape == wrong.shape and torch.allclose(moved, wrong):
            raise Wrong(f"normalized_step: {reason}")
    same(moved, (image - 0.05 * grad / size).clamp(0, 1), "normalized_step(image of shape (2, 3, 5, 7), grad, 0.05)")
    return "each image by its own gradient, pixels by `rate` on average, and within [0, 1]"


@verdict
def check_total_variation(total_variation: Student) -> str:
    """`total_variation(image)`: (B, C, H, W) -> (B,)."""
    image = _random((2, 3, 6, 9))
    expected = objectives.total_variation().score(image, {})
    same(answer(total_variation, image), expected, "total_variation(image of shape (2, 3, 6, 9))")
    return "mean difference downwards plus mean difference to the right, for each image"


@verdict
def check_gradient_of_mean(gradient_of_mean: Student) -> str:
    """`gradient_of_mean(activations, channel)`: the gradient of each image's mean of one feature map."""
    for channel in (0, 4):
        activations = _random((2, 5, 3, 4)).requires_grad_()
        activations[:, channel].mean(dim=(1, 2)).sum().backward()
        result = answer(gradient_of_mean, activations.detach(), channel)
        same(result, activations.grad, f"gradient_of_mean(activations of shape (2, 5, 3, 4), {channel})")
    return "every place of that map counts alike, all other maps not at all"


@verdict
def check_decode(decode: Student) -> str:
    """`decode(spectrum, height, width)`: complex (B, 3, H, W // 2 + 1) -> images (B, 3, H, W)."""
    for height, width in ((8, 12), (9, 7)):
        start = 0.1 + 0.8 * _random((2, 3, height, width))
        variable, decoded = parametrizations.spectrum()(start)
        scale = 1 / frequencies(height, width)
        scale = scale / scale.square().mean().sqrt()
        result = answer(decode, torch.view_as_complex(variable * scale[..., None]), height, width)
        what = f"decode(spectrum of shape {(2, 3, height, width // 2 + 1)}, {height}, {width})"
        require(not (isinstance(result, Tensor) and result.is_complex()), f"{what} is complex: use irfft2, not ifft2")
        same(result, decoded(variable), what, tolerance=1e-4)
    return "waves to colour planes, planes to red, green, blue, and into (0, 1)"
