"""Figures of chapter 03: what an image made for a neuron reaches."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.nets import Net
from cnnlab.plots.base import BLUE, GRAY, ORANGE, draw_image, draw_probabilities, new_chart, new_figure


def show_above(digits: Tensor, own: Tensor, names: Sequence[str], what: str) -> Figure:
    """Show the activations of real digits as dots, and beside them the activation of each neuron's own image.

    Args:
        digits: (N, K), one column per neuron.
        own: (K,), what the image made for the neuron reaches.
        names: one per neuron.
        what: label of the y axis.
    """
    figure, axis = new_chart(8.6, 2.9)
    spread = np.random.default_rng(0).uniform(-0.25, 0.25, tuple(digits.shape))  # so that dots do not cover each other
    columns = np.arange(len(names))
    axis.plot(columns + spread, digits.cpu().numpy(), ".", color=GRAY, markersize=2, alpha=0.5, rasterized=True)
    axis.plot([], [], ".", color=GRAY, label=f"{len(digits):,} digits")
    axis.plot(columns, own.cpu().numpy(), "D", color=ORANGE, markersize=7, label="its own image")
    axis.set(ylabel=what, xticks=columns, xticklabels=names)
    axis.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    return figure


def show_classes(rows: Mapping[str, Tensor], means: Tensor, titles: Sequence[str]) -> Figure:
    """Show the images of neurons in rows, and below each column what digits of each class do to the neuron.

    Args:
        rows: name -> images (K, 1, H, W), one per neuron.
        means: the mean activation for each class, (K, classes); the largest bar is orange and has its class below it.
        titles: one per neuron.
    """
    figure = new_figure(0.95 * len(titles) + 1.2, 0.95 * len(rows) + 1.2)
    *lines, last = figure.subplots(len(rows) + 1, len(titles), squeeze=False)
    for line, (name, images) in zip(lines, rows.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for axis, image in zip(line, images, strict=True):
            draw_image(axis, image)
    for axis, title in zip(lines[0], titles, strict=True):
        axis.set_title(title, fontsize=10)
    last[0].set_ylabel("mean for\nclasses 0 to 9", rotation=0, ha="right", va="center")
    for axis, heights in zip(last, means, strict=True):
        top = int(heights.argmax())
        axis.bar(range(len(heights)), heights, color=[ORANGE if i == top else BLUE for i in range(len(heights))])
        axis.set_xticks([top], [str(top)])
        axis.set(yticks=[])
        axis.spines[["left", "top", "right"]].set_visible(False)
    return figure


def show_answer(net: Net, image: Tensor, title: str = "") -> Figure:
    """Show an image (1, 1, 28, 28) above the probabilities that the net gives to the ten digits."""
    figure = new_figure(4.6, 4.8, title, dpi=140)
    above, below = figure.subplots(2, 1, height_ratios=(3.4, 1))
    draw_image(above, image)
    with torch.no_grad():
        draw_probabilities(below, net.probabilities(image)[0].cpu(), list(map(str, range(10))))
    return figure
