"""Crops of the packaged photographs: a data set of natural images that every machine has. The label is the photograph.

A part of each photograph is held out, and not only some crops: two crops of the same place share pixels, so that a net
could recognize one by the other. Chapter 08.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.images import resize
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.training import Examples

SHORT_SIDE = 400  # pixels of every photograph
STORED, SEEN = 72, 64  # pixels of a stored crop, and of the part that a net sees: in a test, its `center_crop`
CUT = (64, 128)  # pixels of the photograph that a crop covers, at least and at most


@cache
def photo_part(name: str, held_out: bool = False) -> Tensor:
    """The part of a photograph to train on, its left two thirds, or the held-out right third: (1, 3, 400, W).

    The photograph is resized first, so that its shorter side has 400 pixels. The two parts share no pixel.
    """
    image = photo(name)
    height, width = image.shape[2:]
    factor = SHORT_SIDE / min(height, width)
    image = resize(image, (round(height * factor), round(width * factor)))
    border = 2 * image.shape[3] // 3
    return image[..., border:] if held_out else image[..., :border]


def photo_crops(count: int, generator: Generator, held_out: bool = False) -> Examples:
    """Random crops of all photographs, as `random_crops` makes them, and their labels, which are numbers of `PHOTOS`.

    There are `count` crops of each photograph, (count * 16, 3, 72, 72), photograph by photograph in turn. They are cut
    out of the part to train on, or out of the held-out part.
    """
    images = torch.stack([random_crops(photo_part(name, held_out), count, generator) for name in PHOTOS], dim=1)
    return Examples(images.flatten(0, 1), torch.arange(len(PHOTOS)).repeat(count))


def random_crops(image: Tensor, count: int, generator: Generator) -> Tensor:
    """Cut squares of 64 to 128 pixels at random positions, mirror half of them, resize them: -> (count, 3, 72, 72)."""
    height, width = image.shape[2:]
    side, x, y, mirror = torch.rand((4, count), generator=generator)
    side = CUT[0] + side * (CUT[1] - CUT[0])
    x, y = side / 2 + x * (width - side), side / 2 + y * (height - side)  # the crops' centers
    sign, zero = 1 - 2 * (mirror < 0.5).float(), torch.zeros(count)
    # grid_sample counts from -1 at one border of the image to 1 at the other.
    across = torch.stack([sign * side / width, zero, 2 * x / width - 1], dim=1)
    down = torch.stack([zero, side / height, 2 * y / height - 1], dim=1)
    grid = F.affine_grid(torch.stack([across, down], dim=1), [count, 3, 2 * STORED, 2 * STORED], align_corners=False)
    fine = F.grid_sample(image.expand(count, -1, -1, -1), grid, padding_mode="border", align_corners=False)
    return F.avg_pool2d(fine, 2)  # sampled twice as finely as needed: large crops do not alias


def augment_crops(images: Tensor, generator: Generator) -> Tensor:
    """What a net in training sees of stored crops: a random 64 x 64 part, mirrored or not, in other colors.

    Saturation is multiplied by 0 .. 1.5 and each color's brightness by 0.75 .. 1.25, most of which all three share.
    (B, 3, 72, 72) -> (B, 3, 64, 64) in [0, 1].
    """
    number = len(images)
    across, down = torch.randint(STORED - SEEN + 1, (2, number, 1), generator=generator) + torch.arange(SEEN)
    mirrored = torch.rand(number, 1, generator=generator) < 0.5
    across = torch.where(mirrored, across.flip(1), across)  # (B, 64)
    batch = torch.arange(number)[:, None, None]
    seen = images.permute(0, 2, 3, 1)[batch, down[:, :, None], across[:, None, :]].permute(0, 3, 1, 2)
    saturation, bright = torch.rand((2, number, 1, 1, 1), generator=generator)
    tint = 0.1 * torch.rand((number, 3, 1, 1), generator=generator) - 0.05
    gray_image = seen.mean(dim=1, keepdim=True)
    return ((gray_image + 1.5 * saturation * (seen - gray_image)) * (0.8 + 0.4 * bright + tint)).clamp(0, 1)
