"""The figure of chapter 09: how well linear classifiers do on the layers of nets."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from cnnlab.plots.base import new_figure, tidy


def show_probes(panels: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]) -> Figure:
    """Show the accuracies in several exams as dots, layer by layer, and a line through their means.

    `panels` is title -> net -> layer -> accuracies. All panels have the same scale.
    """
    figure = new_figure(3.3 * len(panels), 3.0)
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axis, (title, nets) in zip(axes, panels.items(), strict=True):
        for number, (net, layers) in enumerate(nets.items()):
            shares = np.array(list(layers.values()))  # (layers, exams)
            depths = np.arange(len(shares))
            axis.plot(depths, shares.mean(axis=1), color=f"C{number}", linewidth=2, label=net)
            axis.plot(np.repeat(depths, shares.shape[1]), shares.ravel(), "o", color=f"C{number}", alpha=0.35, ms=4)
            axis.set_xticks(depths, list(layers), rotation=60)
        axis.set_title(title, fontsize=10)
    axes[0].set_ylabel("accuracy")
    axes[0].legend(frameon=False, loc="lower right")
    tidy(*axes)
    return figure
