"""Checks of the exercises of chapter 13: one channel alone, channels reweighted, the nearest, a shorter recipe."""

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
        same(result, expected, f"{keep_channel}(activations of shape (2, 5, 3, 4), {channel})")


@verdict("the sum of the code is unchanged, and each map has its share of it")
def check_reweight(reweight: Student) -> None:
    """Check `reweight(activations, shares)`: (1, channels, h, w), (channels,) -> map k has the share k of the sum."""
    activations, shares = random_tensor((1, 5, 3, 4)), torch.softmax(random_tensor((5,), 1), dim=0)
    result, expected = reweight(activations, shares), inversion.reweight_channels(activations, shares)
    refuse(result, activations * shares.view(1, -1, 1, 1), "divide each map by its own sum first")
    same(result, expected, f"{reweight}(activations of shape (1, 5, 3, 4), shares)")


@verdict("the direction decides, not the length, and none is nearest to itself")
def check_nearest(nearest: Student) -> None:
    """Check `nearest(descriptions)`: (N, features) -> the number of each one's nearest other, (N,) integers."""
    descriptions = random_tensor((7, 4))
    itself = "each is nearest to itself: leave the diagonal out"
    refuse(nearest(descriptions), torch.arange(7), itself)
    descriptions[3] = 100 * descriptions[5] + random_tensor((4,), 1)  # nearly the same direction, but far longer
    alike = torch.cosine_similarity(descriptions[:, None], descriptions, dim=2) - 2 * torch.eye(7)
    result = nearest(descriptions)
    products = descriptions @ descriptions.T
    refuse(result, products.argmax(1), f"{itself}; and scale each description to length 1")
    unscaled = products.fill_diagonal_(-1).argmax(1)
    refuse(result, unscaled, "a long description is near to all: scale each one to length 1 first")
    same(result, alike.argmax(dim=1), f"{nearest}(descriptions of shape (7, 4))")


@verdict("each description keeps its k strongest numbers, and none finds itself")
def check_found_with(found_with: Student) -> None:
    """Check `found_with(descriptions, owners, k)`: (N, features), (N,), a number -> how many find one of their own."""
    descriptions, owners = random_tensor((24, 9)), torch.arange(4).repeat_interleave(6)
    descriptions += 0.4 * random_tensor((4, 9), 1)[owners]
    descriptions[::5] *= 30  # the length must not matter
    for k in (9, 4):
        kept = torch.where(descriptions >= descriptions.topk(k, dim=1).values[:, -1:], descriptions, 0)
        alike = torch.cosine_similarity(kept[:, None], kept, dim=2) - 2 * torch.eye(24)
        expected = int((owners[alike.argmax(1)] == owners).sum())
        result = found_with(descriptions, owners, k)
        refuse(result, expected / 24, "how many are found, not which share of them")
        refuse(result, 24, "each finds itself: leave it out")
        same(result, expected, f"{found_with}(descriptions of shape (24, 9), owners, {k})")
