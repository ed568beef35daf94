"""Every figure of the course. Each function returns its matplotlib Figure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator
from torch import Tensor

from cnnlab.nets import Prediction

Images = Tensor | np.ndarray | Sequence[Tensor | np.ndarray] | Mapping[str, Tensor | np.ndarray]
STYLE: Any = {"font.size": 10, "axes.titlesize": 10, "axes.spines.top": False, "axes.spines.right": False}


def show(
    images: Images, titles: Sequence[str] = (), *, columns: int | None = None, height: float = 2.4, title: str = ""
) -> Figure:
    """Images side by side, in rows of `columns`.

    Args:
        images: (B, C, H, W), a list of images (1, C, H, W), or a dict title -> image; all in [0, 1].
        titles: one above each.
        columns: images per row; None puts up to six in one.
        height: inches per row.
        title: above them all.
    """
    pictures, titles = _listed(images, titles)
    axes = _grid([picture.shape[-1] / picture.shape[-2] for picture in pictures], columns, height, title, any(titles))
    for axis, picture, text in zip(axes, pictures, titles, strict=False):
        array = picture.clamp(0, 1).permute(1, 2, 0).numpy()  # (H, W, C)
        axis.imshow(array.squeeze(), cmap="gray", vmin=0, vmax=1, interpolation=_interpolation(picture))
        axis.set_title(text)
    return _done(axes)


def show_maps(
    maps: Images, titles: Sequence[str] = (), *, columns: int | None = None, height: float = 1.8, title: str = "",
    signed: bool = False, saturate: float = 0.0,
) -> Figure:  # fmt: skip
    """Feature maps or gradients (N, H, W) side by side, each with colours of its own range.

    Args:
        maps: (N, H, W), a list of (H, W), or a dict title -> map.
        titles: one above each.
        columns: maps per row.
        height: inches per row.
        title: above them all.
        signed: diverging colours centred at 0, for what has a sign; else dark is 0.
        saturate: share of the values that may lie beyond the colours' range; 0.01 shows what a few extremes would fade.
    """
    arrays, titles = _listed(maps, titles)
    axes = _grid([array.shape[-1] / array.shape[-2] for array in arrays], columns, height, title, any(titles))
    for axis, array, text in zip(axes, arrays, titles, strict=False):
        top = float(_top(array, saturate))
        low, colors = (-top, "RdBu_r") if signed else (min(0.0, float(array.min())), "magma")
        axis.imshow(array.squeeze().numpy(), cmap=colors, vmin=low, vmax=top, interpolation=_interpolation(array))
        axis.set_title(text)
    return _done(axes)


def curves(
    series: Mapping[str, Sequence[float]], xlabel: str, ylabel: str, *, x: Sequence[Any] | None = None,
    ticks: Sequence[str] = (), log: str = "", ylim: tuple[float | None, float | None] = (None, None),
    ordered: bool = False, title: str = "",
) -> Figure:  # fmt: skip
    """Lines with their names at the side; few values have dots, and what is called a formula is dashed.

    Args:
        series: name -> values.
        xlabel: below.
        ylabel: at the left.
        x: numbers or names that the values belong to; None is 1, 2, 3 ...
        ticks: what to write at them.
        log: the logarithmic axes: "x", which has its ticks at the values of x, "y" or "xy".
        ylim: the ends of the y axis; None leaves one free.
        ordered: the series follow one another: colours from blue (first) to yellow (last).
        title: above.
    """
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(6.8, 3.2), layout="constrained")
        colors = colormaps["viridis"](np.linspace(0, 0.92, len(series))) if ordered else [None] * len(series)
        for color, (name, values) in zip(colors, series.items(), strict=True):
            places = range(1, len(values) + 1) if x is None else x
            style = "--" if name.startswith("formula") else "o-" if len(values) <= 16 else "-"
            axis.plot(places, np.asarray(values), style, color=color, label=name, linewidth=2, markersize=4)
        axis.set(xlabel=xlabel, ylabel=ylabel, title=title, yscale="log" if "y" in log else "linear")
        if ylim != (None, None):
            axis.set_ylim(*ylim)
        low, high = axis.get_ylim()
        if "y" in log and high < 10 * low:  # no power of ten, or one alone
            axis.yaxis.set_minor_formatter("{x:g}")
        if "x" in log:
            axis.set_xscale("log")
            axis.xaxis.set_minor_locator(NullLocator())
        if x is not None and ("x" in log or ticks):
            axis.set_xticks(x, ticks or [f"{place:,g}" for place in x])
        axis.grid(alpha=0.25)
        if len(series) > 1:
            axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    plt.close(figure)  # shown once, as the cell's value
    return figure


def show_predictions(image: Tensor, predictions: Sequence[Prediction], title: str = "") -> Figure:
    """An image (1, C, H, W) beside its labels and their probabilities."""
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8), width_ratios=(1, 1.4), layout="constrained")
        left.imshow(image[0].detach().cpu().clamp(0, 1).permute(1, 2, 0).squeeze().numpy(), cmap="gray", vmin=0, vmax=1)
        left.set_axis_off()
        left.set_title(title)
        labels, values = [p.label for p in predictions][::-1], [p.probability for p in predictions][::-1]
        right.barh(labels, values, color="#4878a8")
        for row, value in enumerate(values):
            right.text(value + 0.015, row, f"{value:.1%}", va="center")
        right.set(xlim=(0, 1.16), xticks=[])
        right.spines["bottom"].set_visible(False)
        right.tick_params(left=False)
    plt.close(figure)
    return figure


def show_numbers(
    matrices: Mapping[str, np.ndarray], boxes: Mapping[str, Sequence[tuple[int, int, int, int]]] | None = None
) -> Figure:
    """Small matrices (H, W) side by side with their numbers in the cells, coloured around 0.

    Args:
        matrices: title -> matrix.
        boxes: title -> outlines (top, left, height, width), in cells; the n-th of every matrix has the same colour.
    """
    with plt.rc_context(STYLE):
        sizes = [np.shape(matrix)[1] for matrix in matrices.values()]
        figure, axes = plt.subplots(
            1, len(sizes), figsize=(0.42 * sum(sizes) + 0.5 * len(sizes), 0.42 * max(sizes) + 0.5),
            width_ratios=sizes, layout="constrained", squeeze=False,
        )  # fmt: skip
        for axis, (title, matrix) in zip(axes.flat, matrices.items(), strict=True):
            top = float(np.abs(matrix).max()) or 1.0
            axis.imshow(matrix, cmap="RdBu_r", vmin=-1.6 * top, vmax=1.6 * top)  # paler: the numbers stay readable
            for (row, column), value in np.ndenumerate(matrix):
                axis.text(column, row, f"{value:.3g}", ha="center", va="center")
            for number, (y, x, height, width) in enumerate((boxes or {}).get(title, ())):
                outline = Rectangle((x - 0.5, y - 0.5), width, height, fill=False, edgecolor=f"C{number + 1}")
                outline.set(linewidth=3, clip_on=False)
                axis.add_patch(outline)
            axis.set_title(title)
            axis.set_axis_off()
    plt.close(figure)
    return figure


def diverging(values: Tensor, saturate: float = 0.0) -> Tensor:
    """Signed values (B, H, W) as images (B, 3, H, W): red above 0, blue below, white at 0; each to its own maximum.

    `saturate` is the share of the values that may lie beyond the colours' range, as in `show_maps`.
    """
    tops = torch.stack([_top(array, saturate) for array in values])[:, None, None]  # (B, 1, 1)
    colors = colormaps["RdBu_r"]((0.5 + values / tops / 2).detach().cpu().numpy())  # (B, H, W, RGBA)
    return torch.from_numpy(colors[..., :3]).float().permute(0, 3, 1, 2)


def _top(array: Tensor, saturate: float) -> Tensor:
    """The value where the colours end: the largest, or the quantile; 1 for an array of zeros."""
    size = array.abs().flatten()
    top = size.quantile(1 - saturate)
    top = top if top > 0 else size.max()  # of a sparse array all but a few values are 0
    return top if top > 0 else torch.ones_like(top)


def _listed(images: Images, titles: Sequence[str]) -> tuple[list[Tensor], Sequence[str]]:
    if isinstance(images, Mapping):
        titles, images = list(images), list(images.values())
    flat = [torch.as_tensor(image).detach().float().cpu() for image in images]  # NumPy arrays are welcome
    flat = [image[0] if image.ndim == 4 else image for image in flat]
    if not flat:
        raise ValueError("images must have at least one image")
    return flat, list(titles) or [""] * len(flat)


def _grid(ratios: Sequence[float], columns: int | None, height: float, title: str, titled: bool) -> list[Axes]:
    columns = columns or min(len(ratios), 6)
    rows = math.ceil(len(ratios) / columns)
    widths = [max(ratios[column::columns]) for column in range(columns)]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            rows, columns, figsize=(sum(widths) * height, rows * (height + 0.25 * titled)), width_ratios=widths,
            layout="constrained", squeeze=False,
        )  # fmt: skip
        if title:
            figure.suptitle(title, fontsize=12)
    for axis in axes.flat:
        axis.set_axis_off()
    return list(axes.flat)


def _interpolation(image: Tensor) -> str:
    return "nearest" if max(image.shape[-2:]) < 100 else "antialiased"


def _done(axes: Sequence[Axes]) -> Figure:
    figure = axes[0].get_figure()
    assert isinstance(figure, Figure)
    plt.close(figure)  # shown once, as the cell's value
    return figure
