"""Figures about the ZF-net's training: filters as small colour images, and bars."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.plots import STYLE


def filter_sheet(filters: Tensor, columns: int = 8) -> Tensor:
    """First-layer filters as one image: (F, 3, h, w) -> (1, 3, H, W) in [0, 1].

    The strongest (by RMS) first; 0 is mid grey, and each filter's largest number black or white.
    """
    filters = filters.detach().cpu()
    filters = filters[filters.flatten(1).square().mean(dim=1).argsort(descending=True)]
    top = filters.flatten(1).abs().amax(dim=1).clamp(min=1e-12).view(-1, 1, 1, 1)
    return tiled(0.5 + 0.5 * filters / top, columns)


def tiled(images: Tensor, columns: int, gap: int = 1) -> Tensor:
    """Images row by row on white: (B, C, h, w) -> (1, C, H, W)."""
    number, channels, height, width = images.shape
    rows = -(-number // columns)
    sheet = torch.ones(1, channels, rows * (height + gap) - gap, columns * (width + gap) - gap)
    for index, image in enumerate(images):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        sheet[0, :, top : top + height, left : left + width] = image
    return sheet


def stretched(grad: Tensor) -> Tensor:
    """A projection as an image: 0 is mid grey, the largest number of each (of its absolute values) black or white."""
    return 0.5 + 0.5 * grad / grad.abs().amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12)


def show_bars(values: Mapping[str, float], xlabel: str, spread: Mapping[str, float] | None = None) -> Figure:
    """One horizontal bar per name, in order from the top; `spread` gives the half width of a whisker."""
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(7, 0.32 * len(values) + 0.7), layout="constrained")
        error = None if spread is None else [spread[name] for name in values]
        axis.barh(list(values), list(values.values()), xerr=error, color="#4878a8")
        axis.invert_yaxis()
        axis.set(xlabel=xlabel)
        axis.tick_params(left=False)
    plt.close(figure)
    return figure
