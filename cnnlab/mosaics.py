"""Pictures made of pictures: projections on grey beside the patches they come from, as images (1, 3, H, W)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def on_gray(projection: Tensor) -> Tensor:
    """Signed values (B, C, H, W), a projection or a gradient, as images: grey is 0, lighter is positive.

    White and black are at 2 sum(p^2) / sum|p|, for each image by itself: twice the typical size of the values that
    count. Zeros around them do not change it, and a few extremes do not fade the others.
    """
    flat = projection.flatten(1)
    contrast = 2 * flat.square().sum(1) / flat.abs().sum(1).clamp(min=1e-30)  # (B,)
    return (0.5 + 0.5 * projection / contrast.clamp(min=1e-30).view(-1, 1, 1, 1)).clamp(0, 1)


def fit(image: Tensor, size: int) -> Tensor:
    """Resize a square (B, C, H, W) to `size` pixels: averaged down, or enlarged so that pixels stay sharp squares."""
    shrink = image.shape[-1] > size
    return F.interpolate(image, (size, size), mode="area" if shrink else "nearest-exact")


def mosaic(images: Sequence[Tensor], columns: int, gap: int = 3) -> Tensor:
    """Images (1, 3, H, W) of one size in rows of `columns`, white between them: (1, 3, H', W')."""
    rows = math.ceil(len(images) / columns)
    height, width = images[0].shape[-2:]
    sheet = torch.ones(1, 3, rows * (height + gap) - gap, columns * (width + gap) - gap)
    for number, image in enumerate(images):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        sheet[..., top : top + height, left : left + width] = image.cpu()
    return sheet


def patch_sheet(patches: Sequence[Tensor], projections: Sequence[Tensor], size: int = 96, columns: int = 3) -> Tensor:
    """Projections, and to their right the patches they come from, as in figure 2 of Zeiler & Fergus 2014.

    Args:
        patches: squares (1, 3, h, h) in [0, 1], of any sizes.
        projections: as many, signed.
        size: pixels of a tile.
        columns: tiles in a row of each half.
    """
    left = mosaic([on_gray(fit(projection, size)) for projection in projections], columns)
    right = mosaic([fit(patch, size) for patch in patches], columns)
    return torch.cat([left, torch.ones(1, 3, left.shape[2], 12), right], dim=3)
