"""Figures of chapter 03: what an image made for a neuron reaches."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.nets import Net
from cnnlab.plots.base import GRAY, ORANGE, draw_image, draw_probabilities, new_chart, new_figure


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


def show_answer(net: Net, image: Tensor, title: str = "") -> Figure:
    """Show an image (1, 1, 28, 28) above the probabilities that the net gives to the ten digits."""
    figure = new_figure(4.6, 4.8, title, dpi=140)
    above, below = figure.subplots(2, 1, height_ratios=(3.4, 1))
    draw_image(above, image)
    with torch.no_grad():
        draw_probabilities(below, net.probabilities(image)[0].cpu(), list(map(str, range(10))))
    return figure
