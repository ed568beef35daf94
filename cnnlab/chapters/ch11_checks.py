"""Checks of the exercises of chapter 11: the sizes of the octaves, carried detail, the gradient of a guided dream."""

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.teaching.checks import Student, Wrong, answer, random_tensor, require, same, verdict


@verdict
def check_sizes(sizes: Student) -> str:
    """Check `sizes(height, width, octaves, scale)`: a list of (height, width), the smallest first."""
    for height, width, octaves, scale in ((384, 576, 4, 1.4), (301, 200, 3, 1.5), (90, 70, 1, 2.0)):
        expected = [(round(height / scale**k), round(width / scale**k)) for k in range(octaves)][::-1]
        what = f"sizes({height}, {width}, {octaves}, {scale})"
        result = answer(sizes, height, width, octaves, scale)
        require(isinstance(result, list), f"{what}: return a list of pairs (height, width)")
        result = [tuple(pair) for pair in result]
        require(result != expected[::-1] or octaves == 1, f"{what}: the smallest comes first")
        require(len(result) == octaves, f"{what} has {len(result)} sizes, expected {octaves}")
        whole = all(isinstance(side, int) for pair in result for side in pair)
        require(whole, f"{what}: sizes are whole pixels: use round")
        require(result[-1] == (height, width), f"{what}: the last size must be the image's own, not {result[-1]}")
        same(result, expected, what)
    return "the sizes grow, and the last one is the photograph's own"


@verdict
def check_carry_detail(carry_detail: Student) -> str:
    """Check `carry_detail(small, dreamed, large)`: the start of the next octave, (B, C, H, W) as large as `large`."""
    for (h, w), (height, width) in (((10, 14), (15, 21)), ((9, 7), (12, 10))):
        small, large = random_tensor((2, 3, h, w)), random_tensor((2, 3, height, width), 1)
        dreamed = (small + 0.4 * (random_tensor((2, 3, h, w), 2) - 0.5)).clamp(0, 1)
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
    return "the photograph is sharp at every size, and the dream is kept"


@verdict
def check_guide_gradient(guide_gradient: Student) -> str:
    """Check `guide_gradient(activations, guide)`: (B, C, h, w), (1, C, y, x) -> the best feature for each position."""
    activations, guide = random_tensor((2, 5, 3, 4)), random_tensor((1, 5, 6, 2), 1)
    guide[0, :, 2, 1] *= 0.2  # it is weak, so that its dot product is never the largest
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
        cosine_used = torch.allclose(result, near) and not torch.equal(near, expected)
        require(not cosine_used, f"{what}: use the largest dot product, not the largest cosine: do not normalize")
        least = features[:, products.argmin(1)].transpose(0, 1).reshape(activations.shape)
        require(not torch.allclose(result, least), f"{what}: these are the worst matches: use argmax")
    same(result, expected, what)
    return "every position gets the feature of the guide that it resembles most"
