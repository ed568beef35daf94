"""A figure of chapter 04: what neurons answer to the frames of a movie."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.plots.base import new_figure


def show_activity(values: Tensor, names: Sequence[str], xlabel: str) -> Figure:
    """Show activations over time (N, time) as a strip per name, each from 0 to its own largest value."""
    strips = np.asarray(values, dtype=float)
    strips = strips / np.maximum(strips.max(axis=1, keepdims=True), 1e-12)
    figure = new_figure(7, 1.8)
    axis = figure.subplots()
    drawn = axis.imshow(strips, aspect="auto", cmap="magma", vmin=0, vmax=1, interpolation="nearest")
    axis.set_yticks(range(len(names)), list(names))
    axis.set_xlabel(xlabel)
    figure.colorbar(drawn, label="share of its largest", ticks=[0, 0.5, 1])
    return figure
