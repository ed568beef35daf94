"""Invariance: what moving, scaling and turning a photograph changes in each layer (Zeiler & Fergus 2014, figure 5)."""

import math
from collections.abc import Sequence
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.images import resize
from cnnlab.nets import Net
from cnnlab.training import initialize


def moved(image: Tensor, *, shift: float = 0, scale: float = 1, degrees: float = 0, size: int = 224) -> Tensor:
    """Move, scale or turn a photograph about its center and return the square view of it, (1, C, size, size).

    Args:
        image: the whole photograph, (1, C, H, W). What lies beside its central square may come into view; outside its
            border it is mirrored.
        shift: how many pixels of the view it moves down.
        scale: a factor; above 1 it grows.
        degrees: the angle of the turn, counterclockwise.
        size: the side of the view in pixels.

    Raises ValueError if the scale is not positive.
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
    """Compute how far each view's activations are from the image's, for each layer: |a(view) - a(image)| / |a(image)|.

    The image is (1, C, H, W), and the views (B, C, H, W) are as large; each layer has its distances (B,).
    """
    with torch.no_grad():
        first, others = net.activations(image, layers), net.activations(views, layers)
    lengths = {layer: (others[layer] - first[layer]).flatten(1).norm(dim=1) for layer in layers}
    return {layer: (lengths[layer] / first[layer].norm()).cpu() for layer in layers}


def untrained(net: Net) -> Net:
    """The same chain with random weights (He et al. 2015), seed 0: what it does needs no learning."""
    return Net(initialize(deepcopy(net.model).cpu(), Generator().manual_seed(0)))
