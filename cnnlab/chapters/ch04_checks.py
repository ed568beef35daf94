"""Checks of the exercises of chapter 04: a normalized step, a gradient by hand, waves, what a change leaves."""

import math

import torch
from torch import Tensor

from cnnlab import parametrizations
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
    same(result, (image - change).clamp(0, 1), f"{normalized_step}(image of shape (2, 3, 5, 7), grad, 0.05)")


@verdict("every position of that map counts alike, and the other maps do not count")
def check_gradient_of_mean(gradient_of_mean: Student) -> None:
    """Check `gradient_of_mean(activations, channel)`: the gradient of each image's mean of one feature map."""
    for channel in (0, 4):
        activations = random_tensor((2, 5, 3, 4)).requires_grad_()
        activations[:, channel].mean(dim=(1, 2)).sum().backward()
        result = gradient_of_mean(activations.detach(), channel)
        same(result, activations.grad, f"{gradient_of_mean}(activations of shape (2, 5, 3, 4), {channel})")


@verdict("the wave runs as often as it should, down and to the right")
def check_one_wave(one_wave: Student) -> None:
    """Check `one_wave(height, width, down, right)`: cos(2 pi (down * y / height + right * x / width)), (H, W)."""
    for height, width, down, right in ((6, 10, 1, 2), (9, 7, 3, 0)):
        turns = down * torch.arange(height)[:, None] / height + right * torch.arange(width) / width
        result = one_wave(height, width, down, right)
        refuse(result, turns.cos(), "a whole wave takes 2 pi, not 1: multiply by 2 * torch.pi")
        refuse(result, (2 * math.pi * turns).sin(), "that is the sine: this wave begins at its top, with cos(0) = 1")
        swapped = right * torch.arange(height)[:, None] / height + down * torch.arange(width) / width
        refuse(result, (2 * math.pi * swapped).cos(), "`down` counts from the top to the bottom, `right` across")
        expected = (2 * math.pi * turns).cos()
        same(result, expected, f"{one_wave}({height}, {width}, {down}, {right})", tolerance=1e-4)


@verdict("1 means that nothing is lost, and 0 that nothing is left")
def check_share_kept(share_kept: Student) -> None:
    """Check `share_kept(score_of, image, change)`: the score after the change, relative to the score before."""
    image = random_tensor((1, 3, 6, 8))
    for factor, offset in ((0.5, 0.0), (1.0, 0.25), (2.0, 0.0)):
        before, after = (float(x.square().mean()) for x in (image, factor * image + offset))
        result = share_kept(lambda x: float(x.square().mean()), image, lambda x, f=factor, o=offset: f * x + o)
        refuse(result, before / after, "divide the score after the change by the score before, not the other way round")
        refuse(result, 1 - after / before, "that is the share that is lost")
        refuse(result, after, "that is the score after the change: divide it by the score before")
        same(result, after / before, f"{share_kept}(mean of the squares, image, change to {factor} * image + {offset})")


@verdict("waves become color planes, planes become red, green and blue, and all values lie in (0, 1)")
def check_decode(decode: Student) -> None:
    """Check `decode(spectrum, height, width)`: complex (B, 3, H, W // 2 + 1) -> images (B, 3, H, W)."""
    for height, width in ((8, 12), (9, 7)):
        variable, decoded = parametrizations.spectrum()(0.1 + 0.8 * random_tensor((2, 3, height, width)))
        scale = 1 / frequencies(height, width)
        scale = scale / scale.square().mean().sqrt()
        result = decode(torch.view_as_complex(variable * scale[..., None]), height, width)
        what = f"{decode}(spectrum of shape {(2, 3, height, width // 2 + 1)}, {height}, {width})"
        require(not (isinstance(result, Tensor) and result.is_complex()), f"{what} is complex: use irfft2, not ifft2")
        same(result, decoded(variable), what, tolerance=1e-4)
