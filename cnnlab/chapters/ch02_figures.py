"""Figures of chapter 02: the digits' network and its training."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.nets import Net
from cnnlab.plots.base import BLUE, GRAY, ORANGE, draw_image, draw_probabilities, new_chart, new_figure, tidy
from cnnlab.plots.grids import show
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


def show_descents(loss_of: Callable[[np.ndarray], np.ndarray], paths: Mapping[str, Sequence[float]]) -> Figure:
    """Show a chart per path: the loss as a function of one weight, and the weights of the path as numbered steps."""
    figure = new_figure(3.1 * len(paths), 2.7)
    axes = figure.subplots(1, len(paths), sharey=True, squeeze=False)[0]
    weights = np.linspace(-1.7, 3.7, 200)
    for axis, (title, path) in zip(axes, paths.items(), strict=True):
        steps = np.array(path)
        axis.plot(weights, loss_of(weights), color=GRAY, linewidth=2)
        axis.plot(steps, loss_of(steps), "o-", color=ORANGE, linewidth=1, markersize=5)
        axis.annotate("start", (steps[0], loss_of(steps)[0]), (-7, -9), textcoords="offset points", ha="right")
        axis.set(xlabel="weight w", xlim=(weights[0], weights[-1]))
        axis.set_title(title, fontsize=10)
    axes[0].set(ylabel="loss", ylim=(-0.05 * loss_of(weights).max(), loss_of(weights).max()))
    tidy(*axes)
    return figure


def show_loss(logits: Mapping[str, Tensor], label: int) -> Figure:
    """Show how ten logits (10,) become the loss, a row for each net: logits, probabilities, -log p of the label."""
    figure = new_figure(9, 2.1 * len(logits))
    rows = figure.subplots(len(logits), 3, width_ratios=(1, 1, 0.9), squeeze=False)
    digits, p = list(map(str, range(10))), np.linspace(0.005, 1, 200)
    for (left, middle, right), (name, values) in zip(rows, logits.items(), strict=True):
        chances = values.softmax(dim=0)
        left.bar(digits, values.tolist(), color=BLUE)
        left.axhline(0, color="black", linewidth=0.8)
        left.set_ylabel(name)
        draw_probabilities(middle, chances, digits)
        right.plot(p, -np.log(p), color=GRAY, linewidth=2)
        found = float(chances[label])
        right.plot(found, -np.log(found), "o", color=ORANGE, markersize=8)
        right.annotate(f"loss {-np.log(found):.2f}", (found, -np.log(found)), (10, 12), textcoords="offset points",
                       ha="right" if found > 0.5 else "left")  # fmt: skip
        right.set(ylim=(-0.3, 5.4))
        tidy(right)
        left.spines[["top", "right"]].set_visible(False)
    for axis, title in zip(
        rows[0], ("logits", "probabilities: softmax", f"loss: $-\\log p$ of the {label}"), strict=True
    ):
        axis.set_title(title, fontsize=10)
    rows[-1][2].set_xlabel(f"probability of the {label}")
    return figure


def show_training(
    losses: Sequence[float], accuracies: Mapping[str, Sequence[float]], total: int | None = None
) -> Figure:
    """Show the loss at each step (thin) with its mean over 20 steps (thick), and the accuracies after each epoch.

    `accuracies` is set -> shares of right answers in [0, 1]. `total` is the number of steps that the left axis has.
    """
    figure = new_figure(7.6, 2.9)
    left, right = figure.subplots(1, 2)
    steps, window = np.arange(1, len(losses) + 1), min(20, len(losses))
    left.plot(steps, losses, color=BLUE, linewidth=0.6, alpha=0.5)
    if window > 1:
        left.plot(steps[window - 1 :], np.convolve(losses, np.ones(window) / window, "valid"), color=BLUE, linewidth=2)
    left.set(xlabel="step", ylabel="loss", yscale="log", xlim=(1, max(total or len(losses), 2)))
    for color, (name, shares) in zip((GRAY, ORANGE), accuracies.items(), strict=False):
        epochs = np.arange(1, len(shares) + 1)
        right.plot(epochs, 100 * np.array(shares), color=color, marker="o", linewidth=2, label=name)
        right.set(xticks=epochs[:: max(1, len(epochs) // 8)])
    right.set(xlabel="epoch", ylabel="accuracy, %")
    right.legend(frameon=False, loc="lower right")
    tidy(left, right)
    return figure


def show_seeds(nets: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Show a line for each net: a dot for each seed, and a bar at their mean; shares are in [0, 1].

    `nets` is name -> set -> one share per seed. The first set has small gray dots, the second has blue ones.
    """
    figure, axis = new_chart(7.2, 0.42 * len(nets) + 0.9)
    for row, sets in enumerate(nets.values()):
        for (name, shares), color, size in zip(sets.items(), (GRAY, BLUE), (4, 6), strict=True):
            percent = 100 * np.array(shares)
            label = name if row == 0 else None  # one entry in the legend
            axis.plot(percent, [row] * len(percent), "o", color=color, markersize=size, alpha=0.6, label=label)
            axis.plot([percent.mean()] * 2, [row - 0.3, row + 0.3], color=color, linewidth=3)
    axis.set_yticks(range(len(nets)), list(nets))
    axis.invert_yaxis()
    axis.set(xlabel="accuracy, %")
    axis.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def show_filters(sheets: Mapping[str, Tensor]) -> Figure:
    """Show sheets of filters (F, h, w), five in a row, in the same colors: white is 0, red is above, blue is below."""
    top = torch.stack([filters.abs().max() for filters in sheets.values()]).max()
    pictures = {name: colored(0.5 + filters / top / 2, "RdBu_r") for name, filters in sheets.items()}
    return show({name: F.pad(tile(images, 5, gap=1), (2, 2), value=1) for name, images in pictures.items()}, height=2.6)


def show_confusion(labels: Tensor, found: Tensor) -> Figure:
    """Show how often the net took a digit (row) for another (column); only mistakes have a color."""
    matrix = torch.bincount(10 * labels + found, minlength=100).view(10, 10)
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
