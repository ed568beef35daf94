"""What chapter 04 counts: trends over the layers, what chance gives, and the channels that change with the image."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor

from cnnlab.nets import Net


def trend(layers: Mapping[str, Tensor]) -> float:
    """Compute the rank correlation of the values with depth: +1 if they always rise, -1 if they always fall.

    `layers` is layer -> values, with the layers in order of depth.
    """
    depth, values = _ranks(layers)
    return float((depth * values).mean())


def trend_by_chance(layers: Mapping[str, Tensor]) -> float:
    """Compute the size that the trend has at most in 99 of 100 random orders of all values (1,000, a fixed seed)."""
    depth, values = _ranks(layers)
    shuffled = np.random.default_rng(0).permuted(np.tile(values, (1000, 1)), axis=1)
    return float(np.quantile(np.abs((shuffled * depth).mean(axis=1)), 0.99))


def _ranks(layers: Mapping[str, Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """Give the ranks of depth and of the values, with mean 0 and standard deviation 1."""
    depth = [number for number, values in enumerate(layers.values()) for _ in values]
    ranks = (rankdata(numbers) for numbers in (depth, torch.cat(list(layers.values())).numpy()))
    first, second = ((rank - rank.mean()) / rank.std() for rank in ranks)
    return first, second


def share_changed(net: Net, layers: Sequence[str], images: Tensor, others: Tensor) -> dict[str, float]:
    """Compute the share of each layer's channels that change by more than half from the images to the others.

    The change of a channel is that of its mean activation, summed over the images, relative to the sum before.
    """
    before, after = (net.activations(batch, layers) for batch in (images, others))
    shares = {}
    for layer in layers:
        old, new = before[layer].mean(dim=(2, 3)), after[layer].mean(dim=(2, 3))  # (B, channels) each
        shares[layer] = ((new - old).abs().sum(0) > 0.5 * old.sum(0)).float().mean().item()
    return shares
