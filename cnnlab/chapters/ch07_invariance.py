"""Invariance: what moving, scaling and turning a photograph changes in each layer (Zeiler & Fergus 2014, figure 5)."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.images import resize
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.nets import Net

# The 24 coins of the photograph "coins": the center (y, x) of each, and the larger of its two diameters, in pixels.
COINS = (
    (44, 335, 60), (52, 216, 48), (53, 155, 47), (53, 276, 43), (55, 44, 45), (57, 101, 40), (120, 271, 52),
    (124, 45, 43), (125, 206, 42), (125, 337, 40), (126, 103, 38), (127, 153, 41), (186, 347, 64), (193, 213, 48),
    (194, 274, 46), (196, 102, 45), (197, 44, 38), (198, 155, 40), (260, 47, 56), (262, 172, 57), (263, 301, 51),
    (264, 244, 50), (266, 114, 44), (268, 358, 47),
)  # fmt: skip
MARGIN = 1.15  # the side of a coin's square, in its diameters


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


def yardstick(net: Net, images: Tensor, layers: Sequence[str]) -> dict[str, float]:
    """Compute each layer's mean distance, as `distances` measures it, from one of the images to another."""
    with torch.no_grad():
        activations = net.activations(images, layers)
    found = {}
    for layer, values in activations.items():
        rows = values.flatten(1)
        apart = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")  # 0 to itself
        found[layer] = (apart.sum(dim=1) / rows.norm(dim=1)).mean().item() / (len(rows) - 1)
    return found


def pinwheel(image: Tensor) -> Tensor:
    """Put four copies of a square image together so that a quarter turn changes nothing: (1, C, S, S) -> 2 S."""
    above, below = [image, image.rot90(3, (2, 3))], [image.rot90(1, (2, 3)), image.rot90(2, (2, 3))]
    return torch.cat([torch.cat(above, 3), torch.cat(below, 3)], 2)


def coins() -> list[Tensor]:
    """Cut out each of the 24 coins, in the middle of its square (1, 3, S, S)."""
    return [_square(photo("coins"), y, x, round(MARGIN * diameter)) for y, x, diameter in COINS]


def pieces(generator: Generator) -> list[Tensor]:
    """Cut a square of each coin's size at random from the other photographs in turn: the control for `coins`."""
    names, found = [name for name in PHOTOS if name != "coins"], []
    for number, (_, _, diameter) in enumerate(COINS):
        image, side = photo(names[number % len(names)]), round(MARGIN * diameter)
        y, x = (int(torch.randint(side, length - side, (), generator=generator)) for length in image.shape[-2:])
        found.append(_square(image, y, x, side))
    return found


def _square(image: Tensor, y: int, x: int, side: int) -> Tensor:
    """The square of that side about (y, x), moved into the image where it would leave it."""
    top, left = (
        min(max(center - side // 2, 0), length - side) for center, length in zip((y, x), image.shape[-2:], strict=True)
    )
    return image[..., top : top + side, left : left + side]
