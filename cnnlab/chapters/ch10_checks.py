"""Checks of the exercises of chapter 10: PSNR, the norm of an image, what of a code is missing, digits found again."""

import torch
from torch import Tensor

from cnnlab import objectives
from cnnlab.teaching.checks import Student, random_tensor, refuse, same, verdict, within


@verdict("each image has its own PSNR; with 10 dB more, the squared error is a tenth")
def check_psnr(psnr: Student) -> None:
    """Check `psnr(image, other)`: (B, C, H, W) each -> (B,), in decibels."""
    image, other = random_tensor((2, 3, 3, 6, 9))
    other[1] = image[1] + 0.01  # so that the mean error of the batch differs from the error of each image
    errors = (image - other).square().mean(dim=(1, 2, 3))
    result = psnr(image, other)
    refuse(result, 10 * errors.log10(), "fewer errors must give more decibels: check the sign")
    refuse(result, -10 * errors.log(), "decibels need the logarithm to base 10")
    refuse(result, -10 * errors.mean().log10().expand(3), "each image has a PSNR of its own: one mean for each image")
    same(result, -10 * errors.log10(), f"{psnr}(image of shape (3, 3, 6, 9), other)", tolerance=1e-4)


@verdict("black and white cost alike, and for a large alpha only extremes cost")
def check_alpha_norm(alpha_norm: Student) -> None:
    """Check `alpha_norm(image, alpha)`: (B, C, H, W) -> (B,), the mean of |image - 1/2|^alpha."""
    image = random_tensor((2, 3, 5, 8))
    for alpha in (1, 3, 7):  # the odd powers keep the sign
        result = alpha_norm(image, alpha)
        signed = (image - 0.5).pow(alpha).mean((1, 2, 3))
        for mistake in (signed, signed.abs()):
            refuse(result, mistake, "dark and bright cancel out: take the absolute value before the power")
        refuse(
            result, (image - 0.5).abs().pow(alpha), "give one number per image: the mean over its channels and pixels"
        )
        expected = objectives.pixel_norm(alpha, center=0.5).score(image, {})
        same(result, expected, f"{alpha_norm}(image of shape (2, 3, 5, 8), {alpha})")


@verdict("a map that is matched gives 0, a missing map gives 1, and silent maps do no harm")
def check_unexplained(unexplained: Student) -> None:
    """Check `unexplained(activations, target)`: (B, channels, h, w), (1, channels, h, w) -> (B, channels)."""
    activations, target = (random_tensor((2, 4, 3, 5)) - 0.5).relu(), (random_tensor((1, 4, 3, 5), 1) - 0.5).relu()
    expected = (activations - target).square().sum((2, 3)) / target.square().sum((2, 3))
    same(unexplained(activations, target), expected, f"{unexplained}(activations of shape (2, 4, 3, 5), target)")
    target[:, 2] = 0
    within(unexplained(activations, target), 0, 1e30, "a map of zeros makes you divide by 0: divide by at least 1e-12")


@verdict("a picture counts if fewer than `first` other digits are nearer than its own")
def check_found_among(found_among: Student) -> None:
    """Check `found_among(pictures, digits, first)`: (N, pixels) twice, a number -> a share of 0 to 1."""
    digits = random_tensor((10, 5))
    pictures = digits + 0.7 * random_tensor((10, 5), 1)
    distances = torch.cdist(pictures, digits)
    nearer = (distances < distances.diagonal()[:, None]).sum(dim=1)
    farther = (distances > distances.diagonal()[:, None]).sum(dim=1)
    for first in (1, 2, 3):
        result = found_among(pictures, digits, first)
        refuse(result, int((nearer < first).sum()), "give a share, of 0 to 1: divide by the number of pictures")
        refuse(result, _share(nearer <= first), "the own digit is one of the `first` nearest: compare with <")
        refuse(result, _share(farther < first), "count the digits that are nearer than its own, not farther")
        same(result, _share(nearer < first), f"{found_among}(pictures of shape (10, 5), digits, {first})")


def _share(chosen: Tensor) -> float:
    return chosen.float().mean().item()
