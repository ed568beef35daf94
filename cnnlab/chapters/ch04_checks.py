"""Checks of the exercises of chapter 04: a normalized step, total variation, a gradient by hand, images from waves."""

import torch
from torch import Tensor

from cnnlab import parametrizations
from cnnlab.chapters.ch03_checks import check_roughness
from cnnlab.images import frequencies
from cnnlab.teaching.checks import Student, random_tensor, refuse, require, same, verdict


@verdict("each image follows its own gradient, its pixels move by `rate` on average, and stay in [0, 1]")
def check_normalized_step(normalized_step: Student) -> None:
    """Check `normalized_step(image, grad, rate)`: each image moves against its own gradient and stays in [0, 1]."""
    image, grad = random_tensor((2, 3, 5, 7)), random_tensor((2, 3, 5, 7), 1) - 0.5
    grad[1] *= 100  # so that the mean over the batch differs from the mean of each image
    change, batch_change = (0.05 * grad / grad.abs().mean(dims, keepdim=True) for dims in ((1, 2, 3), (0, 1, 2, 3)))
    result = normalized_step(image, grad, 0.05)
    refuse(result, (image + change).clamp(0, 1), "this step climbs: a step against the gradient lowers the objective")
    refuse(result, (image - batch_change).clamp(0, 1), "divide by each image's own mean, not by the batch's")
    refuse(result, image - change, "some pixels have left [0, 1]: clip at the end")
    same(result, (image - change).clamp(0, 1), "normalized_step(image of shape (2, 3, 5, 7), grad, 0.05)")


# Chapter 03 has the same exercise under the name `roughness`.
check_total_variation = check_roughness


@verdict("every position of that map counts alike, and the other maps do not count")
def check_gradient_of_mean(gradient_of_mean: Student) -> None:
    """Check `gradient_of_mean(activations, channel)`: the gradient of each image's mean of one feature map."""
    for channel in (0, 4):
        activations = random_tensor((2, 5, 3, 4)).requires_grad_()
        activations[:, channel].mean(dim=(1, 2)).sum().backward()
        result = gradient_of_mean(activations.detach(), channel)
        same(result, activations.grad, f"gradient_of_mean(activations of shape (2, 5, 3, 4), {channel})")


@verdict("waves become color planes, planes become red, green and blue, and all values lie in (0, 1)")
def check_decode(decode: Student) -> None:
    """Check `decode(spectrum, height, width)`: complex (B, 3, H, W // 2 + 1) -> images (B, 3, H, W)."""
    for height, width in ((8, 12), (9, 7)):
        variable, decoded = parametrizations.spectrum()(0.1 + 0.8 * random_tensor((2, 3, height, width)))
        scale = 1 / frequencies(height, width)
        scale = scale / scale.square().mean().sqrt()
        result = decode(torch.view_as_complex(variable * scale[..., None]), height, width)
        what = f"decode(spectrum of shape {(2, 3, height, width // 2 + 1)}, {height}, {width})"
        require(not (isinstance(result, Tensor) and result.is_complex()), f"{what} is complex: use irfft2, not ifft2")
        same(result, decoded(variable), what, tolerance=1e-4)
