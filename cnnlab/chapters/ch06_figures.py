"""A figure of chapter 06: heat maps below their photographs."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from cnnlab.plots.base import CYAN, draw_image, new_figure


def show_heat(
    photos: Mapping[str, Tensor], maps: Sequence[Tensor], *, patch: int, stride: int,
    boxes: Mapping[str, tuple[int, int, int, int]] | None = None, label: str = "",
) -> Figure:  # fmt: skip
    """Show photographs, and below each one its occlusion map; a value stands at the center of its patch.

    Args:
        photos: title -> image (1, C, H, W).
        maps: one map (rows, columns) per photograph, each with its own range of colors.
        patch: side of the square that covered the photograph, in pixels.
        stride: distance of neighboring patches, in pixels.
        boxes: title -> top, left, bottom and right of an outline, which is drawn into photograph and map.
        label: what the maps show.
    """
    figure = new_figure(2.3 * len(photos), 5.1)
    axes = figure.subplots(2, len(photos), squeeze=False)
    for (above, below), (title, image), values in zip(axes.T, photos.items(), maps, strict=True):
        rows, columns = values.shape
        draw_image(above, image, title)
        edge = patch / 2 - stride / 2  # a cell is as large as the stride, and the patch's center is its center
        extent = (edge, edge + columns * stride, edge + rows * stride, edge)
        shown, both = below.imshow(values.numpy(), cmap="magma", extent=extent), [above, below]
        below.set(xlim=(0, image.shape[-1]), ylim=(image.shape[-2], 0))
        below.set_axis_off()
        figure.colorbar(shown, ax=both, location="bottom", shrink=0.8, pad=0.02, label=label, ticks=MaxNLocator(4))
        if box := (boxes or {}).get(title):
            top, left, bottom, right = box
            for axis in both:
                axis.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, color=CYAN, linewidth=2))
    return figure
