"""What is done to an image before the net sees it, or before it is trained on.

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
    image = as_floats(image)
    turn, grow = (2 * torch.rand(2, generator=generator) - 1).tolist()
    angle, factor = math.radians(degrees * turn), scale**-grow
    matrix = factor * torch.tensor([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]])
    grid = F.affine_grid(matrix.expand(len(image), 2, 3).to(image), list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)


def compose(*transforms: Transform) -> Transform:
    """One transform from several, the first applied first."""
    return partial(_composed, transforms=transforms)


def _composed(image: Tensor, transforms: tuple[Transform, ...]) -> Tensor:
    for transform in transforms:
        image = transform(image)
    return image


def soften(image: Tensor, times: int = 1) -> Tensor:
    """Blur with the kernel (1 2 1) / 4 along rows and columns, `times` times; the image wraps around at its edges.

    The blur's sigma is sqrt(times / 2) pixels. As a transform before the net it blurs the gradient too, so that no
    pixel moves far from its neighbors. (Averaging shifted copies is faster than a convolution.) Chapter 11.
    """
    return _Soften.apply(as_floats(image), integer(times, "times"))


class _Soften(torch.autograd.Function):
    """A cyclic blur with a symmetric kernel is its own adjoint: the gradient is blurred in the same way."""

    @staticmethod
    def forward(ctx, image: Tensor, times: int) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.times = times
        soft = image.clone() if times == 0 else image
        for _ in range(times):
            for dim in (-1, -2):
                soft = soft.roll(1, dim).lerp_(soft, 0.5)  # (1 1) / 2 to one side, then to the other, is (1 2 1) / 4
                soft = soft.roll(-1, dim).lerp_(soft, 0.5)
        return soft

    @staticmethod
    def backward(ctx, upstream: Tensor):  # type: ignore[no-untyped-def]
        return _Soften.forward(ctx, upstream, ctx.times), None


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


def affine(
    images: Tensor, generator: Generator, *, degrees: float = 12, scale: float = 0.12, shift: float = 2,
    shear: float = 0.2,
) -> Tensor:  # fmt: skip
    """Turn, resize, shear and move each image by its own random amounts; the area that comes into view is black.

    Args:
        images: (B, C, H, W).
        generator: where the random numbers come from.
        degrees: the largest angle, in either direction.
        scale: the factor of the size lies in [1 - scale, 1 + scale].
        shift: the largest move in pixels, down and right or up and left.
        shear: a row slips by up to this times its distance from the middle row.

    Returns:
        (B, C, H, W); if all amounts are 0, the images themselves.
    """
    images, amounts = as_floats(images), [real(amount, "each amount") for amount in (degrees, scale, shift, shear)]
    if not (all(map(math.isfinite, amounts)) and abs(scale) < 1):
        raise ValueError(f"degrees, scale, shift and shear must be finite, and |scale| below 1, not {amounts}")
    height, width = images.shape[-2:]
    turn, grow, slip, right, down = (2 * torch.rand((5, len(images)), generator=generator) - 1).to(images.device)
    angle, factor = math.radians(degrees) * turn, 1 / (1 + scale * grow)
    cos, sin = factor * angle.cos(), factor * angle.sin()
    # The two rows of the matrix say where a pixel comes from. x and y both run from -1 to 1: hence height / width.
    from_x = [cos, (shear * slip * cos - sin) * height / width, 2 * shift / width * right]
    from_y = [sin * width / height, shear * slip * sin + cos, 2 * shift / height * down]
    matrix = torch.stack(from_x + from_y, dim=1).view(-1, 2, 3).to(images)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)
