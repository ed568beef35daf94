"""Checks of the exercises of chapter 13: one channel alone, channels reweighted, the nearest texture."""

import torch
from torch import Tensor

from cnnlab.chapters.ch10_checks import sparse_tensor
from cnnlab.teaching.checks import Student, Wrong, answer, random_tensor, require, same, verdict
from cnnlab.techniques import inversion


@verdict
def check_keep_channel(keep_channel: Student) -> str:
    """Check `keep_channel(activations, channel)`: (B, channels, h, w), a channel's number -> the same shape."""
    activations = sparse_tensor((2, 5, 3, 4))
    for channel in (0, 3):
        result, expected = answer(keep_channel, activations, channel), inversion.keep_channel(activations, channel)
        if isinstance(result, Tensor) and result.shape == expected.shape:
            own = torch.zeros_like(expected)
            own[:, channel] = activations[:, channel]
            require(not torch.equal(result, own), "keep_channel: the map must become the sum over all maps")
        same(result, expected, f"keep_channel(activations of shape (2, 5, 3, 4), {channel})")
    return "each position keeps its sum, and all of it is in one map"


@verdict
def check_reweight(reweight: Student) -> str:
    """Check `reweight(activations, shares)`: (1, channels, h, w), (channels,) -> map k has the share k of the sum."""
    activations, shares = sparse_tensor((1, 5, 3, 4)) + 0.01, random_tensor((5,), 1)
    shares = shares / shares.sum()
    expected = inversion.reweight_channels(activations, shares)
    result = answer(reweight, activations, shares)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        plain = activations * shares.view(1, -1, 1, 1)
        require(not torch.allclose(result, plain), "reweight: divide each map by its own sum first")
    same(result, expected, "reweight(activations of shape (1, 5, 3, 4), shares)")
    return "the sum of the code is unchanged, and each map has its share of it"


@verdict
def check_nearest(nearest: Student) -> str:
    """Check `nearest(descriptions)`: (N, features) -> the number of each one's nearest other, (N,) integers."""
    descriptions = random_tensor((7, 4))
    descriptions[3] = 100 * descriptions[5]  # the same direction, a hundred times as long
    unit = torch.nn.functional.normalize(descriptions, dim=1)
    alike = unit @ unit.T - 2 * torch.eye(7)
    result = answer(nearest, descriptions)
    if isinstance(result, Tensor) and torch.equal(result, torch.arange(7)):
        raise Wrong("nearest: each is nearest to itself: leave the diagonal out")
    same(result, alike.argmax(dim=1), "nearest(descriptions of shape (7, 4))")
    return "the direction decides, not the length, and none is nearest to itself"
