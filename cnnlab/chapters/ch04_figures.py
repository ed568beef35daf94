"""Figures of chapter 04: an image as a sum of waves, and portraits of channels beside the patches they like."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Generator, Tensor

from cnnlab import plots
from cnnlab.images import noise
from cnnlab.plots.base import draw_image, new_figure
from cnnlab.techniques.patches import Patch

SIDE = 84  # pixels of a patch beside a portrait


class Portraits(NamedTuple):
    """Pictures of a layer's channels: their titles, the images (B, 3, H, W), and the patches of each channel."""

    titles: Sequence[str]
    images: Tensor
    patches: Sequence[Sequence[Patch]]


def show_waves(side: int = 192) -> Figure:
    """Show three single waves, and two sums of all waves: all equally strong, or as strong as 1 / frequency."""
    generator, place = Generator().manual_seed(0), torch.arange(side)
    pictures = {}
    for down, right in ((1, 2), (4, 6), (20, 12)):
        wave = 0.5 + 0.4 * torch.cos(2 * torch.pi * (down * place[:, None] + right * place) / side)
        pictures[f"{down} times down,\n{right} times across"] = wave.expand(1, 3, side, side)
    pictures["all waves,\nequally strong"] = noise((1, 1, side, side), generator, std=0.25).expand(-1, 3, -1, -1)
    clouds = noise((1, 1, side, side), generator, std=0.25, decay=1)
    return plots.show(pictures | {"all waves,\nas strong as 1 / f": clouds.expand(-1, 3, -1, -1)}, height=1.85)


def four_patches(patches: Sequence[Patch]) -> Tensor:
    """Lay the first four patches out in two rows, (1, 3, H, W); what is missing is white."""
    squares = [
        F.interpolate(patch.image, (SIDE, SIDE), mode="area" if patch.size > SIDE else "nearest-exact")
        for patch in patches[:4]
    ]
    return plots.tile(squares + [torch.ones(1, 3, SIDE, SIDE)] * (4 - len(squares)), 2)


def show_portraits(layers: Mapping[str, Portraits], count: int = 4, height: float = 1.16) -> Figure:
    """Show the first `count` portraits of each layer, a row for each, with four patches at the right of each one."""
    left, above = 0.55, 0.22
    width, total = left + 2 * count * height, len(layers) * (height + above)
    figure = new_figure(width, total, placed=True)
    for row, (layer, (titles, images, patches)) in enumerate(layers.items()):
        bottom = 1 - (row + 1) * (height + above) / total
        figure.text(0.004, bottom + height / 2 / total, layer, va="center")
        for column in range(count):
            for half, picture in enumerate((images[column], four_patches(patches[column]))):
                # The pair stands close together; there is a gap between two pairs.
                x = left + (2 * column + half) * height + (0.03 if half else 0.09)
                box = (x / width, bottom, (height - 0.07) / width, (height - 0.02) / total)
                draw_image(figure.add_axes(box), picture, "" if half else titles[column])
    return figure
