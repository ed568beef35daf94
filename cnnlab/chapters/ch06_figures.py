"""Figures of chapter 06: heat maps on photographs, the label at each position, and how well maps agree with things."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from cnnlab.plots.base import BLUE, CYAN, GRAY, ORANGE, draw_image, new_chart, new_figure
from cnnlab.plots.sheets import top_of


def show_outlines(photos: Mapping[str, Tensor], masks: Sequence[Tensor], columns: int) -> Figure:
    """Show photographs (1, C, H, W) by title, each with the outline of a thing, (H, W)."""
    rows = -(-len(photos) // columns)
    figure = new_figure(1.9 * columns, 2.15 * rows)
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for axis in axes:
        axis.set_axis_off()
    for axis, (title, image), mask in zip(figure.axes, photos.items(), masks, strict=False):
        draw_image(axis, image, title)
        _outline(axis, mask)
    return figure


def show_heat(
    photos: Mapping[str, Tensor], maps: Sequence[Tensor], *, patch: int, stride: int,
    masks: Sequence[Tensor] = (), label: str = "",
) -> Figure:  # fmt: skip
    """Show photographs, and below each one its occlusion map; a value stands at the center of its patch.

    Args:
        photos: title -> image (1, C, H, W).
        maps: one map (rows, columns) per photograph, each with its own range of colors.
        patch: side of the square that covered the photograph, in pixels.
        stride: distance of neighboring patches, in pixels.
        masks: one per photograph, (H, W), whose outline is drawn into photograph and map; or none.
        label: what the maps show.
    """
    figure = new_figure(2.3 * len(photos), 5.1)
    axes = figure.subplots(2, len(photos), squeeze=False)
    for (above, below), (title, image), values in zip(axes.T, photos.items(), maps, strict=True):
        draw_image(above, image, title)
        shown, both = below.imshow(values.numpy(), cmap="magma", extent=_extent(values, patch, stride)), [above, below]
        below.set(xlim=(0, image.shape[-1]), ylim=(image.shape[-2], 0))
        below.set_axis_off()
        figure.colorbar(shown, ax=both, location="bottom", shrink=0.8, pad=0.02, label=label, ticks=MaxNLocator(4))
    for pair, mask in zip(axes.T, masks, strict=False):
        for axis in pair:
            _outline(axis, mask)
    return figure


def show_answers(
    photos: Mapping[str, Tensor], answers: Sequence[Tensor], labels: Sequence[str], *, patch: int, stride: int
) -> Figure:
    """Show photographs, and on each one which label is the most probable one at each position of the patch.

    Args:
        photos: title -> image (1, C, H, W).
        answers: one map (rows, columns) of label numbers per photograph. The five most frequent ones have a color.
        labels: the names of the labels.
        patch, stride: as for `show_heat`.
    """
    figure = new_figure(2.6 * len(photos), 4.2)
    colors = [(*color[:3], 0.75) for color in colormaps["tab10"](range(5))]
    for axis, (title, image), said in zip(figure.subplots(1, len(photos)), photos.items(), answers, strict=True):
        draw_image(axis, image.mean(1, keepdim=True), title)
        numbers, counts = said.unique(return_counts=True)
        frequent = numbers[counts.argsort(descending=True)][: len(colors)].tolist()
        drawn = np.full((*said.shape, 4), (0.5, 0.5, 0.5, 0.75))
        for number, color in zip(frequent, colors, strict=False):
            drawn[(said == number).numpy()] = color
        axis.imshow(drawn, extent=_extent(said, patch, stride), interpolation="nearest")
        axis.set(xlim=(0, image.shape[-1]), ylim=(image.shape[-2], 0))
        keys = [Patch(color=color, label=labels[n]) for n, color in zip(frequent, colors, strict=False)]
        keys += [Patch(color="0.5", label="others")] if len(numbers) > len(colors) else []
        axis.legend(handles=keys, loc="upper center", bbox_to_anchor=(0.5, 0), frameon=False, fontsize=9)
    return figure


def show_on_photo(image: Tensor, maps: Mapping[str, Tensor], mask: Tensor, *, columns: int, height: float) -> Figure:
    """Show maps (H, W) by title over the gray photograph (1, C, H, W): yellow is the hottest, dark the coldest.

    One percent of the values lies above the colors' range. The outline is that of the mask (H, W).
    """
    rows = -(-len(maps) // columns)
    figure = new_figure(height * columns, (height + 0.25) * rows)
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for axis in axes:
        axis.set_axis_off()
    for axis, (title, heat) in zip(figure.axes, maps.items(), strict=False):
        draw_image(axis, image.mean(1, keepdim=True), title)
        axis.imshow(
            heat.numpy(), cmap="inferno", vmin=max(0.0, float(heat.min())), vmax=float(top_of(heat, 0.01)), alpha=0.7
        )
        _outline(axis, mask)
    return figure


def show_by_method(
    values: Mapping[str, Sequence[float]], others: Mapping[str, Sequence[float]], xlabel: str, chance: float
) -> Figure:
    """Show a row per method: a dot for each case, an orange line at their mean, a gray line at the mean of `others`.

    `chance` is the value of a map that knows nothing; it has a dotted line.
    """
    figure, axis = new_chart(7.5, 0.36 * len(values) + 1.1)
    for row, (method, of_method) in enumerate(values.items()):
        axis.plot(of_method, [row] * len(of_method), "o", color=BLUE, alpha=0.45, markersize=5)
        for numbers, color in ((of_method, ORANGE), (others.get(method, []), GRAY)):
            if len(numbers):
                axis.plot([np.mean(numbers)] * 2, [row - 0.35, row + 0.35], color=color, linewidth=3)
    axis.axvline(chance, color="black", linewidth=1, linestyle=":")
    axis.set_yticks(range(len(values)), list(values))
    axis.set_xlabel(xlabel)
    axis.invert_yaxis()
    return figure


def _extent(values: Tensor, patch: int, stride: int) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of a map whose cells are as large as the stride, each around its patch's center."""
    (rows, columns), edge = values.shape, patch / 2 - stride / 2
    return edge, edge + columns * stride, edge + rows * stride, edge


def _outline(axis: Axes, mask: Tensor) -> None:
    axis.contour(mask.to(torch.uint8).numpy(), [0.5], colors=CYAN, linewidths=1.5)
