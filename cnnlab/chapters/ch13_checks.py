"""Checks of the exercises of chapter 13: one channel alone, channels reweighted, the nearest texture."""

import torch

from cnnlab.teaching.checks import Student, random_tensor, refuse, same, verdict
from cnnlab.techniques import inversion


@verdict("each position keeps its sum, and all of it is in one map")
def check_keep_channel(keep_channel: Student) -> None:
    """Check `keep_channel(activations, channel)`: (B, channels, h, w), a channel's number -> the same shape."""
    activations = (random_tensor((2, 5, 3, 4)) - 0.5).relu()
    for channel in (0, 3):
        own = torch.zeros_like(activations)
        own[:, channel] = activations[:, channel]
        result, expected = keep_channel(activations, channel), inversion.keep_channel(activations, channel)
        refuse(result, own, "the map must become the sum over all maps")
        same(result, expected, f"keep_channel(activations of shape (2, 5, 3, 4), {channel})")


@verdict("the sum of the code is unchanged, and each map has its share of it")
def check_reweight(reweight: Student) -> None:
    """Check `reweight(activations, shares)`: (1, channels, h, w), (channels,) -> map k has the share k of the sum."""
    activations, shares = random_tensor((1, 5, 3, 4)), torch.softmax(random_tensor((5,), 1), dim=0)
    result, expected = reweight(activations, shares), inversion.reweight_channels(activations, shares)
    refuse(result, activations * shares.view(1, -1, 1, 1), "divide each map by its own sum first")
    same(result, expected, "reweight(activations of shape (1, 5, 3, 4), shares)")


@verdict("the direction decides, not the length, and none is nearest to itself")
def check_nearest(nearest: Student) -> None:
    """Check `nearest(descriptions)`: (N, features) -> the number of each one's nearest other, (N,) integers."""
    descriptions = random_tensor((7, 4))
    descriptions[3] = 100 * descriptions[5] + random_tensor((4,), 1)  # nearly the same direction, but far longer
    alike = torch.cosine_similarity(descriptions[:, None], descriptions, dim=2) - 2 * torch.eye(7)
    result = nearest(descriptions)
    refuse(result, torch.arange(7), "each is nearest to itself: leave the diagonal out")
    same(result, alike.argmax(dim=1), "nearest(descriptions of shape (7, 4))")
