"""A figure of chapter 11: what a dream does to a layer's activations."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.plots.base import new_chart


def show_histograms(values: Mapping[str, Tensor], xlabel: str) -> Figure:
    """Show histograms on top of each other, in 60 bins from 0 to the largest value; the counts are logarithmic."""
    arrays = {name: array.detach().flatten().cpu().numpy() for name, array in values.items()}
    edges = np.linspace(0, max(array.max() for array in arrays.values()), 61)
    figure, axis = new_chart(6.4, 2.8)
    for name, array in arrays.items():
        axis.hist(array, edges.tolist(), histtype="stepfilled", alpha=0.45, label=name)
    axis.set(xlabel=xlabel, ylabel="how many", yscale="log")
    axis.legend(frameon=False)
    return figure
