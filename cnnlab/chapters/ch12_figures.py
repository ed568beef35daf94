"""Figures of chapter 12: the method as a drawing, and what a Gram matrix knows of two channels."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from cnnlab.plots.base import BLUE, GRAY, GREEN, ORANGE, RED, draw_image, new_figure, tidy


def show_method(images: Mapping[str, Tensor], layers: Sequence[str], where: str) -> Figure:
    """Draw the layers of a painting, the image and a photograph, in this order, and what of them is compared."""
    figure = new_figure(10.4, 4.6, placed=True)
    axis = figure.add_axes((0, 0, 1, 1), xlim=(0, 10.4), ylim=(0, 4.6))
    axis.set_axis_off()
    arrows = [((6.4, 1.53), (2.3, 1.85), RED, "->")]  # from, to, color, style
    for (name, image), y in zip(images.items(), (3.9, 2.35, 0.7), strict=True):
        draw_image(figure.add_axes((1.15 / 10.4, (y - 0.55) / 4.6, 1.1 / 10.4, 1.1 / 4.6)), image)
        axis.text(1.05, y, name, ha="right", va="center", fontsize=11)
        for number, layer in enumerate(layers):
            x, half = 2.85 + 0.68 * number, 0.42 - 0.025 * number  # the middle of a box, and half of its height
            used = y > 2 or layer == where
            axis.add_patch(Rectangle((x - 0.29, y - half), 0.58, 2 * half, color=BLUE if used else "#dddddd"))
            axis.text(x, y, layer, ha="center", va="center", fontsize=9, color="white" if used else GRAY)
            if y > 3:
                arrows.append(((x, 2.85), (x, 3.4), ORANGE, "<->"))
            elif y < 2 and used:
                arrows.append(((x, 1.12), (x, 1.95), GREEN, "<->"))
                axis.text(x + 0.15, 1.53, "content: the same activations", color=GREEN, fontsize=11, va="center")
    for start, end, color, kind in arrows:
        axis.annotate("", end, start, arrowprops={"arrowstyle": kind, "color": color, "linewidth": 1.8})
    axis.text(8.75, 3.12, "style: the same\nGram matrices", color=ORANGE, fontsize=11, va="center")
    axis.text(2.6, 1.3, "gradient of both: the image changes", color=RED, fontsize=11, va="center")
    return figure


def show_clouds(clouds: Mapping[str, Tensor], names: Sequence[str]) -> Figure:
    """Draw clouds of points (positions, 2), each with the ellipse of its second moments; the first one is dashed."""
    figure = new_figure(3.1 * len(clouds), 3.2)
    axes = figure.subplots(1, len(clouds), sharex=True, sharey=True, squeeze=False)[0]
    turn = torch.linspace(0, 2 * torch.pi, 100)
    circle = 2 * torch.stack([turn.cos(), turn.sin()])  # (2, 100)
    ellipses = [torch.linalg.cholesky(cloud.mT @ cloud / len(cloud)) @ circle for cloud in clouds.values()]
    for axis, (name, cloud), ellipse in zip(axes, clouds.items(), ellipses, strict=True):
        axis.plot(*cloud[:: max(1, len(cloud) // 2000)].mT, ".", color=BLUE, alpha=0.3, markersize=3)
        axis.plot(*ellipse, color=RED, linewidth=2)
        axis.plot(*ellipses[0], "--", color="black", linewidth=1.5)
        axis.set_title(name, fontsize=10)
        axis.set(xlabel=names[0], ylabel=names[1] if axis is axes[0] else "")
    tidy(*axes)
    return figure
