"""Figures of chapter 15: nets that are fooled, and how often."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.nets import Net
from cnnlab.plots.base import BLUE, GRAY, GREEN, ORANGE, draw_image, draw_probabilities, new_chart, new_figure
from cnnlab.plots.charts import curves


def show_fooled(nets: Mapping[str, Net], image: Tensor, changed: Tensor, title: str = "") -> Figure:
    """Show a digit (1, 1, 28, 28), the perturbation, their sum, and below what each net makes of the sum.

    The perturbation is drawn from -1 (blue) to 1 (red), on the scale of the pixels. The thin gray bars are the
    probabilities of the digit before the change.
    """
    below = 0.95 * len(nets)  # inches
    height = below + (2.75 if title else 2.45)
    figure = new_figure(6.4, height, dpi=110, placed=True)
    figure.suptitle(title, fontsize=12, y=1 - 0.1 / height, va="top")
    pictures = {"the digit": image, "what is added": changed - image, "the sum": changed}
    for number, (name, picture) in enumerate(pictures.items()):
        axis = figure.add_axes((0.03 + 0.325 * number, (below + 0.2) / height, 0.29, 1.9 / height))
        draw_image(axis, picture, name, signed=name == "what is added")
        axis.spines[:].set_visible(True)
    for number, (name, net) in enumerate(nets.items()):
        axis = figure.add_axes((0.17, (below - 0.95 * number - 0.7) / height, 0.81, 0.7 / height))
        with torch.no_grad():
            before, after = net.probabilities(torch.cat([image, changed])).cpu()
        draw_probabilities(axis, after, list(map(str, range(10))), before)
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11, labelpad=12)
    return figure


def show_rates(tables: Mapping[str, Tensor], rows: Sequence[str], columns: Sequence[str], ylabel: str = "") -> Figure:
    """Show tables of shares in [0, 1] side by side, in per cent; a larger share is darker.

    `tables` is title -> shares (rows, columns), `rows` and `columns` are their names; `ylabel` says what the rows are.
    """
    figure = new_figure(1.1 + (0.75 * len(columns) + 0.35) * len(tables), 1.1 + 0.5 * len(rows))
    axes = figure.subplots(1, len(tables), squeeze=False, sharey=True)[0]
    for axis, (title, table) in zip(axes, tables.items(), strict=True):
        axis.imshow(table.numpy(), cmap="Oranges", vmin=0, vmax=1.2, aspect="auto")
        for row, shares in enumerate(table.tolist()):
            for column, share in enumerate(shares):
                color = "white" if share > 0.75 else "black"
                axis.text(column, row, f"{share:.0%}", ha="center", va="center", color=color)
        axis.set_xticks(range(len(columns)), columns)
        axis.set_title(title, fontsize=11)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
    axes[0].set_yticks(range(len(rows)), rows)
    figure.supylabel(ylabel, fontsize=10)
    return figure


def show_kinds(series: Mapping[str, Sequence[float]], xlabel: str, ylabel: str, x: Sequence[float]) -> Figure:
    """Show curves that are named "net, kind": each net has a color, each kind a style of line."""
    figure = curves(series, xlabel, ylabel, x=x)
    (axis,) = figure.axes
    nets, kinds = (list(dict.fromkeys(names)) for names in zip(*(name.split(", ") for name in series), strict=True))
    for line, (net, kind) in zip(axis.lines, (name.split(", ") for name in series), strict=True):
        line.set(color=(BLUE, ORANGE, GREEN)[nets.index(net)], linestyle=("-", "--")[kinds.index(kind)])
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def show_estimate(estimate: Tensor, found: Tensor) -> Figure:
    """Show the eps that was found over its estimate, one dot per image; the gray band is the estimate +- a quarter."""
    figure, axis = new_chart(4.6, 3.4)
    end = float(estimate.max())
    axis.fill_between([0, end], [0, 0.8 * end], [0, 1.25 * end], color=GRAY, alpha=0.25, label="right within a quarter")
    axis.plot(estimate, found, "o", color=BLUE, markersize=4, alpha=0.7)
    axis.set(xlabel="eps, from the slope at the digit", ylabel="smallest eps found")
    axis.legend(frameon=False)
    return figure
