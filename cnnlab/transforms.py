"""What is done to an image before the net sees it.

A run works on a copy of its transform, so two runs with one `jitter` or `wobble` are equal. A function of your own, a
lambda for instance, cannot be copied: if it holds a generator, its second run goes on where the first one ended.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.inputs import as_floats, integer, real

Transform = Callable[[Tensor], Tensor]


def jitter(pixels: int, generator: Generator | None = None) -> Transform:
    """Roll the image cyclically by up to `pixels` each way, by other random amounts at each step. Chapter 04.

    No pixel can then settle into the grid of the net's strides. Without a generator a new one is seeded with 0. A run
    works on a copy, so two runs with one transform are equal.
    """
    return partial(_jittered, pixels=integer(pixels, "pixels"), generator=generator or Generator().manual_seed(0))


def _jittered(image: Tensor, pixels: int, generator: Generator) -> Tensor:
    down, right = torch.randint(-pixels, pixels + 1, (2,), generator=generator).tolist()
    return as_floats(image).roll((down, right), dims=(-2, -1))


def wobble(degrees: float, scale: float, generator: Generator | None = None) -> Transform:
    """Turn the image by up to `degrees` and resize it by up to the factor `scale`, at random at each step. Chapter 04.

    Only structure larger than a pixel survives this. The border is mirrored. The generator is used as `jitter` uses it.
    """
    degrees, scale = real(degrees, "degrees"), real(scale, "scale")
    if not (math.isfinite(degrees) and 1 / 64 <= scale <= 64):
        raise ValueError(f"degrees must be finite and scale, a factor, near 1, not {degrees} and {scale}")
    return partial(_wobbled, degrees=degrees, scale=scale, generator=generator or Generator().manual_seed(0))


def _wobbled(image: Tensor, degrees: float, scale: float, generator: Generator) -> Tensor:
    image, (turn, grow) = as_floats(image), (2 * torch.rand(2, generator=generator) - 1).tolist()
    angle, tall = math.radians(degrees * turn), image.shape[-2] / image.shape[-1]  # x and y both run from -1 to 1
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = scale**-grow * torch.tensor([[cos, -sin * tall, 0], [sin / tall, cos, 0]])
    grid = F.affine_grid(matrix.expand(len(image), 2, 3).to(image), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)


def compose(*transforms: Transform) -> Transform:
    """One transform from several, the first applied first."""
    return partial(_composed, transforms=transforms)


def _composed(image: Tensor, transforms: tuple[Transform, ...]) -> Tensor:
    for transform in transforms:
        image = transform(image)
    return image


def blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur, sigma in pixels; the border pixels are repeated outside the image."""
    image, sigma = as_floats(image), real(sigma, "sigma")
    if not sigma <= 10 * max(image.shape[-2:]):  # NaN, too
        raise ValueError(f"sigma must be pixels, not {sigma}")
    if sigma < 0.05:  # the neighbors' share is below e^-200
        return image
    radius = math.ceil(3 * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(image.shape[1], 1, -1)  # (C, 1, 2 radius + 1)
    padded = F.pad(image, (radius,) * 4, mode="replicate")
    rows = F.conv2d(padded, kernel[:, :, None, :], groups=image.shape[1])
    return F.conv2d(rows, kernel[:, :, :, None], groups=image.shape[1])
