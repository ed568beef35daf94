"""Images as tensors: sizes, and images to start from.

An image is a float32 tensor (B, C, H, W) in [0, 1]; photographs have C = 3 (RGB), digits C = 1.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.inputs import Size, as_floats, image_shape, real, size_of


def resize(image: Tensor, size: Size) -> Tensor:
    """Bicubic resize to (H, W), or to a square, with antialiasing; clipped to [0, 1]."""
    image, pair = as_floats(image), size_of(size)
    if tuple(image.shape[-2:]) == pair:
        return image
    return F.interpolate(image, pair, mode="bicubic", antialias=True).clamp(0, 1)


def crop_to(image: Tensor, size: Size) -> Tensor:
    """The largest center crop with the proportions of `size`, resized to it."""
    image, (height, width) = as_floats(image), size_of(size)
    scale = min(image.shape[-2] / height, image.shape[-1] / width)
    return resize(center_crop(image, (max(round(height * scale), 1), max(round(width * scale), 1))), (height, width))


def center_crop(image: Tensor, size: Size) -> Tensor:
    """The middle (H, W) pixels."""
    image, (height, width) = as_floats(image), size_of(size)
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    if top < 0 or left < 0:
        raise ValueError(f"size must fit into the image's {tuple(image.shape[-2:])}, not {(height, width)}")
    return image[..., top : top + height, left : left + width]


def gray(shape: Sequence[int]) -> Tensor:
    """Middle gray, (B, C, H, W)."""
    return torch.full(image_shape(shape), 0.5)


def noise(shape: Sequence[int], generator: Generator, std: float = 0.1, decay: float = 0.0) -> Tensor:
    """Gaussian noise around middle gray, clipped to [0, 1].

    Args:
        shape: (B, C, H, W).
        generator: where the random numbers come from.
        std: standard deviation per pixel, before clipping; at least 0.
        decay: amplitudes fall as 1 / frequency**decay: 0 is white noise, 1 as smooth as photographs are.
    """
    shape = image_shape(shape)
    std, decay = real(std, "std"), real(decay, "decay")
    if not (0 <= std < math.inf and abs(decay) <= 8):
        raise ValueError(f"std must be finite and at least 0, and decay lie in [-8, 8], not {std:g} and {decay:g}")
    white = torch.randn(shape, generator=generator)
    if decay and shape[-2] * shape[-1] > 1:
        amplitude = frequencies(shape[-2], shape[-1]) ** -decay
        white = torch.fft.irfft2(torch.fft.rfft2(white) * amplitude, s=shape[-2:])
        white = white / white.std(dim=(-2, -1), keepdim=True)
    return (0.5 + std * white).clamp(0, 1)


def frequencies(height: int, width: int) -> Tensor:
    """Cycles per pixel of each coefficient of `rfft2`, (H, W // 2 + 1); 0, the mean's, is raised to the lowest."""
    grid = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :])
    return grid.clamp(min=1 / max(height, width))
