"""Figures about digits and the network that reads them; none uses pyplot, so that a panel may draw in its thread."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.nets import Net

BLUE, ORANGE, GREY = "#4878a8", "#e07b39", "#9a9a9a"


def mosaic(maps: Tensor, columns: int | None = None, gap: int = 1) -> np.ndarray:
    """Maps (N, h, w) as one array, row by row, NaN between them; None makes it nearly square."""
    number, height, width = maps.shape
    columns = columns or int(np.ceil(np.sqrt(number)))
    rows = -(-number // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan, dtype=np.float32)
    for index, values in enumerate(maps.detach().cpu().numpy()):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        sheet[top : top + height, left : left + width] = values
    return sheet


def show_layers(net: Net, image: Tensor, title: str = "") -> Figure:
    """All activations of one digit (1, 1, 28, 28), from the picture to the ten probabilities.

    Dark is 0; each layer has its own scale, from 0 to its largest activation.
    """
    names = [name for name in net.layers if name.startswith(("relu", "pool"))]
    with torch.no_grad():
        activations = net.activations(image, names)
        chances = net.probabilities(image)[0].cpu()
    parts = {"the image": image[0]} | {name: activations[name][0] for name in names}
    parts = {name: value if value.ndim == 3 else value.view(1, 10, -1) for name, value in parts.items()}
    figure = Figure(figsize=(6.4, 6.0), dpi=140)  # places given: a panel has no time to have them found
    figure.suptitle(title, fontsize=12, y=0.985)
    for index, (name, maps) in enumerate(parts.items()):
        axis = figure.add_axes((0.01 + 0.333 * (index % 3), 0.555 - 0.385 * (index // 3), 0.315, 0.345))
        size = " × ".join(map(str, maps.shape))
        words = "image 28 × 28" if index == 0 else f"{name}  {maps.numel()}" if name == names[-1] else f"{name}  {size}"
        grid = mosaic(maps, gap=max(1, maps.shape[-1] // 8))
        colors = "gray" if index == 0 else "magma"
        axis.imshow(grid, cmap=colors, vmin=0, vmax=max(maps.max().item(), 1e-6), interpolation="nearest")
        axis.set_anchor("N")
        axis.set_title(words, fontsize=10)
        axis.set_axis_off()
    _bars(figure.add_axes((0.01, 0.045, 0.98, 0.11)), chances)
    return figure


def show_training(losses: Sequence[float], accuracies: Sequence[float], total: int | None = None) -> Figure:
    """The loss at each step (thin) with its mean over 20 steps (thick), and the held-out accuracy after each epoch."""
    figure = _figure(7.6, 2.9)
    left, right = figure.subplots(1, 2)
    steps = np.arange(1, len(losses) + 1)
    window = min(20, max(len(losses), 1))
    left.plot(steps, losses, color=BLUE, linewidth=0.6, alpha=0.5)
    if len(losses) >= window > 1:
        left.plot(steps[window - 1 :], np.convolve(losses, np.ones(window) / window, "valid"), color=BLUE, linewidth=2)
    left.set(xlabel="step", ylabel="loss", yscale="log", xlim=(1, max(total or len(losses), 2)))
    epochs = np.arange(1, len(accuracies) + 1)
    right.plot(epochs, 100 * np.array(accuracies), color=ORANGE, marker="o", linewidth=2)
    right.set(xlabel="epoch", ylabel="held-out accuracy, %", xticks=epochs[:: max(1, len(epochs) // 8)])
    for axis in (left, right):
        _plain(axis)
    return figure


def show_sizes(groups: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Nets as dots: number of parameters (logarithmic) across, accuracy up; a group has one colour and one line."""
    figure = _figure(6.6, 3.2)
    axis = figure.subplots()
    for color, (name, nets) in zip((GREY, BLUE, ORANGE), groups.items(), strict=False):
        sizes, scores = zip(*nets, strict=True)
        axis.plot(sizes, [100 * score for score in scores], "o-", color=color, markersize=8, label=name)
    axis.set(xscale="log", xlabel="parameters", ylabel="held-out accuracy, %")
    axis.legend(frameon=False, loc="lower right")
    _plain(axis)
    return figure


def show_above(digits: Tensor, own: Tensor, names: Sequence[str], what: str) -> Figure:
    """Activations of real digits, a dot each (N, K), and beside them the activation of each neuron's own image (K,).

    Args:
        digits: one column per neuron.
        own: what the image made for the neuron reaches.
        names: of the neurons.
        what: label of the axis.
    """
    figure = _figure(8.6, 2.9)
    axis = figure.subplots()
    spread = np.random.default_rng(0).uniform(-0.25, 0.25, tuple(digits.shape))  # so that dots do not cover each other
    axis.plot(
        np.arange(digits.shape[1]) + spread,
        digits.cpu().numpy(),
        ".",
        color=GREY,
        markersize=2,
        alpha=0.5,
        rasterized=True,
    )
    axis.plot([], [], ".", color=GREY, label="1,000 digits" if len(digits) == 1000 else f"{len(digits)} digits")
    axis.plot(np.arange(len(own)), own.cpu().numpy(), "D", color=ORANGE, markersize=7, label="its own image")
    axis.set_xticks(range(len(names)), names)
    axis.set(ylabel=what)
    axis.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    _plain(axis)
    return figure


def show_rows(rows: Mapping[str, Tensor], titles: Sequence[str]) -> Figure:
    """Rows of small images (N, 1, H, W), each with its name at the left.

    A row with values below 0 is one of changes: red above 0, blue below, full colour at its largest value.
    """
    count = len(titles)
    lines = 1 + titles[0].count("\n")
    figure = _figure(0.85 * count + 0.09 * max(map(len, rows)) + 0.1, 0.85 * len(rows) + 0.2 * lines)
    figure.set_layout_engine("constrained", w_pad=0.01, h_pad=0.01, wspace=0.02, hspace=0.02)
    axes = figure.subplots(len(rows), count, squeeze=False)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        colors, top = ("RdBu_r", images.abs().max().item()) if (images < 0).any() else ("gray", 1)
        for axis, image in zip(line, images.detach().cpu(), strict=True):
            axis.imshow(
                image[0].numpy(), cmap=colors, vmin=0 if colors == "gray" else -top, vmax=top, interpolation="nearest"
            )
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set(color="#bbbbbb", linewidth=0.6)  # a white picture has an edge, too
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=9.5)
    return figure


def show_answer(net: Net, image: Tensor, title: str = "") -> Figure:
    """A digit, or what is none, (1, 1, 28, 28) above the net's ten probabilities."""
    figure = _figure(4.6, 4.8, title)
    above, below = figure.subplots(2, 1, height_ratios=(3.4, 1))
    above.imshow(image[0, 0].detach().cpu().numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    above.set_axis_off()
    with torch.no_grad():
        _bars(below, net.probabilities(image)[0].cpu())
    return figure


def show_confusion(matrix: Tensor, title: str = "") -> Figure:
    """How often a digit (row) was taken for another (column), (10, 10); the right ones are left out of the colours."""
    figure = _figure(4.4, 4.2, title)
    axis = figure.subplots()
    wrong = matrix.float() - torch.diag(matrix.diagonal().float())
    axis.imshow(wrong.numpy(), cmap="Oranges", vmin=0, vmax=max(2 * wrong.max().item(), 1))
    for (row, column), count in np.ndenumerate(matrix.numpy()):
        if count:
            axis.text(column, row, f"{count}", ha="center", va="center", color=GREY if row == column else "black")
    axis.set(xlabel="the net says", ylabel="it is", xticks=range(10), yticks=range(10))
    axis.tick_params(length=0)
    return figure


def _figure(width: float, height: float, title: str = "") -> Figure:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    if title:
        figure.suptitle(title, fontsize=12)
    return figure


def _bars(axis: Axes, chances: Tensor) -> None:
    top = int(chances.argmax())
    axis.bar(range(10), chances.tolist(), color=[ORANGE if digit == top else BLUE for digit in range(10)])
    axis.text(top, float(chances[top]) + 0.03, f"{chances[top]:.1%}", ha="center", va="bottom")
    axis.set(ylim=(0, 1.25), yticks=[], xticks=range(10))
    axis.tick_params(length=0)
    axis.spines[["left", "top", "right"]].set_visible(False)


def _plain(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)
