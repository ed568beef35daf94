"""Checks of the exercises of chapters 07 and 10: codes inverted, and codes weighted anew."""

import torch
from torch import Tensor

from cnnlab import codes, objectives
from cnnlab.checks import Student, Wrong, answer, require, same, verdict


def _random(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def _sparse(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Like activations behind a ReLU: about half of them 0."""
    return (_random(shape, seed) - 0.5).clamp(min=0)


@verdict
def check_psnr(psnr: Student) -> str:
    """`psnr(image, other)`: (B, C, H, W) each -> (B,), in decibels."""
    image, other = _random((3, 3, 6, 9)), _random((3, 3, 6, 9), 1)
    other[1] = image[1] + 0.01  # the error of a batch is not that of its images
    expected = -10 * (image - other).square().mean(dim=(1, 2, 3)).log10()
    result = answer(psnr, image, other)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        require(not torch.allclose(result, -expected), "psnr: fewer errors must give more decibels: check the sign")
        natural = -10 * (image - other).square().mean(dim=(1, 2, 3)).log()
        require(not torch.allclose(result, natural), "psnr: decibels need the logarithm to base 10")
    same(result, expected, "psnr(image of shape (3, 3, 6, 9), other)", tolerance=1e-4)
    return "each image has its own; 10 dB more is a tenth of the squared error"


@verdict
def check_alpha_norm(alpha_norm: Student) -> str:
    """`alpha_norm(image, alpha)`: (B, C, H, W) -> (B,), the mean of |image - 1/2|^alpha."""
    image = _random((2, 3, 5, 8))
    for alpha in (1, 2, 6):
        expected = objectives.pixel_norm(alpha, center=0.5).score(image, {})
        result = answer(alpha_norm, image, alpha)
        if (
            alpha % 2
            and isinstance(result, Tensor)
            and torch.allclose(result.abs(), (image - 0.5).mean((1, 2, 3)).abs())
        ):
            raise Wrong("alpha_norm: dark and bright cancel out: take the absolute value before the power")
        same(result, expected, f"alpha_norm(image of shape (2, 3, 5, 8), {alpha})")
    return "both extremes cost alike, and for a large alpha only extremes cost"


@verdict
def check_unexplained(unexplained: Student) -> str:
    """`unexplained(activations, target)`: (B, channels, h, w), (1, channels, h, w) -> (B, channels)."""
    activations, target = _sparse((2, 4, 3, 5)), _sparse((1, 4, 3, 5), 1)
    expected = (activations - target).square().sum((2, 3)) / target.square().sum((2, 3))
    same(answer(unexplained, activations, target), expected, "unexplained(activations of shape (2, 4, 3, 5), target)")
    silent = target.clone()
    silent[:, 2] = 0
    result = answer(unexplained, activations, silent)
    require(
        isinstance(result, Tensor) and bool(result.isfinite().all()),
        "unexplained: a map that is 0 everywhere in the target divides by 0: keep the size from being less than 1e-12",
    )
    return "0 where a map is met, 1 where nothing of it is there; silent maps do no harm"


@verdict
def check_keep_channel(keep_channel: Student) -> str:
    """`keep_channel(activations, channel)`: (B, channels, h, w), one channel -> the same shape."""
    activations = _sparse((2, 5, 3, 4))
    for channel in (0, 3):
        result, expected = answer(keep_channel, activations, channel), codes.keep_channel(activations, channel)
        if isinstance(result, Tensor) and result.shape == expected.shape:
            own = torch.zeros_like(expected)
            own[:, channel] = activations[:, channel]
            require(
                not torch.equal(result, own), "keep_channel: the map becomes the sum over all maps, not only its own"
            )
        same(result, expected, f"keep_channel(activations of shape (2, 5, 3, 4), {channel})")
    return "each position keeps its sum, all of it in one map"


@verdict
def check_reweight(reweight: Student) -> str:
    """`reweight(activations, shares)`: (1, channels, h, w), (channels,) -> map k has the share k of the sum."""
    activations, shares = _sparse((1, 5, 3, 4)) + 0.01, _random((5,), 1)
    shares = shares / shares.sum()
    expected = codes.reweight_channels(activations, shares)
    result = answer(reweight, activations, shares)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        plain = activations * shares.view(1, -1, 1, 1)
        require(not torch.allclose(result, plain), "reweight: divide each map by its own sum first")
    same(result, expected, "reweight(activations of shape (1, 5, 3, 4), shares)")
    return "the whole keeps its sum, and each map has its share of it"


@verdict
def check_nearest(nearest: Student) -> str:
    """`nearest(descriptions)`: (N, features) -> for each the number of its nearest other, (N,) integers."""
    descriptions = _random((7, 4))
    descriptions[3] = 100 * descriptions[5]  # the same distribution, more of it
    unit = torch.nn.functional.normalize(descriptions, dim=1)
    alike = unit @ unit.T - 2 * torch.eye(7)
    result = answer(nearest, descriptions)
    if isinstance(result, Tensor) and torch.equal(result, torch.arange(7)):
        raise Wrong("nearest: each is nearest to itself: leave the diagonal out")
    same(result, alike.argmax(dim=1), "nearest(descriptions of shape (7, 4))")
    return "by direction, whatever the length, and never itself"
