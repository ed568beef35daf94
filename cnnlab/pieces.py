"""Crops: square pieces of photographs at several sizes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from cnnlab.images import resize


@dataclass(frozen=True)
class Crop:
    """A square piece of a photograph at one of several sizes.

    Attributes:
        source: the photograph's name.
        image: (1, C, size, size); a view, no copy.
        top, left: where it begins, in units of the photograph's shorter side.
        extent: its side, in the same units: 1 at the smallest size, less the larger the photograph was made.
    """

    source: str
    image: Tensor
    top: float
    left: float
    extent: float


def cut_crops(photos: Mapping[str, Tensor], sides: Sequence[int] = (224, 320, 448), size: int = 224) -> list[Crop]:
    """Square crops of photographs at several sizes, half overlapping, so that nothing lies at a border everywhere.

    Args:
        photos: name -> (1, C, H, W).
        sides: the photograph's shorter side is resized to each of these, pixels, at least `size`.
        size: pixels of a crop's side.
    """
    if min(sides) < size:
        raise ValueError(f"sides must be at least size = {size} pixels, not {min(sides)}")
    crops = []
    for name, photo in photos.items():
        for side in sides:
            factor = side / min(photo.shape[-2:])
            resized = resize(photo, (round(photo.shape[-2] * factor), round(photo.shape[-1] * factor)))
            for top in _starts(resized.shape[-2], size):
                for left in _starts(resized.shape[-1], size):
                    image = resized[..., top : top + size, left : left + size]
                    crops.append(Crop(name, image, top / side, left / side, size / side))
    return crops


def _starts(length: int, size: int) -> list[int]:
    """Where windows begin that cover the length and overlap by half or more."""
    count = math.ceil((length - size) / (size / 2)) + 1
    return [round(i * (length - size) / max(count - 1, 1)) for i in range(count)]
