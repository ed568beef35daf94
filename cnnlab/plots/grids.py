"""Images and maps in rows and columns."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from cnnlab.nets import Prediction
from cnnlab.plots.base import GRAY, draw_bars, draw_image, interpolation, new_figure
from cnnlab.plots.sheets import top_of

Images = Tensor | np.ndarray | Sequence[Tensor | np.ndarray] | Mapping[str, Tensor | np.ndarray]


def show(
    images: Images, titles: Sequence[str] = (), *, columns: int | None = None, height: float = 2.4, title: str = ""
) -> Figure:
    """Show images side by side, in rows of `columns`.

    Args:
        images: (B, C, H, W), a list of images (1, C, H, W), or a dict title -> image; all in [0, 1].
        titles: one text above each image.
        columns: images per row; None puts up to six into one row.
        height: of a row, in inches.
        title: text above all images.
    """
    pictures, titles = _listed(images, titles)
    figure = _grid(pictures, columns, height, title, any(titles))
    for axis, picture, text in zip(figure.axes, pictures, titles, strict=False):
        draw_image(axis, picture, text)
    return figure


def show_maps(
    maps: Images, titles: Sequence[str] = (), *, columns: int | None = None, height: float = 1.8,
    signed: bool = False, saturate: float = 0.0,
) -> Figure:  # fmt: skip
    """Show feature maps or gradients side by side, each with colors for its own range.

    Args:
        maps: (N, H, W), a list of (H, W), or a dict title -> map.
        titles, columns, height: as for `show`.
        signed: for maps with values of both signs: white is 0, red is above, blue is below. Else dark is 0.
        saturate: share of the values that may lie beyond the colors' range. With 0.01 a few extremes do not make the
            rest pale.
    """
    arrays, titles = _listed(maps, titles)
    figure = _grid(arrays, columns, height, "", any(titles))
    for axis, array, text in zip(figure.axes, arrays, titles, strict=False):
        top = float(top_of(array, saturate))
        low, colors = (-top, "RdBu_r") if signed else (min(0.0, float(array.min())), "magma")
        axis.imshow(array.squeeze().numpy(), cmap=colors, vmin=low, vmax=top, interpolation=interpolation(array))
        axis.set_title(text, fontsize=10)
    return figure


def show_predictions(image: Tensor, predictions: Sequence[Prediction], title: str = "") -> Figure:
    """Show an image (1, C, H, W) beside its labels and their probabilities."""
    figure = new_figure(7, 2.8)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.4))
    draw_image(left, image, title)
    draw_bars(right, {prediction.label: prediction.probability for prediction in predictions})
    return figure


def show_with_bars(
    images: Mapping[str, Tensor], bars: Mapping[str, float], *, highlight: str = "",
    before: Mapping[str, float] | None = None, form: str = ".1%",
) -> Figure:  # fmt: skip
    """Show one or two images (1, C, H, W), with their titles, above horizontal bars; fast enough for a live panel.

    `bars`, `highlight`, `before` and `form` are as for `draw_bars`.
    """
    figure = new_figure(6, 6, dpi=112, placed=True)
    wide = 0.98 / len(images)
    for number, (title, image) in enumerate(images.items()):
        draw_image(figure.add_axes((0.01 + number * wide, 0.4, wide - 0.01, 0.55)), image, title)
    axis = figure.add_axes((0.36, 0.03, 0.6, 0.32))
    draw_bars(axis, bars, highlight=highlight, before=before, form=form)
    axis.set_yticklabels([name[:26] for name in bars])
    return figure


def show_numbers(
    matrices: Mapping[str, np.ndarray], boxes: Mapping[str, Sequence[tuple[int, int, int, int]]] | None = None
) -> Figure:
    """Show small matrices (H, W) side by side with their numbers in the cells; white is 0, red above, blue below.

    Args:
        matrices: title -> matrix.
        boxes: title -> outlines (top, left, height, width), in cells. The n-th outline has the same color everywhere.
    """
    sizes = [np.shape(matrix)[1] for matrix in matrices.values()]
    figure = new_figure(0.42 * sum(sizes) + 0.5 * len(sizes), 0.42 * max(sizes) + 0.5)
    axes = figure.subplots(1, len(sizes), width_ratios=sizes, squeeze=False)
    for axis, (title, matrix) in zip(axes.flat, matrices.items(), strict=True):
        top = float(np.abs(matrix).max()) or 1.0
        axis.imshow(matrix, cmap="RdBu_r", vmin=-1.6 * top, vmax=1.6 * top)  # pale: the numbers stay readable
        for (row, column), value in np.ndenumerate(matrix):
            axis.text(column, row, f"{value:.3g}", ha="center", va="center")
        for number, (y, x, height, width) in enumerate((boxes or {}).get(title, ())):
            outline = Rectangle((x - 0.5, y - 0.5), width, height, fill=False, edgecolor=f"C{number + 1}")
            outline.set(linewidth=3, clip_on=False)
            axis.add_patch(outline)
        axis.set_title(title, fontsize=10)
        axis.set_axis_off()
    return figure


def show_rows(rows: Mapping[str, Tensor], titles: Sequence[str] = (), *, height: float = 0.85) -> Figure:
    """Show images in rows, close together, with the name of each row at its left.

    Args:
        rows: name -> images (B, C, H, W) in [0, 1]. A row of one channel with values below 0 shows changes: white is
            0, red is above, blue is below, and the largest value has the full color.
        titles: one text above each column.
        height: of a row, in inches.
    """
    columns = max(map(len, rows.values()))
    width = height * max(images.shape[-1] / images.shape[-2] for images in rows.values())
    left = 0.1 + 0.085 * max(len(line) for name in rows for line in name.split("\n"))
    above = max((0.08 + 0.17 * (1 + text.count("\n")) for text in titles), default=0)
    total_width, total = left + columns * width, above + len(rows) * height
    figure = new_figure(total_width, total, placed=True)
    figure.subplots_adjust(left / total_width, 0, 1, 1 - above / total, 0.03, 0.03)
    for line, (name, images) in zip(figure.subplots(len(rows), columns, squeeze=False), rows.items(), strict=True):
        signed = bool((images < 0).any())
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for axis in line[len(images) :]:
            axis.set_axis_off()
        for axis, image in zip(line, images / images.abs().max() if signed else images, strict=False):
            draw_image(axis, image, signed=signed)
            axis.spines[:].set(visible=True, color=GRAY, linewidth=0.5)  # a white image has an edge, too
    for axis, title in zip(figure.axes, titles, strict=False):
        axis.set_title(title, fontsize=9.5, pad=4)
    return figure


def _listed(images: Images, titles: Sequence[str]) -> tuple[list[Tensor], Sequence[str]]:
    if isinstance(images, Mapping):
        titles, images = list(images), list(images.values())
    flat = [torch.as_tensor(image).detach().float().cpu() for image in images]  # NumPy arrays are welcome
    flat = [image[0] if image.ndim == 4 else image for image in flat]
    if not flat:
        raise ValueError("images must have at least one image")
    return flat, list(titles) or [""] * len(flat)


def _grid(pictures: Sequence[Tensor], columns: int | None, height: float, title: str, titled: bool) -> Figure:
    ratios = [picture.shape[-1] / picture.shape[-2] for picture in pictures]
    columns = columns or min(len(ratios), 6)
    rows = math.ceil(len(ratios) / columns)
    widths = [max(ratios[column::columns]) for column in range(columns)]
    figure = new_figure(sum(widths) * height, rows * (height + 0.25 * titled), title)
    for axis in figure.subplots(rows, columns, width_ratios=widths, squeeze=False).flat:
        axis.set_axis_off()
    return figure
