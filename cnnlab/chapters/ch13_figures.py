"""The figure that only chapter 13 needs: textures in rows, each with a text in its corner."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.plots import show_rows


def show_labeled(rows: Mapping[str, Tensor], labels: Mapping[str, Sequence[str]], *, height: float = 1.25) -> Figure:
    """Show rows of images (B, 3, H, W), as many in each, with a text in each image's corner; "" writes nothing."""
    figure = show_rows(rows, height=height)
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2}
    texts = [text for name in rows for text in labels[name]]
    for axis, text in zip(figure.axes, texts, strict=True):
        if text:
            axis.text(0.02, 0.96, text, transform=axis.transAxes, va="top", fontsize=11, bbox=box)
    return figure
