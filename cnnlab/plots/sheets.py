"""Images made of images, and signed values as images."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from matplotlib import colormaps
from torch import Tensor


def tile(images: Tensor | Sequence[Tensor], columns: int, gap: int = 3) -> Tensor:
    """Lay images of one size out in rows of `columns`, with `gap` white pixels between them: (1, C, H, W).

    `images` is a batch (B, C, h, w), or a list of images (1, C, h, w).
    """
    batch = (images if isinstance(images, Tensor) else torch.cat(list(images))).detach().cpu().float()
    missing = -len(batch) % columns  # white images that fill the last row
    batch = F.pad(batch, (0, gap, 0, gap, 0, 0, 0, missing), value=1)
    sheet = batch.unflatten(0, (-1, columns)).permute(2, 0, 3, 1, 4)  # (C, rows, h, columns, w)
    sheet = sheet.flatten(3).flatten(1, 2)[None]
    return sheet[..., : sheet.shape[2] - gap, : sheet.shape[3] - gap]


def on_gray(values: Tensor, top: Tensor | float | None = None) -> Tensor:
    """Turn signed values (B, C, H, W), such as a projection or a perturbation, into images.

    Gray is 0, lighter is positive, darker is negative: 1/2 + values / (2 top), clipped to [0, 1].

    Args:
        top: the value that becomes white. None means 2 sum(v^2) / sum|v| of each image, twice the typical size of the
            values that count: zeros around them do not change it, and a few extremes do not make the rest pale.
    """
    if top is None:
        flat = values.flatten(1)
        top = (2 * flat.square().sum(1) / flat.abs().sum(1).clamp(min=1e-30)).clamp(min=1e-30).view(-1, 1, 1, 1)
    return (0.5 + 0.5 * values / top).clamp(0, 1)


def on_white(values: Tensor, saturate: float = 0.0) -> Tensor:
    """Turn signed values (B, H, W) into images (B, 3, H, W): white is 0, red is above, blue is below.

    Each image has its own scale. `saturate` is the share of the values that may lie beyond the colors' range, as in
    `show_maps`.
    """
    tops = torch.stack([top_of(array, saturate) for array in values])[:, None, None]  # (B, 1, 1)
    return colored(0.5 + values / tops / 2, "RdBu_r")


def colored(values: Tensor, name: str) -> Tensor:
    """Turn values (B, H, W) in [0, 1] into images (B, 3, H, W) with the color map called `name`."""
    colors = colormaps[name](values.detach().cpu().numpy())  # (B, H, W, RGBA)
    return torch.from_numpy(colors[..., :3]).float().permute(0, 3, 1, 2)


def top_of(array: Tensor, saturate: float) -> Tensor:
    """Find the value where the colors of an array end; `saturate` is the share of the values that may lie beyond it.

    An array of zeros gives 1.
    """
    size = array.abs().flatten()
    top = size.quantile(1 - saturate)
    top = top if top > 0 else size.max()  # in a sparse array all but a few values are 0
    return top if top > 0 else torch.ones_like(top)


def filter_sheet(filters: Tensor, columns: int = 8) -> Tensor:
    """Lay the filters of a first layer out as one image: (F, 3, h, w) -> (1, 3, H, W) in [0, 1].

    The strongest filter (by RMS) is the first. Gray is 0; each filter's largest number is black or white.
    """
    filters = filters[filters.flatten(1).square().mean(dim=1).argsort(descending=True)]
    tops = filters.abs().amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12)
    return tile(on_gray(filters, tops), columns, gap=1)


def patch_sheet(patches: Sequence[Tensor], projections: Sequence[Tensor], size: int = 96) -> Tensor:
    """Lay projections out, three in a row, and to their right the patches that they come from.

    Source: Zeiler & Fergus 2014, figure 2. Chapter 05.

    Args:
        patches: squares (1, 3, h, h) in [0, 1], of any sizes.
        projections: as many, with values of both signs.
        size: pixels of a tile. A larger square is averaged down; a smaller one is enlarged, with sharp pixels.
    """

    def resized(image: Tensor) -> Tensor:
        return F.interpolate(image, (size, size), mode="area" if image.shape[-1] > size else "nearest-exact")

    left = tile([on_gray(resized(projection)) for projection in projections], 3)
    right = tile([resized(patch) for patch in patches], 3)
    return torch.cat([left, torch.ones(1, 3, left.shape[2], 12), right], dim=3)
