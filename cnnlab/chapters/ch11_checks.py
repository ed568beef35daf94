"""Checks of the exercises of chapter 11: sizes of octaves, carried detail, a guide's gradient, the grid in a dream."""

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.teaching.checks import Student, numbers, random_tensor, refuse, require, same, verdict


@verdict("the sizes grow, and the last one is the photograph's own")
def check_sizes(sizes: Student) -> None:
    """Check `sizes(height, width, octaves, scale)`: a list of (height, width), the smallest first."""
    step_by_step = [(79, 58), (110, 81), (154, 114), (215, 160), (301, 224)]  # each divided by 1.4, and rounded
    for height, width, octaves, scale in ((384, 576, 4, 1.4), (301, 224, 5, 1.4)):
        expected = [(round(height / scale**k), round(width / scale**k)) for k in reversed(range(octaves))]
        what = f"{sizes}({height}, {width}, {octaves}, {scale})"
        result = sizes(height, width, octaves, scale)
        require(isinstance(result, list), f"{what}: return a list of pairs (height, width)")
        refuse(result, expected[::-1], f"{what}: the smallest comes first")
        sides = numbers(result, what)
        require((sides == sides.round()).all(), f"{what}: sizes are whole pixels: use round")
        same(result[-1:], expected[-1:], f"{what}: the last size must be the image's own; it")
        refuse(result, step_by_step, f"{what}: the rounding adds up: divide the photograph's own size by scale**k")
        same(result, expected, what)
    same(sizes(90, 70, 1, 2.0), [(90, 70)], f"{sizes}(90, 70, 1, 2.0)")


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
        same(result, (large + added).clamp(0, 1), f"{carry_detail}(small {h} x {w}, dreamed, large {height} x {width})")


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
    what = f"{guide_gradient}(activations of shape (2, 5, 3, 4), guide of shape (1, 5, 6, 2))"
    same(result, picked(features), what)


@verdict("1 means that the picture is one tile, repeated; noise gives about 1 / (number of cells)")
def check_grid_strength(grid_strength: Student) -> None:
    """Check `grid_strength(added, period)`: (B, C, H, W), a number -> (B,), the share of the variance that repeats."""
    added = random_tensor((2, 3, 12, 15))
    added[1] += 2 * random_tensor((3, 4, 5), 1).tile(1, 3, 3)[:, :12, :15]
    for period in (3, 5):  # 5 does not divide 12
        rows, columns = 12 // period, 15 // period
        cut = added[..., : rows * period, : columns * period]
        result, what = grid_strength(added, period), f"{grid_strength}(added of shape (2, 3, 12, 15), {period})"
        refuse(result, _repeated(cut, period), "take the mean of each channel out first: it repeats at every period")
        centered = cut - cut.mean((2, 3), keepdim=True)
        refuse(result, _repeated(centered, period).sqrt(), "compare the squares: a share of the variance is asked for")
        same(result, _repeated(centered, period), what, tolerance=1e-4)


def _repeated(cut: Tensor, period: int) -> Tensor:
    tiles = [cut[..., y::period, x::period].mean((2, 3)) for y in range(period) for x in range(period)]  # (B, C) each
    return torch.stack(tiles).square().mean((0, 2)) / cut.square().mean((1, 2, 3))
