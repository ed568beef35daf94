"""Figures that compare layers: pictures in a row per layer, measurements by depth, activity over time."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.plots import STYLE


def gallery(rows: Mapping[str, Tensor], titles: Sequence[str] = (), *, height: float = 1.0) -> Figure:
    """Images in named rows, close together.

    Args:
        rows: name -> images (B, C, H, W) in [0, 1]; the first row is on top.
        titles: one above each column.
        height: inches per row.
    """
    columns = max(len(images) for images in rows.values())
    width = height * max(images.shape[-1] / images.shape[-2] for images in rows.values())
    total = len(rows) * height + 0.3 * bool(titles)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(rows), columns, figsize=(columns * width + 0.5, total), squeeze=False,
            gridspec_kw={"wspace": 0.02, "hspace": 0.02, "left": 0.5 / (columns * width + 0.5),
                         "right": 1, "bottom": 0, "top": len(rows) * height / total},
        )  # fmt: skip
        for axis, title in zip(axes[0], titles, strict=False):
            axis.set_title(title, pad=4)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        line[0].text(-0.06, 0.5, name, transform=line[0].transAxes, ha="right", va="center", rotation=90)
        for axis in line:
            axis.set_axis_off()
        for axis, image in zip(line, images, strict=False):
            axis.imshow(
                image.detach().cpu().clamp(0, 1).permute(1, 2, 0).squeeze().numpy(), cmap="gray", vmin=0, vmax=1
            )
    plt.close(figure)  # shown once, as the cell's value
    return figure


def by_layer(measures: Mapping[str, Mapping[str, Sequence[float] | Tensor]], *, height: float = 2.6) -> Figure:
    """One panel per measure: a dot for each value of each layer, and a line through the layers' medians.

    Args:
        measures: measure -> layer -> values, the layers in order of depth.
        height: inches of the panels.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(measures), figsize=(3.1 * len(measures), height), layout="constrained",
                                    squeeze=False)  # fmt: skip
        for axis, (measure, layers) in zip(axes[0], measures.items(), strict=True):
            values = [np.asarray(of_layer, dtype=float) for of_layer in layers.values()]
            for depth, of_layer in enumerate(values):
                axis.plot([depth] * len(of_layer), of_layer, "o", color="#4878a8", alpha=0.35, markersize=4)
            axis.plot([np.median(of_layer) for of_layer in values], color="#c44e52", linewidth=2)
            axis.set_xticks(range(len(layers)), list(layers), rotation=60)
            axis.set_title(measure)
            axis.grid(alpha=0.25)
    plt.close(figure)
    return figure


def activity(values: Tensor | np.ndarray, names: Sequence[str], xlabel: str, *, height: float = 1.8) -> Figure:
    """Activity over time as a strip per name: values (N, time), each strip from 0 to its own largest."""
    strips = np.asarray(values, dtype=float)
    strips = strips / np.maximum(strips.max(axis=1, keepdims=True), 1e-12)
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(7, height), layout="constrained")
        drawn = axis.imshow(strips, aspect="auto", cmap="magma", vmin=0, vmax=1, interpolation="nearest")
        axis.set_yticks(range(len(names)), list(names))
        axis.set_xlabel(xlabel)
        figure.colorbar(drawn, label="share of its largest", ticks=[0, 0.5, 1])
    plt.close(figure)
    return figure


def histograms(values: Mapping[str, Tensor], xlabel: str, *, bins: int = 60, height: float = 2.8) -> Figure:
    """Histograms over each other, on common bins from 0 to the largest value; how many is on a logarithmic axis."""
    arrays = {name: array.detach().flatten().cpu().numpy() for name, array in values.items()}
    edges = np.linspace(0, max(array.max() for array in arrays.values()), bins + 1)
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(6.4, height), layout="constrained")
        for name, array in arrays.items():
            axis.hist(array, edges.tolist(), histtype="stepfilled", alpha=0.45, label=name)
        axis.set(xlabel=xlabel, ylabel="how many", yscale="log")
        axis.legend(frameon=False)
    plt.close(figure)
    return figure
