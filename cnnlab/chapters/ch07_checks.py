"""Checks of the exercises of chapter 07: relative distances, an image that a turn does not change, an exponent."""

import numpy as np
import torch
from torch import Tensor

from cnnlab.teaching.checks import Student, random_tensor, refuse, require, same, verdict


def _relative(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack([(one - a[0]).norm() / a.norm() for one in b])


@verdict("there is one distance per view; 1 means as far as the activations are long")
def check_relative_distance(relative_distance: Student) -> None:
    """Check `relative_distance(a, b)`: |b_i - a| / |a|, (1, C, H, W), (B, C, H, W) -> (B,)."""
    a, b = random_tensor((1, 3, 4, 5)) - 0.5, random_tensor((6, 3, 4, 5), 1) - 0.5
    same(relative_distance(a, b), _relative(a, b), "relative_distance(a, b) with 6 views")


@verdict("a quarter turn does not change it")
def check_pinwheel(pinwheel: Student) -> None:
    """Check `pinwheel(image)`: (1, C, S, S) -> (1, C, 2 S, 2 S), the same after a quarter turn."""
    image = random_tensor((1, 3, 6, 6))
    result = pinwheel(image)
    require(isinstance(result, Tensor) and result.shape == (1, 3, 12, 12), "expected a tensor of shape (1, 3, 12, 12)")
    corner = any(torch.equal(result[..., :6, :6], image.rot90(k, (2, 3))) for k in range(4))
    require(corner, "one corner must be the image")
    require(torch.equal(result, result.rot90(1, (2, 3))), "a quarter turn changes it: turn each corner differently")


@verdict("it is the slope of the best line, wherever the line begins")
def check_exponent(exponent: Student) -> None:
    """Check `exponent(sizes, values)`: the slope of log(values) over log(sizes), two tensors (N,) -> a number."""
    sizes = torch.tensor([1.0, 2, 3, 6, 10, 20, 60])
    for power in (0.4, 1.3):
        values = 0.3 * sizes**power * (0.8 + 0.4 * random_tensor((7,)))
        x, y = sizes.log().numpy(), values.log().numpy()
        result = exponent(sizes, values)
        through_zero, slope = float((x * y).sum() / (x * x).sum()), float(np.polyfit(x, y, 1)[0])
        refuse(result, through_zero, "the line need not go through 0: subtract the means of both logarithms")
        same(result, slope, f"exponent of values that grow about like size^{power}", tolerance=1e-4)


@verdict("there is one distance per view, and it does not matter where in a map something is")
def check_pooled_distance(pooled_distance: Student) -> None:
    """Check `pooled_distance(a, b)`: |m(b_i) - m(a)| / |m(a)| for the channels' means m, (B,)."""
    a, b = random_tensor((1, 3, 4, 5)), random_tensor((6, 3, 4, 5), 1)
    result = pooled_distance(a, b)
    refuse(result, _relative(a, b), "that is the distance of the whole maps: take each channel's mean first")
    same(result, _relative(a.mean((2, 3)), b.mean((2, 3))), "pooled_distance(a, b) with 6 views")
