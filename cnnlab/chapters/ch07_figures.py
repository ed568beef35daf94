"""Figures of chapter 07: how far the layers move with the image, and which photographs keep their label."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.plots.base import BLUE, GRAY, new_figure, tidy


def show_invariance(
    changes: Mapping[str, Sequence[float]], measure: str, columns: Mapping[str, Mapping[str, Tensor]]
) -> Figure:
    """Show curves as in figure 5 of Zeiler & Fergus 2014: a column for each change, all with one y axis.

    Args:
        changes: name of the change -> its sizes.
        measure: the text at the y axis.
        columns: name of the change -> name of the line -> values (images, sizes); the line is their mean, and the band
            holds the middle half of the images.
    """
    figure = new_figure(3.3 * len(changes) + 1.2, 2.9)
    axes = figure.subplots(1, len(changes), squeeze=False, sharey=True)[0]
    axes[0].set_ylabel(measure)
    for axis, (change, sizes) in zip(axes, changes.items(), strict=True):
        for name, values in columns[change].items():
            line = axis.plot(sizes, values.mean(dim=0).numpy(), label=name, linewidth=2)[0]
            if len(values) > 1:
                low, high = values.quantile(0.25, dim=0).numpy(), values.quantile(0.75, dim=0).numpy()
                axis.fill_between(sizes, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
        axis.set_xlabel(change)
    axes[0].set_ylim(bottom=0)
    tidy(*axes)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def show_depth(layers: Sequence[str], trained: Mapping[str, Tensor], random: Mapping[str, Tensor]) -> Figure:
    """Show how far each layer moves: a column per change, with the trained net (layers,) and others (nets, layers)."""
    figure = new_figure(3.3 * len(trained), 3.1)
    axes = figure.subplots(1, len(trained), squeeze=False, sharey=True)[0]
    for axis, (change, values) in zip(axes, trained.items(), strict=True):
        lines = axis.plot(random[change].T.numpy(), color=GRAY, linewidth=1)
        lines[0].set_label("random weights")
        axis.plot(values.numpy(), "o-", color=BLUE, linewidth=2, markersize=4, label="trained")
        axis.set_xticks(range(len(layers)), layers, rotation=60)
        axis.set_title(change, fontsize=10)
    axes[0].set(ylabel="distance (1: another photograph)", ylim=(0, None))
    axes[0].legend(frameon=False)
    tidy(*axes)
    return figure


def show_kept(changes: Mapping[str, Sequence[float]], kept: Mapping[str, Tensor], names: Sequence[str]) -> Figure:
    """Show for which sizes of a change each image keeps its label: blue where it does, (images, sizes) of bool."""
    figure = new_figure(3.3 * len(changes) + 1.2, 0.2 * len(names) + 0.8)
    axes = figure.subplots(1, len(changes), squeeze=False, sharey=True)[0]
    for axis, (change, sizes) in zip(axes, changes.items(), strict=True):
        half = (sizes[1] - sizes[0]) / 2
        extent = (sizes[0] - half, sizes[-1] + half, len(names) - 0.5, -0.5)
        axis.imshow(kept[change].float().numpy(), cmap="Blues", vmin=0, vmax=1.4, aspect="auto", extent=extent)
        axis.set_xlabel(change)
        axis.set_yticks(range(len(names)), names)
        axis.tick_params(left=False)
    return figure
