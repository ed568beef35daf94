"""Pictures of chapter 05: nine patches with their activations in %, and what they share."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from cnnlab.plots.grids import show, show_numbers, show_rows
from cnnlab.plots.sheets import on_gray, patch_sheet
from cnnlab.techniques.patches import Patch

SIZE = 80  # pixels of a tile


def show_switches(matrices: Mapping[str, Tensor]) -> Figure:
    """Show small maps (1, 1, H, W) with their numbers; those named "switches" are addresses and have no colors."""
    figure = show_numbers({name: value[0, 0].numpy() for name, value in matrices.items()})
    for axis in figure.axes:
        if axis.get_title() == "switches":
            axis.images[0].set_cmap("binary_r")
            axis.images[0].set_clim(-2, -1)  # every address lies above the range: white
    return figure


def show_patches(found: Mapping[str, tuple[Sequence[Patch], Sequence[Tensor]]], columns: int = 3) -> Figure:
    """Show the projections and the patches of channels; each patch has its activation in % of the strongest.

    `found` is title -> (patches, the strongest first; as many projections).
    """
    sheets = {title: patch_sheet([p.image for p in nine], backs, SIZE) for title, (nine, backs) in found.items()}
    figure = show(sheets, height=1.65, columns=columns)
    for axis, (nine, _) in zip(figure.axes, found.values(), strict=False):
        begin = 3 * SIZE + 18  # the patches stand to the right of the projections
        for number, patch in enumerate(nine):
            y, x = (number // 3) * (SIZE + 3) + SIZE - 4, begin + (number % 3) * (SIZE + 3) + 4
            axis.text(x, y, f"{patch.value / nine[0].value:.0%}", fontsize=6.5, bbox={"color": "white", "pad": 1})
    return figure


def show_shared(patches: Sequence[Patch], marked: Tensor, backs: Mapping[str, Sequence[Tensor]], size: int) -> Figure:
    """Show patches, bright where `marked` (B, h, w) says so, above their projections, all brought to `size` pixels."""

    def same_size(images: Sequence[Tensor]) -> Tensor:
        return torch.cat([F.interpolate(image, (size, size), mode="area") for image in images])

    light = F.interpolate(0.25 + 0.75 * marked[:, None].float(), (size, size))
    pictures = same_size([patch.image for patch in patches])
    rows = {"patch": pictures, "shared": pictures * light}
    return show_rows(rows | {name: on_gray(same_size(images)) for name, images in backs.items()}, height=1.0)
