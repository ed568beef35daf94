"""Checks of the exercises of chapter 10: PSNR, the norm of an image, and what of a code is not explained."""

import torch
from torch import Tensor

from cnnlab import objectives
from cnnlab.teaching.checks import Student, Wrong, answer, random_tensor, require, same, verdict


def sparse_tensor(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Draw numbers like activations after a ReLU: about half of them are 0, the others lie in [0, 0.5)."""
    return (random_tensor(shape, seed) - 0.5).clamp(min=0)


@verdict
def check_psnr(psnr: Student) -> str:
    """Check `psnr(image, other)`: (B, C, H, W) each -> (B,), in decibels."""
    image, other = random_tensor((3, 3, 6, 9)), random_tensor((3, 3, 6, 9), 1)
    other[1] = image[1] + 0.01  # so that the mean error of the batch differs from the error of each image
    expected = -10 * (image - other).square().mean(dim=(1, 2, 3)).log10()
    result = answer(psnr, image, other)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        require(not torch.allclose(result, -expected), "psnr: fewer errors must give more decibels: check the sign")
        natural = -10 * (image - other).square().mean(dim=(1, 2, 3)).log()
        require(not torch.allclose(result, natural), "psnr: decibels need the logarithm to base 10")
    same(result, expected, "psnr(image of shape (3, 3, 6, 9), other)", tolerance=1e-4)
    return "each image has its own PSNR; with 10 dB more, the squared error is a tenth"


@verdict
def check_alpha_norm(alpha_norm: Student) -> str:
    """Check `alpha_norm(image, alpha)`: (B, C, H, W) -> (B,), the mean of |image - 1/2|^alpha."""
    image = random_tensor((2, 3, 5, 8))
    for alpha in (1, 2, 6):
        expected = objectives.pixel_norm(alpha, center=0.5).score(image, {})
        result = answer(alpha_norm, image, alpha)
        signed = (image - 0.5).mean((1, 2, 3)).abs()
        if alpha % 2 and isinstance(result, Tensor) and torch.allclose(result.abs(), signed):
            raise Wrong("alpha_norm: dark and bright cancel out: take the absolute value before the power")
        same(result, expected, f"alpha_norm(image of shape (2, 3, 5, 8), {alpha})")
    return "black and white cost alike, and for a large alpha only extremes cost"


@verdict
def check_unexplained(unexplained: Student) -> str:
    """Check `unexplained(activations, target)`: (B, channels, h, w), (1, channels, h, w) -> (B, channels)."""
    activations, target = sparse_tensor((2, 4, 3, 5)), sparse_tensor((1, 4, 3, 5), 1)
    expected = (activations - target).square().sum((2, 3)) / target.square().sum((2, 3))
    same(answer(unexplained, activations, target), expected, "unexplained(activations of shape (2, 4, 3, 5), target)")
    silent = target.clone()
    silent[:, 2] = 0
    result = answer(unexplained, activations, silent)
    finite = isinstance(result, Tensor) and bool(result.isfinite().all())
    require(finite, "unexplained: a target map that is 0 everywhere makes you divide by 0: divide by at least 1e-12")
    return "a map that is matched gives 0, a missing map gives 1, and silent maps do no harm"
