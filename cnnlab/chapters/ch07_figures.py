"""A figure of chapter 07: how far the layers move with the image."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.plots.base import new_figure, tidy


def show_invariance(
    changes: Mapping[str, Sequence[float]], rows: Mapping[str, Mapping[str, Mapping[str, Tensor]]]
) -> Figure:
    """Show curves as in figure 5 of Zeiler & Fergus 2014: a column for each change, a row for each measure.

    Args:
        changes: name of the change -> its sizes.
        rows: measure -> name of the change -> photograph -> values, one per size.
    """
    figure = new_figure(3.3 * len(changes) + 1.2, 2.2 * len(rows))
    axes = figure.subplots(len(rows), len(changes), squeeze=False, sharex="col", sharey="row")
    for line, (measure, columns) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(measure)
        for axis, (change, sizes) in zip(line, changes.items(), strict=True):
            for name, values in columns[change].items():
                axis.plot(sizes, values.numpy(), label=name)
        line[0].set_ylim(bottom=0)
    for axis, change in zip(axes[-1], changes, strict=True):
        axis.set_xlabel(change)
    tidy(*axes.flat)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure
