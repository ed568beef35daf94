"""Checks of the exercises of chapter 08, Deep Dream."""

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.checks import Student, Wrong, answer, require, same, verdict


def _random(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@verdict
def check_sizes(sizes: Student) -> str:
    """`sizes(height, width, octaves, scale)`: a list of (height, width), the smallest first."""
    for height, width, octaves, scale in ((384, 576, 4, 1.4), (301, 200, 3, 1.5), (90, 70, 1, 2.0)):
        expected = [(round(height / scale**k), round(width / scale**k)) for k in range(octaves)][::-1]
        what = f"sizes({height}, {width}, {octaves}, {scale})"
        result = answer(sizes, height, width, octaves, scale)
        require(isinstance(result, list), f"{what}: give a list of pairs (height, width)")
        result = [tuple(pair) for pair in result]
        require(result != expected[::-1] or octaves == 1, f"{what}: the smallest comes first")
        require(len(result) == octaves, f"{what} has {len(result)} sizes, expected {octaves}")
        require(all(isinstance(side, int) for pair in result for side in pair), f"{what}: whole pixels: use round")
        require(result[-1] == (height, width), f"{what}: the last size must be the image's own, not {result[-1]}")
        same(result, expected, what)
    return "from small to large, and the last is the photograph's own"


@verdict
def check_carry_detail(carry_detail: Student) -> str:
    """`carry_detail(small, dreamed, large)`: the start of the next octave, (B, C, H, W) as large as `large`."""
    for (h, w), (height, width) in (((10, 14), (15, 21)), ((9, 7), (12, 10))):
        small, large = _random((2, 3, h, w)), _random((2, 3, height, width), 1)
        dreamed = (small + 0.4 * (_random((2, 3, h, w), 2) - 0.5)).clamp(0, 1)
        added = F.interpolate(dreamed - small, (height, width), mode="bicubic")
        result = answer(carry_detail, small, dreamed, large)
        what = f"carry_detail(small of {h} x {w}, dreamed, large of {height} x {width})"
        enlarged = F.interpolate(dreamed, (height, width), mode="bicubic")
        for wrong, reason in (
            (large + added, "some pixels have left [0, 1]"),
            (enlarged.clamp(0, 1), "that is the small dream enlarged: the photograph's own detail is lost"),
            ((large + added.clamp(0, 1)).clamp(0, 1), "the detail may be negative: clip the sum, not the detail"),
            ((large - added).clamp(0, 1), "the dream has been taken away, not added: dreamed - small, not the reverse"),
        ):
            if isinstance(result, Tensor) and result.shape == wrong.shape and torch.allclose(result, wrong, atol=1e-6):
                raise Wrong(f"{what}: {reason}")
        same(result, (large + added).clamp(0, 1), what)
    return "the photograph is sharp at every size, and nothing of the dream is lost"


@verdict
def check_guide_gradient(guide_gradient: Student) -> str:
    """`guide_gradient(activations, guide)`: (B, C, h, w), (1, C, y, x) -> the best feature for each position."""
    activations, guide = _random((2, 5, 3, 4)), _random((1, 5, 6, 2), 1)
    guide[0, :, 2, 1] *= 0.2  # quiet, and never the best one by its dot product
    activations[1] *= 10
    features = guide[0].flatten(1)  # (C, Q)
    flat = activations.flatten(2)  # (B, C, P)
    products = features.T @ flat  # (B, Q, P)
    expected = features[:, products.argmax(1)].transpose(0, 1).reshape(activations.shape)
    result = answer(guide_gradient, activations, guide)
    what = "guide_gradient(activations of shape (2, 5, 3, 4), guide of shape (1, 5, 6, 2))"
    if isinstance(result, Tensor) and result.shape == expected.shape:
        cosine = F.normalize(features, dim=0).T @ flat
        near = features[:, cosine.argmax(1)].transpose(0, 1).reshape(activations.shape)
        require(
            torch.equal(near, expected) or not torch.allclose(result, near),
            f"{what}: the largest dot product is asked for, not the largest cosine: do not normalise",
        )
        least = features[:, products.argmin(1)].transpose(0, 1).reshape(activations.shape)
        require(not torch.allclose(result, least), f"{what}: these are the worst matches: use argmax")
    same(result, expected, what)
    return "every position is given the feature of the guide that it resembles most"
