"""Occlusion: what becomes of an objective when a patch of the image is covered, at every place (Zeiler & Fergus, 4.2).

A small patch changes a small part of each feature map. So the image is run once, and for every place of the patch only
the part that it can reach is calculated again, layer by layer: the same numbers, in less time.
"""

from functools import cache

import torch
from torch import Tensor

from cnnlab.nets import Net
from cnnlab.objectives import Objective
from cnnlab.regions import Region, through, whole


def places(image: Tensor, patch: int, stride: int) -> tuple[list[int], list[int]]:
    """Where the patch begins: its tops and its lefts, in pixels, at every `stride` that fits into the image.

    Raises:
        ValueError: for a patch larger than the image, or a patch or stride below 1.
    """
    if not 1 <= patch <= min(image.shape[-2:]):
        raise ValueError(f"patch must be 1 to {min(image.shape[-2:])} pixels for this image, not {patch}")
    if stride < 1:
        raise ValueError(f"stride must be at least 1 pixel, not {stride}")
    height, width = image.shape[-2:]
    return list(range(0, height - patch + 1, stride)), list(range(0, width - patch + 1, stride))


def cover(image: Tensor, top: int, left: int, patch: int, fill: float = 0.5) -> Tensor:
    """The image (B, C, H, W) with a square of `patch` pixels set to `fill`."""
    covered = image.clone()
    covered[..., top : top + patch, left : left + patch] = fill
    return covered


def occlusion(
    net: Net, image: Tensor, objective: Objective, *, patch: int = 32, stride: int = 8, fill: float = 0.5,
    batch: int = 25, progress: bool = True,
) -> Tensor:  # fmt: skip
    """The objective with the patch at every place, as a map (rows, columns).

    The numbers are those of running every covered image through the net, up to rounding. Convolutions, max and average
    pooling, fire modules and pointwise layers are calculated only where the patch reaches, and so is the mean of global
    pooling; from the first other layer on (dense layers) they are calculated whole.

    Args:
        net: the network.
        image: one image, (1, C, H, W).
        objective: what to measure; of layers only.
        patch: the square's side, pixels.
        stride: from one place to the next, pixels.
        fill: its brightness; 0.5 is the paper's grey.
        batch: places at a time.
        progress: whether to show a bar.

    Raises:
        ValueError: for more than one image, an objective of the image itself, or a patch that does not fit.
    """
    from tqdm.auto import tqdm

    if len(image) != 1:
        raise ValueError(f"image must be a single one (1, C, H, W), not a batch of {len(image)}")
    if not all(term.layers for term in objective.terms):
        raise ValueError(f"objective must be of layers only, not of the image: {objective}")
    net.activations(image, objective.layers)  # raises the errors that name what is wrong
    rows, columns = places(image, patch, stride)
    tops, lefts = (grid.flatten() for grid in torch.meshgrid(torch.tensor(rows), torch.tensor(columns), indexing="ij"))
    image = image.to(net.device).contiguous(memory_format=torch.channels_last)
    once = cache(lambda module, clean: module(clean))
    # Near a border a patch reaches less of the maps: places as near to one are taken together.
    borders = [torch.minimum(starts, starts.max() - starts) for starts in (tops, lefts)]
    order = (borders[0] * (borders[1].max() + 1) + borders[1]).argsort()
    values = torch.empty(len(tops))
    for some in tqdm(order.split(batch), "covering", leave=False, disable=not progress):
        changed = torch.full((len(some), image.shape[1], patch, patch), fill, device=net.device)
        region = Region(image, changed, tops[some].to(net.device), lefts[some].to(net.device), once)
        with torch.inference_mode():
            values[some] = objective.score(image, _activations(net, region, objective.layers)).cpu()
    return values.view(len(rows), len(columns))


def _activations(net: Net, region: Region, layers: frozenset[str]) -> dict[str, Tensor]:
    """As `net.activations`, for all the covered images of the region."""
    captured: dict[str, Tensor] = {}
    state: Region | Tensor = region
    for name, module in net.chain.named_children():
        if len(captured) == len(layers):
            break
        state = through(module, state)
        if name in layers:
            captured[name] = whole(state)
    return captured
