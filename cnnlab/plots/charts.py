"""Lines and bars."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from torch import Tensor

from cnnlab.plots.base import BLUE, RED, draw_bars, new_chart, new_figure, tidy


def curves(
    series: Mapping[str, Sequence[float]], xlabel: str, ylabel: str, *, x: Sequence[Any] | None = None,
    ticks: Sequence[str] = (), log: str = "", ylim: tuple[float | None, float | None] = (None, None),
    ordered: bool = False, title: str = "",
) -> Figure:  # fmt: skip
    """Show lines, with their names at the side.

    A line of at most 16 values has dots. A line whose name begins with "formula" is dashed.

    Args:
        series: name -> values.
        xlabel, ylabel: texts at the axes.
        x: numbers or names that the values belong to; None means 1, 2, 3 ...
        ticks: texts to write at the values of x.
        log: the logarithmic axes: "x", which then has its ticks at the values of x, "y" or "xy".
        ylim: the ends of the y axis; None leaves an end free.
        ordered: whether the series have an order. Their colors then go from blue (first) to yellow (last).
        title: text above.
    """
    figure, axis = new_chart(6.8, 3.2)
    colors = colormaps["viridis"](np.linspace(0, 0.92, len(series))) if ordered else [None] * len(series)
    for color, (name, values) in zip(colors, series.items(), strict=True):
        positions = range(1, len(values) + 1) if x is None else x
        style = "--" if name.startswith("formula") else "o-" if len(values) <= 16 else "-"
        axis.plot(positions, np.asarray(values), style, color=color, label=name, linewidth=2, markersize=4)
    axis.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if "y" in log else "linear", ylim=ylim)
    axis.set_title(title, fontsize=10)
    low, high = axis.get_ylim()
    if "y" in log and high < 10 * low:  # the axis has one power of ten, or none
        axis.yaxis.set_minor_formatter("{x:g}")
    if "x" in log:
        axis.set_xscale("log")
        axis.xaxis.set_minor_locator(NullLocator())
    if x is not None and ("x" in log or ticks):
        axis.set_xticks(x, ticks or [f"{position:,g}" for position in x])
    if len(series) > 1:
        axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def show_by_layer(measures: Mapping[str, Mapping[str, Sequence[float] | Tensor]]) -> Figure:
    """Show a chart per measure: a dot for each value of each layer, and a line through the layers' medians.

    `measures` is measure -> layer -> values, with the layers in order of depth.
    """
    figure = new_figure(3.1 * len(measures), 2.6)
    axes = figure.subplots(1, len(measures), squeeze=False)[0]
    for axis, (measure, layers) in zip(axes, measures.items(), strict=True):
        values = [np.asarray(of_layer, dtype=float) for of_layer in layers.values()]
        for depth, of_layer in enumerate(values):
            axis.plot([depth] * len(of_layer), of_layer, "o", color=BLUE, alpha=0.35, markersize=4)
        axis.plot([np.median(of_layer) for of_layer in values], color=RED, linewidth=2)
        axis.set_xticks(range(len(layers)), list(layers), rotation=60)
        axis.set_title(measure, fontsize=10)
    tidy(*axes)
    return figure


def show_bars(shares: Mapping[str, float], xlabel: str) -> Figure:
    """Show a horizontal bar for each share in [0, 1], the first at the top."""
    figure = new_figure(7, 0.32 * len(shares) + 0.5)
    axis = figure.subplots()
    draw_bars(axis, shares)
    axis.set_xlabel(xlabel)
    return figure
