"""Checks of the exercises of chapter 07: relative distances, an image that a turn does not change, an exponent."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.teaching.checks import Student, answer, random_tensor, require, same, verdict


@verdict
def check_relative_distance(relative_distance: Student) -> str:
    """Check `relative_distance(a, b)`: |b_i - a| / |a|, (1, C, H, W), (B, C, H, W) -> (B,)."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn((1, 3, 4, 5), generator=generator), torch.randn((6, 3, 4, 5), generator=generator)
    expected = torch.tensor([float((one - a[0]).norm() / a.norm()) for one in b])
    same(answer(relative_distance, a, b), expected, "relative_distance(a, b) with 6 views")
    return "there is one distance per view; 1 means as far as the activations are long"


@verdict
def check_pinwheel(pinwheel: Student) -> str:
    """Check `pinwheel(image)`: (1, C, S, S) -> (1, C, 2 S, 2 S), the same after a quarter turn."""
    image = random_tensor((1, 3, 6, 6))
    result = answer(pinwheel, image)
    require(isinstance(result, Tensor) and result.shape == (1, 3, 12, 12), "expected a tensor of shape (1, 3, 12, 12)")
    corner = any(torch.equal(result[..., :6, :6], image.rot90(k, (2, 3))) for k in range(4))
    require(corner, "one corner must be the image")
    unchanged = torch.equal(result, result.rot90(1, (2, 3)))
    require(unchanged, "a quarter turn changes it: turn each corner further than the last")
    return "a quarter turn does not change it"


@verdict
def check_exponent(exponent: Student) -> str:
    """Check `exponent(sizes, values)`: the slope of log(values) over log(sizes), two tensors (N,) -> a number."""
    sizes = torch.tensor([1.0, 2, 3, 6, 10, 20, 60])
    for power in (0.4, 1.3):
        values = 0.3 * sizes**power * (0.8 + 0.4 * random_tensor((7,)))
        x, y = sizes.log().numpy(), values.log().numpy()
        result = answer(exponent, sizes, values)
        number = isinstance(result, float | np.floating) or (isinstance(result, Tensor) and result.numel() == 1)
        require(number, "exponent must return one number")
        through_zero = abs(float(result) - (x * y).sum() / (x * x).sum()) < 1e-4
        require(not through_zero, "exponent: the line need not go through 0: subtract the means of both logarithms")
        slope = float(np.polyfit(x, y, 1)[0])
        same(float(result), slope, f"exponent of values that grow about like size^{power}", tolerance=1e-4)
    return "it is the slope of the best line, wherever the line begins"


@verdict
def check_pooled_distance(pooled_distance: Student) -> str:
    """Check `pooled_distance(a, b)`: |m(b_i) - m(a)| / |m(a)| for the channels' means m, (B,)."""
    a, b = random_tensor((1, 3, 4, 5)), random_tensor((6, 3, 4, 5), 1)
    result = answer(pooled_distance, a, b)
    whole = (b - a).flatten(1).norm(dim=1) / a.norm()
    unpooled = isinstance(result, Tensor) and result.shape == whole.shape and torch.allclose(result, whole)
    require(not unpooled, "pooled_distance: that is the distance of the whole maps: take each channel's mean first")
    means = F.adaptive_avg_pool2d(torch.cat([a, b]), 1).flatten(1)  # (7, 3)
    expected = torch.tensor([float((one - means[0]).norm() / means[0].norm()) for one in means[1:]])
    same(result, expected, "pooled_distance(a, b) with 6 views")
    return "there is one distance per view, and it does not matter where in a map something is"
