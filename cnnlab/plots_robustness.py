"""Figures about fooled nets; none uses pyplot, so that a panel may draw in its thread."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.nets import Net
from cnnlab.plots_mnist import BLUE, GREY, ORANGE


def show_rates(tables: Mapping[str, Tensor], rows: Sequence[str], columns: Sequence[str], ylabel: str = "") -> Figure:
    """Tables of shares in [0, 1] side by side, (rows, columns) each, in per cent: the darker, the more.

    Args:
        tables: title -> shares.
        rows: names of the rows, at the left.
        columns: names of the columns, below.
        ylabel: what the rows are.
    """
    width = 1.1 + (0.75 * len(columns) + 0.35) * len(tables)
    figure = Figure(figsize=(width, 1.1 + 0.5 * len(rows)), dpi=110, layout="constrained")
    for axis, (title, table) in zip(figure.subplots(1, len(tables), squeeze=False)[0], tables.items(), strict=True):
        axis.imshow(table.numpy(), cmap="Oranges", vmin=0, vmax=1.2, aspect="auto")
        for row in range(len(rows)):
            for column in range(len(columns)):
                share = float(table[row, column])
                color = "white" if share > 0.75 else "black"
                axis.text(column, row, f"{share:.0%}", ha="center", va="center", color=color)
        axis.set_xticks(range(len(columns)), columns)
        axis.set_yticks(range(len(rows)), rows if axis.get_subplotspec().is_first_col() else [""] * len(rows))
        axis.set_title(title, fontsize=11)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
    figure.supylabel(ylabel, fontsize=10)
    return figure


def show_fooled(nets: Mapping[str, Net], image: Tensor, changed: Tensor, title: str = "") -> Figure:
    """A digit (1, 1, 28, 28), what was added to it, the sum, and below what each net makes of the sum.

    The perturbation is drawn from -1 (blue) to 1 (red), on the scale of the pixels; the thin bars are the probabilities
    of the digit as it was.
    """
    below = 0.95 * len(nets)  # inches
    height = below + (2.75 if title else 2.45)
    figure = Figure(figsize=(6.4, height), dpi=110)  # places given: a panel has no time to have them found
    figure.suptitle(title, fontsize=12, y=1 - 0.1 / height, va="top")
    pictures = {"the digit": image, "what is added": changed - image, "the sum": changed}
    for number, (name, picture) in enumerate(pictures.items()):
        axis = figure.add_axes((0.03 + 0.325 * number, (below + 0.2) / height, 0.29, 1.9 / height))
        colors, low = ("RdBu_r", -1) if name == "what is added" else ("gray", 0)
        axis.imshow(picture[0, 0].cpu().numpy(), cmap=colors, vmin=low, vmax=1, interpolation="nearest")
        axis.set_title(name, fontsize=10)
        axis.set(xticks=[], yticks=[])
    for number, (name, net) in enumerate(nets.items()):
        axis = figure.add_axes((0.17, (below - 0.95 * number - 0.7) / height, 0.81, 0.7 / height))
        with torch.no_grad():
            before, after = net.probabilities(torch.cat([image, changed])).cpu()
        _bars(axis, before, after)
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=11, labelpad=12)
    return figure


def _bars(axis: Axes, before: Tensor, after: Tensor) -> None:
    top = int(after.argmax())
    axis.bar(range(10), after.tolist(), color=[ORANGE if digit == top else BLUE for digit in range(10)])
    axis.bar([digit + 0.45 for digit in range(10)], before.tolist(), width=0.12, color=GREY)
    axis.text(top, float(after[top]) + 0.05, f"{after[top]:.0%}", ha="center", va="bottom")
    axis.set(xlim=(-0.6, 9.7), ylim=(0, 1.35), yticks=[], xticks=range(10))
    axis.tick_params(length=0)
    axis.spines[["left", "top", "right"]].set_visible(False)
