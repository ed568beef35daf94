"""Transforms: what is done to the image before the net sees it, anew at each step."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

Transform = Callable[[Tensor], Tensor]


def jitter(pixels: int, generator: Generator | None = None) -> Transform:
    """A transform that rolls the image by up to `pixels` each way, anew at each step.

    No pixel can then settle into the raster of the net's strides. Without a generator a fresh one is seeded with 0, so
    that runs repeat.
    """
    generator = generator or Generator().manual_seed(0)

    def transform(image: Tensor) -> Tensor:
        down, right = torch.randint(-pixels, pixels + 1, (2,), generator=generator).tolist()
        return image.roll((down, right), dims=(-2, -1))

    return transform


def wobble(degrees: float, scale: float, generator: Generator | None = None) -> Transform:
    """A transform that turns by up to `degrees` and resizes by up to the factor `scale`, anew at each step.

    What survives it has structure larger than a pixel. The border is mirrored.
    """
    generator = generator or Generator().manual_seed(0)

    def transform(image: Tensor) -> Tensor:
        turn, grow = (2 * torch.rand(2, generator=generator) - 1).tolist()
        angle, factor = math.radians(degrees * turn), scale**-grow
        matrix = factor * torch.tensor([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]])
        grid = F.affine_grid(matrix.expand(len(image), 2, 3).to(image), list(image.shape), align_corners=False)
        return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)

    return transform


def compose(*transforms: Transform) -> Transform:
    """One transform from several, the first applied first."""

    def transform(image: Tensor) -> Tensor:
        for each in transforms:
            image = each(image)
        return image

    return transform


def soften(image: Tensor, times: int = 1) -> Tensor:
    """Blur over the edges, cyclically: (1 2 1) / 4 along rows and columns, so often; sigma = sqrt(times / 2) pixels.

    As a transform before the net it softens the gradient too: no pixel is driven apart from its neighbours. Adding the
    image's shifted copies is quicker than a convolution.
    """
    for _ in range(times):
        for dim in (-1, -2):
            image = image + image.roll(1, dim)  # (1 1) twice is (1 2 1)
            image = image + image.roll(-1, dim)
        image = image / 16
    return image
