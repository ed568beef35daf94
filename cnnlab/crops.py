"""Crops of the packaged photographs: a data set of natural images that every machine has. The label is the photograph.

A region of each photograph is held out, not only crops: two crops of one place share pixels, so that a net could know
the one by the other.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.datasets import Examples
from cnnlab.images import PHOTOS, photo, resize

SHORT_SIDE = 400  # pixels, of every photograph
STORED, SEEN = 72, 64  # pixels of a stored crop, and of the part of it that a net sees
WINDOWS = (64, 128)  # pixels of the windows that the crops are made of


@cache
def region(name: str, held_out: bool = False) -> Tensor:
    """The part of a photograph to train on, its left two thirds, or the one held out, its right third: (1, 3, 400, W).

    The photograph is resized first, so that its shorter side has 400 pixels. The two share no pixel.
    """
    image = photo(name)
    height, width = image.shape[2:]
    factor = SHORT_SIDE / min(height, width)
    image = resize(image, (round(height * factor), round(width * factor)))
    border = 2 * image.shape[3] // 3
    return image[..., border:] if held_out else image[..., :border]


def crops(count: int, generator: Generator, held_out: bool = False) -> Examples:
    """Square windows of 64 to 128 pixels at random places of a region of each photograph, half of them mirrored.

    Args:
        count: crops per photograph.
        generator: where the random numbers come from.
        held_out: of the region held out, instead of the one to train on.

    Returns:
        images (count * 16, 3, 72, 72) and labels, numbers of `PHOTOS`; photograph by photograph in turn.
    """
    images = torch.stack([windows(region(name, held_out), count, generator) for name in PHOTOS], dim=1)
    return Examples(images.flatten(0, 1), torch.arange(len(PHOTOS)).repeat(count))


def windows(image: Tensor, count: int, generator: Generator) -> Tensor:
    """Random windows of one image (1, 3, H, W), half of them mirrored, resized to (count, 3, 72, 72)."""
    height, width = image.shape[2:]
    side, x, y, mirror = torch.rand((4, count), generator=generator)
    side = WINDOWS[0] + side * (WINDOWS[1] - WINDOWS[0])
    x, y = side / 2 + x * (width - side), side / 2 + y * (height - side)  # the windows' centres
    sign, zero = 1 - 2 * (mirror < 0.5).float(), torch.zeros(count)
    # grid_sample counts from -1 at one border of the image to 1 at the other.
    across = torch.stack([sign * side / width, zero, 2 * x / width - 1], dim=1)
    down = torch.stack([zero, side / height, 2 * y / height - 1], dim=1)
    grid = F.affine_grid(torch.stack([across, down], dim=1), [count, 3, 2 * STORED, 2 * STORED], align_corners=False)
    fine = F.grid_sample(image.expand(count, -1, -1, -1), grid, padding_mode="border", align_corners=False)
    return F.avg_pool2d(fine, 2)  # sampled twice as finely as needed: large windows do not alias


def centre(images: Tensor) -> Tensor:
    """The middle 64 x 64 of stored crops, as a net sees them in a test: (B, 3, 72, 72) -> (B, 3, 64, 64)."""
    border = (STORED - SEEN) // 2
    return images[..., border:-border, border:-border]


def vary(images: Tensor, generator: Generator) -> Tensor:
    """What training sees of stored crops: a random 64 x 64 part, mirrored or not, in other colours.

    Saturation is multiplied by 0 .. 1.5, each colour's brightness by 0.75 .. 1.25 (most of it for all three together).

    Args:
        images: (B, 3, 72, 72).
        generator: where the random numbers come from.

    Returns:
        (B, 3, 64, 64) in [0, 1].
    """
    number = len(images)
    across, down = torch.randint(STORED - SEEN + 1, (2, number, 1), generator=generator) + torch.arange(SEEN)
    mirrored = torch.rand(number, 1, generator=generator) < 0.5
    across = torch.where(mirrored, across.flip(1), across)  # (B, 64)
    batch = torch.arange(number)[:, None, None]
    seen = images.permute(0, 2, 3, 1)[batch, down[:, :, None], across[:, None, :]].permute(0, 3, 1, 2)
    saturation, bright = torch.rand((2, number, 1, 1, 1), generator=generator)
    tint = 0.1 * torch.rand((number, 3, 1, 1), generator=generator) - 0.05
    grey = seen.mean(dim=1, keepdim=True)
    return ((grey + 1.5 * saturation * (seen - grey)) * (0.8 + 0.4 * bright + tint)).clamp(0, 1)
