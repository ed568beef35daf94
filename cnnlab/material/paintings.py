"""Paintings of the course's own, which style transfer takes its styles from; data/README.md says how they are made."""

from functools import cache

from torch import Tensor

from cnnlab._data import course_file
from cnnlab.files import load_image
from cnnlab.images import crop_to

PAINTINGS: tuple[str, ...] = ("swirls", "birches", "dots", "ink", "wave", "glass", "mosaic", "circles")


def painting(name: str, size: int | tuple[int, int] | None = None) -> Tensor:
    """A painting of the course's own, (1, 3, H, W); every call gives the same. Chapter 12.

    Args:
        name: one of `PAINTINGS`; another one raises a ValueError, a missing or altered file a RuntimeError.
        size: pixels of a square, or (H, W): the middle of the canvas in these proportions; None: 512 x 512.
    """
    if name not in PAINTINGS:
        raise ValueError(f"unknown painting {name!r}: there are {', '.join(PAINTINGS)}")
    return crop_to(_canvas(name), 512 if size is None else size).clone()


@cache
def _canvas(name: str) -> Tensor:
    """The whole canvas, (1, 3, 720, 720)."""
    return load_image(course_file(f"paintings/{name}.webp"))
