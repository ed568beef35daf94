"""Checks of the exercises of chapter 11: the sizes of the octaves, carried detail, the gradient of a guided dream."""

import torch.nn.functional as F
from torch import Tensor

from cnnlab.teaching.checks import Student, numbers, random_tensor, refuse, require, same, verdict


@verdict("the sizes grow, and the last one is the photograph's own")
def check_sizes(sizes: Student) -> None:
    """Check `sizes(height, width, octaves, scale)`: a list of (height, width), the smallest first."""
    for height, width, octaves, scale in ((384, 576, 4, 1.4), (301, 200, 3, 1.5)):
        expected = [(round(height / scale**k), round(width / scale**k)) for k in reversed(range(octaves))]
        what = f"sizes({height}, {width}, {octaves}, {scale})"
        result = sizes(height, width, octaves, scale)
        require(isinstance(result, list), f"{what}: return a list of pairs (height, width)")
        refuse(result, expected[::-1], f"{what}: the smallest comes first")
        sides = numbers(result, what)
        require((sides == sides.round()).all(), f"{what}: sizes are whole pixels: use round")
        same(result[-1:], expected[-1:], f"{what}: the last size must be the image's own; it")
        same(result, expected, what)
    same(sizes(90, 70, 1, 2.0), [(90, 70)], "sizes(90, 70, 1, 2.0)")


@verdict("the photograph is sharp at every size, and the dream is kept")
def check_carry_detail(carry_detail: Student) -> None:
    """Check `carry_detail(small, dreamed, large)`: the start of the next octave, (B, C, H, W) as large as `large`."""
    for (h, w), (height, width) in (((10, 14), (15, 21)), ((9, 7), (12, 10))):
        small, large = random_tensor((2, 3, h, w)), random_tensor((2, 3, height, width), 1)
        dreamed = (small + 0.4 * (random_tensor((2, 3, h, w), 2) - 0.5)).clamp(0, 1)
        enlarged, added = (F.interpolate(x, (height, width), mode="bicubic") for x in (dreamed, dreamed - small))
        result = carry_detail(small, dreamed, large)
        refuse(result, large + added, "some pixels have left [0, 1]")
        refuse(result, enlarged.clamp(0, 1), "this is the small dream enlarged: the photograph's own detail is lost")
        refuse(result, (large + added.clamp(0, 1)).clamp(0, 1), "the detail may be negative: clip the sum instead")
        refuse(result, (large - added).clamp(0, 1), "take dreamed - small as the detail, not the reverse")
        same(result, (large + added).clamp(0, 1), f"carry_detail(small {h} x {w}, dreamed, large {height} x {width})")


@verdict("every position gets the feature of the guide that it resembles most")
def check_guide_gradient(guide_gradient: Student) -> None:
    """Check `guide_gradient(activations, guide)`: (B, C, h, w), (1, C, y, x) -> the best feature for each position."""
    activations, guide = random_tensor((2, 5, 3, 4)), random_tensor((1, 5, 6, 2), 1)
    guide[0, :, 2, 1] *= 0.2  # it is weak, so that its dot product is never the largest
    activations[1] *= 10
    features, flat = guide[0].flatten(1), activations.flatten(2)  # (C, Q), (B, C, P)

    def picked(weights: Tensor) -> Tensor:
        return features[:, (weights.T @ flat).argmax(1)].transpose(0, 1).reshape(activations.shape)

    result = guide_gradient(activations, guide)
    refuse(result, picked(F.normalize(features, dim=0)), "do not normalize: use the dot product, not the cosine")
    refuse(result, picked(-features), "these are the worst matches: use argmax")
    same(result, picked(features), "guide_gradient(activations of shape (2, 5, 3, 4), guide of shape (1, 5, 6, 2))")
