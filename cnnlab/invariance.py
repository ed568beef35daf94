"""Invariance: what moving, scaling and turning a photograph changes in each layer (Zeiler & Fergus 2014, figure 5)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.images import resize
from cnnlab.nets import Net


def moved(image: Tensor, *, shift: float = 0, scale: float = 1, degrees: float = 0, size: int = 224) -> Tensor:
    """The square view of a photograph after it was moved, scaled or turned about its middle, (1, C, size, size).

    Args:
        image: the whole photograph, (1, C, H, W): what lies beside its middle square may come into view; beyond its
            border it is mirrored.
        shift: pixels of the view downwards.
        scale: above 1 the photograph is enlarged.
        degrees: counterclockwise.
        size: pixels of the view's side.
    """
    if scale <= 0:
        raise ValueError(f"scale must be positive, not {scale}")
    factor = size / min(image.shape[-2:])
    height, width = (round(side * factor) for side in image.shape[-2:])
    image = resize(image, (height, width))
    offset = torch.arange(size) - (size - 1) / 2
    down, right = (offset - shift)[:, None], offset[None, :]
    cos, sin = math.cos(math.radians(degrees)) / scale, math.sin(math.radians(degrees)) / scale
    grid = torch.stack([(right * cos - down * sin) / width, (right * sin + down * cos) / height], dim=-1) * 2
    grid = grid[None].to(image)  # (1, size, size, 2), from -1 to 1 over the photograph
    return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False).clamp(0, 1)


def distances(net: Net, image: Tensor, views: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """How far each view's activations are from the image's: |a(view) - a(image)| / |a(image)|, layer -> (B,).

    Args:
        net: the network.
        image: (1, C, H, W).
        views: (B, C, H, W), of the same size.
        layers: where to measure.
    """
    with torch.no_grad():
        first, others = net.activations(image, layers), net.activations(views, layers)
    return {
        layer: ((others[layer] - first[layer]).flatten(1).norm(dim=1) / first[layer].norm()).cpu() for layer in layers
    }
