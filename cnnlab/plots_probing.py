"""Figures of probing a trained net: heat maps beside photographs, curves of invariance, live answers for a panel."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from cnnlab.plots import STYLE

Box = tuple[int, int, int, int]  # top, left, bottom, right, pixels


def show_heat(
    photos: Mapping[str, Tensor], maps: Sequence[Tensor], *, patch: int, stride: int,
    boxes: Mapping[str, Box] | None = None, label: str = "", height: float = 2.3,
) -> Figure:  # fmt: skip
    """Photographs, and below each what an occlusion of it gave, at the place of the patch's middle.

    Args:
        photos: title -> image (1, C, H, W).
        maps: as many, (rows, columns), each with its own range.
        patch, stride: as they were covered, pixels.
        boxes: title -> an outline drawn into photograph and map.
        label: what the maps show.
        height: inches of a photograph.
    """
    count = len(photos)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            2, count, figsize=(height * count, 2 * height + 0.5), layout="constrained", squeeze=False
        )
        for (above, below), (title, image), values in zip(axes.T, photos.items(), maps, strict=True):
            rows, columns = values.shape
            above.imshow(_array(image))
            above.set_title(title)
            edge = patch / 2 - stride / 2  # a cell is as large as the stride, around the patch's middle
            extent = (edge, edge + columns * stride, edge + rows * stride, edge)
            shown = below.imshow(values.numpy(), cmap="magma", extent=extent)
            below.set(xlim=(0, image.shape[-1]), ylim=(image.shape[-2], 0))
            bar = figure.colorbar(shown, ax=[above, below], orientation="horizontal", shrink=0.8, pad=0.02, label=label)
            bar.locator = MaxNLocator(4)
            for axis in (above, below):
                axis.set_axis_off()
                if boxes and title in boxes:
                    top, left, bottom, right = boxes[title]
                    axis.add_patch(
                        Rectangle((left, top), right - left, bottom - top, fill=False, color="#30c0ff", lw=2)
                    )
    plt.close(figure)
    return figure


def show_invariance(
    changes: Mapping[str, Sequence[float]], rows: Mapping[str, Mapping[str, Mapping[str, Tensor]]]
) -> Figure:
    """Curves as in figure 5 of Zeiler & Fergus 2014: a column for each change, a row for each measure.

    Args:
        changes: name of the change -> its sizes.
        rows: measure -> name of the change -> photograph -> values, one per size.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(rows), len(changes), figsize=(3.3 * len(changes) + 1.2, 2.2 * len(rows)), layout="constrained",
            squeeze=False, sharex="col", sharey="row",
        )  # fmt: skip
        for line, (measure, columns) in zip(axes, rows.items(), strict=True):
            line[0].set_ylabel(measure)
            for axis, (change, sizes) in zip(line, changes.items(), strict=True):
                for name, values in columns[change].items():
                    axis.plot(sizes, values.numpy(), label=name)
                axis.grid(alpha=0.25)
            line[0].set_ylim(bottom=0)
        for axis, change in zip(axes[-1], changes, strict=True):
            axis.set_xlabel(change)
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right center", frameon=False)
    plt.close(figure)
    return figure


def show_answer(
    image: Tensor, bars: Mapping[str, float], title: str = "", before: Mapping[str, float] | None = None
) -> Figure:
    """An image (1, C, H, W) with bars below it, in [0, 1] or beyond; quick enough for a live panel.

    Args:
        image: in [0, 1].
        bars: what each shows -> its value.
        title: above the image.
        before: values to compare with, drawn as marks.
    """
    figure = Figure(figsize=(4.48, 4.48), dpi=150)  # no layout to be found, no pyplot: it is drawn in a thread
    axis = figure.add_axes((0.19, 0.36, 0.62, 0.58))
    axis.imshow(_array(image))
    axis.set_axis_off()
    axis.set_title(title, fontsize=9)
    low = figure.add_axes((0.36, 0.03, 0.56, 0.29))
    names, values = list(bars)[::-1], np.array(list(bars.values())[::-1])
    low.barh(names, values, color="#4878a8", height=0.62)
    for row, (name, value) in enumerate(zip(names, values, strict=True)):
        low.text(value + 0.02, row, f"{value:.2f}", va="center", fontsize=8)
        if before and name in before:
            low.plot([before[name]] * 2, [row - 0.4, row + 0.4], color="#d9542b", lw=2)
    low.set(xlim=(0, max(1.18, 1.18 * float(values.max()))), xticks=[])
    low.tick_params(labelsize=8, left=False)
    for side in ("top", "right", "bottom"):
        low.spines[side].set_visible(False)
    return figure


def _array(image: Tensor) -> np.ndarray:
    array = (image[0] if image.ndim == 4 else image).detach().cpu().clamp(0, 1)
    return torch.as_tensor(array).expand(3, -1, -1).permute(1, 2, 0).numpy()  # (H, W, 3)
