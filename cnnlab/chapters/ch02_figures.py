"""Figures of chapter 02: the digits' network and its training."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.nets import Net
from cnnlab.plots.base import BLUE, GRAY, ORANGE, draw_image, draw_probabilities, new_chart, new_figure, tidy
from cnnlab.plots.sheets import colored, tile


def show_layers(net: Net, image: Tensor, title: str = "") -> Figure:
    """Show all activations of one digit (1, 1, 28, 28), from the image to the ten probabilities.

    Dark is 0; each layer has its own scale, from 0 to its largest activation.
    """
    names = [name for name in net.layers if name.startswith(("relu", "pool"))]
    with torch.no_grad():
        activations = net.activations(image, names)
        chances = net.probabilities(image)[0].cpu()
    sheets = {"image 28 × 28": image}
    for name, values in activations.items():
        maps = values[0] if values.ndim == 4 else values.view(1, 10, -1)  # (channels, h, w)
        size = " × ".join(map(str, maps.shape)) if values.ndim == 4 else f"{maps.numel()}"
        shades = colored(maps / maps.max().clamp(min=1e-6), "magma")
        sheets[f"{name}  {size}"] = tile(shades, int(np.ceil(len(maps) ** 0.5)), gap=max(1, maps.shape[-1] // 8))
    figure = new_figure(6.4, 6.0, dpi=140, placed=True)
    figure.suptitle(title, fontsize=12, y=0.985)
    for index, (words, sheet) in enumerate(sheets.items()):
        axis = figure.add_axes((0.01 + 0.333 * (index % 3), 0.555 - 0.385 * (index // 3), 0.315, 0.345))
        draw_image(axis, sheet, words)
        axis.set_anchor("N")
    draw_probabilities(figure.add_axes((0.01, 0.045, 0.98, 0.11)), chances, list(map(str, range(10))))
    return figure


def show_training(losses: Sequence[float], accuracies: Sequence[float], total: int | None = None) -> Figure:
    """Show the loss at each step (thin) with its mean over 20 steps (thick), and the held-out accuracy per epoch."""
    figure = new_figure(7.6, 2.9)
    left, right = figure.subplots(1, 2)
    steps, window = np.arange(1, len(losses) + 1), min(20, len(losses))
    left.plot(steps, losses, color=BLUE, linewidth=0.6, alpha=0.5)
    if window > 1:
        left.plot(steps[window - 1 :], np.convolve(losses, np.ones(window) / window, "valid"), color=BLUE, linewidth=2)
    left.set(xlabel="step", ylabel="loss", yscale="log", xlim=(1, max(total or len(losses), 2)))
    epochs = np.arange(1, len(accuracies) + 1)
    right.plot(epochs, 100 * np.array(accuracies), color=ORANGE, marker="o", linewidth=2)
    right.set(xlabel="epoch", ylabel="held-out accuracy, %", xticks=epochs[:: max(1, len(epochs) // 8)])
    tidy(left, right)
    return figure


def show_sizes(groups: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Show nets as dots: number of parameters (logarithmic) across, accuracy up; a group has one color and one line."""
    figure, axis = new_chart(6.6, 3.2)
    for color, (name, nets) in zip((GRAY, BLUE, ORANGE), groups.items(), strict=False):
        sizes, scores = zip(*nets, strict=True)
        axis.plot(sizes, [100 * score for score in scores], "o-", color=color, markersize=8, label=name)
    axis.set(xscale="log", xlabel="parameters", ylabel="held-out accuracy, %")
    axis.legend(frameon=False, loc="lower right")
    return figure


def show_confusion(matrix: Tensor) -> Figure:
    """Show how often the net took a digit (row) for another (column), (10, 10); only mistakes have a color."""
    figure = new_figure(4.4, 4.2)
    axis = figure.subplots()
    wrong = matrix.float() - torch.diag(matrix.diagonal().float())
    axis.imshow(wrong.numpy(), cmap="Oranges", vmin=0, vmax=max(2 * wrong.max().item(), 1))
    for (row, column), count in np.ndenumerate(matrix.numpy()):
        if count:
            axis.text(column, row, f"{count}", ha="center", va="center", color=GRAY if row == column else "black")
    axis.set(xlabel="the net says", ylabel="it is", xticks=range(10), yticks=range(10))
    axis.tick_params(length=0)
    axis.spines[["top", "right"]].set_visible(False)
    return figure
