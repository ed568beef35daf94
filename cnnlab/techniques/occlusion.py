"""Occlusion: how an objective changes when a patch of the image is covered, at every position. Chapter 06.

A small patch changes a small part of each feature map. So the image runs through the net once, and for every position
of the patch only the part that the patch reaches is computed again (`partial`). The numbers are the same, in less time.
Source: Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2.
"""

import torch
from torch import Tensor

from cnnlab.inputs import as_image, integer, real
from cnnlab.nets import Net
from cnnlab.objectives import Objective
from cnnlab.techniques.partial import Clean, Covered, Region

BATCH = 25  # positions that are computed at a time


def positions(image: Tensor, patch: int, stride: int) -> tuple[list[int], list[int]]:
    """The positions of the patch, every `stride` pixels as far as they fit: its tops and its lefts. Chapter 06.

    A patch larger than the image, or a patch or stride below 1, raises a ValueError.
    """
    height, width = as_image(image).shape[-2:]
    patch, stride = integer(patch, "patch"), integer(stride, "stride")
    if not 1 <= patch <= min(height, width):
        raise ValueError(f"patch must be 1 to {min(height, width)} pixels for this image, not {patch}")
    if stride < 1:
        raise ValueError(f"stride must be at least 1 pixel, not {stride}")
    return list(range(0, height - patch + 1, stride)), list(range(0, width - patch + 1, stride))


def cover(image: Tensor, top: int, left: int, patch: int, fill: float = 0.5) -> Tensor:
    """The image (B, C, H, W) with a square of `patch` pixels set to `fill`. Chapter 06."""
    covered = as_image(image).clone()
    top, left, patch = integer(top, "top"), integer(left, "left"), integer(patch, "patch", 1)
    fill = real(fill, "fill")
    if not 0 <= fill <= 1:
        raise ValueError(f"fill must be a brightness in [0, 1], not {fill}")
    covered[..., top : top + patch, left : left + patch] = fill
    return covered


def occlusion_map(
    net: Net, image: Tensor, objective: Objective, *, patch: int = 32, stride: int = 8, fill: float = 0.5,
    progress: bool = True,
) -> Tensor:  # fmt: skip
    """The objective with the patch at every position, as a map (rows, columns). Chapter 06.

    Up to rounding, the numbers are the same as if each covered image ran through the whole net. Convolutions, pooling
    (max, average and global average), pointwise operations, sums and concatenations of channels are computed only where
    the patch reaches. Behind any other operation (a dense layer, for instance), everything is computed.

    Args:
        image: one image, (1, C, H, W); a batch raises a ValueError.
        objective: what to measure; a term that reads no layer, as `total_variation()`, raises a ValueError.
        patch, stride: the side of the square and the distance to its next position, in pixels.
        fill: the brightness of the patch; 0.5 is the paper's gray.
    """
    from tqdm.auto import tqdm

    image = as_image(image)
    if len(image) != 1:
        raise ValueError(f"image must be a single one (1, C, H, W), not a batch of {len(image)}")
    if not all(term.layers for term in objective.terms):
        raise ValueError(f"objective must be of layers only, not of the image: {objective}")
    net.activations(image, objective.layers)  # raises the errors that name what is wrong
    rows, columns = positions(image, patch, stride)
    patch = integer(patch, "patch")
    fill = real(fill, "fill")
    if not 0 <= fill <= 1:
        raise ValueError(f"fill must be a brightness in [0, 1], not {fill}")
    tops, lefts = (grid.flatten() for grid in torch.meshgrid(torch.tensor(rows), torch.tensor(columns), indexing="ij"))
    image = image.to(net.device, net.dtype).contiguous(memory_format=torch.channels_last)
    clean, covered = Clean(image), Covered(net, objective.layers)
    # Near a border a patch reaches a smaller part of the maps, so positions equally near to one are taken together.
    borders = [torch.minimum(starts, starts.max() - starts) for starts in (tops, lefts)]
    order = (borders[0] * (borders[1].max() + 1) + borders[1]).argsort()
    values = torch.empty(len(tops), dtype=net.dtype)
    for some in tqdm(order.split(BATCH), "covering", leave=False, disable=not progress):
        changed = image.new_full((len(some), image.shape[1], patch, patch), fill)
        region = Region(clean, changed, tops[some].to(net.device), lefts[some].to(net.device))
        with torch.inference_mode():
            values[some] = objective.score(image, covered.activations(region)).cpu()
    return values.view(len(rows), len(columns))
