"""Checks of the exercises of chapter 07: distances, a pinwheel, an exponent, a blur before positions are skipped."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.chapters.ch07_antialias import BlurPool
from cnnlab.teaching.checks import Student, alike, numbers, random_tensor, refuse, require, same, verdict


def _relative(a: Tensor, b: Tensor) -> Tensor:
    return torch.stack([(one - a[0]).norm() / a.norm() for one in b])


@verdict("there is one distance per view; 1 means as far as the activations are long")
def check_relative_distance(relative_distance: Student) -> None:
    """Check `relative_distance(a, b)`: |b_i - a| / |a|, (1, C, H, W), (B, C, H, W) -> (B,)."""
    a, b = random_tensor((1, 3, 4, 5)) - 0.5, random_tensor((6, 3, 4, 5), 1) - 0.5
    same(relative_distance(a, b), _relative(a, b), f"{relative_distance}(a, b) with 6 views")


@verdict("a quarter turn does not change it")
def check_pinwheel(pinwheel: Student) -> None:
    """Check `pinwheel(image)`: (1, C, S, S) -> (1, C, 2 S, 2 S), the same after a quarter turn."""
    image = random_tensor((1, 3, 6, 6))
    result = pinwheel(image)
    what = f"{pinwheel}(image of shape (1, 3, 6, 6))"
    found = numbers(result, what)
    fits = isinstance(result, Tensor) and found.shape == (1, 3, 12, 12)
    require(fits, f"{what} must be a tensor of shape (1, 3, 12, 12)")
    corners = {(y, x): torch.from_numpy(found[..., y : y + 6, x : x + 6]) for y in (0, 6) for x in (0, 6)}
    turns = [image.rot90(number, (2, 3)) for number in range(4)]
    require(any(alike(corners[0, 0], turn) for turn in turns), "the top left corner must be the image, turned or not")
    once = corners[0, 0].rot90(1, (2, 3))
    backward = "the corners turn in the wrong sense: let the top right and the bottom left one change places"
    refuse(corners[0, 6], once, backward)
    same(
        torch.from_numpy(found),
        torch.from_numpy(np.rot90(found, axes=(2, 3)).copy()),
        f"{what}, unlike its quarter turn,",
    )


def exponent(sizes: Tensor, values: Tensor) -> float:
    """Compute the slope of log(values) over log(sizes): k of the curve c * size^k that fits best. Chapter 07."""
    return float(np.polyfit(np.log(sizes.numpy()), np.log(values.numpy()), 1)[0])


@verdict("it is the slope of the best line, wherever the line begins")
def check_exponent(student: Student) -> None:
    """Check `exponent(sizes, values)`: the slope of log(values) over log(sizes), two tensors (N,) -> a number."""
    sizes = torch.tensor([1.0, 2, 3, 6, 10, 20, 60])
    for power in (0.4, 1.3):
        values = 0.3 * sizes**power * (0.8 + 0.4 * random_tensor((7,)))
        x, y = sizes.log(), values.log()
        result = student(sizes, values)
        through_zero = float((x * y).sum() / (x * x).sum())
        refuse(result, through_zero, "the line need not go through 0: subtract the means of both logarithms")
        what = f"{student} of values that grow about like size^{power}"
        same(result, exponent(sizes, values), what, tolerance=1e-4)


@verdict("every value counts the same, whether its position is kept or skipped")
def check_blur_pool(blur_pool: Student) -> None:
    """Check `blur_pool(maps)`: blur with (1 2 1) / 4 both ways, then keep every second position, (B, C, H, W)."""
    maps = random_tensor((2, 3, 8, 7))
    blurred = BlurPool(stride=1)(maps)
    result = blur_pool(maps)
    refuse(result, blurred, "the maps are blurred, but no position is skipped: keep the positions 0, 2, 4 ...")
    refuse(result, maps[..., ::2, ::2], "positions are skipped, but nothing is blurred")
    refuse(result, blurred[..., 1::2, 1::2], "these are the positions 1, 3, 5 ...: keep 0, 2, 4 ...")
    refuse(result, BlurPool(stride=1)(maps[..., ::2, ::2]), "blur before you skip, not after")
    refuse(result, 4 * blurred[..., ::2, ::2], "divide by 4 along the rows and along the columns")
    refuse(result, 16 * blurred[..., ::2, ::2], "divide by 4 along the rows and along the columns")
    down = F.pad(maps, (0, 0, 1, 1), mode="reflect")
    down = (down[:, :, :-2] + 2 * down[:, :, 1:-1] + down[:, :, 2:]) / 4
    refuse(result, down[..., ::2, ::2], "the maps are blurred along one axis only: blur along the other one, too")
    right = F.pad(maps, (1, 1, 0, 0), mode="reflect")
    right = (right[..., :-2] + 2 * right[..., 1:-1] + right[..., 2:]) / 4
    refuse(result, right[..., ::2, ::2], "the maps are blurred along one axis only: blur along the other one, too")
    same(result, blurred[..., ::2, ::2], f"{blur_pool}(maps of shape (2, 3, 8, 7))")


@verdict("there is one distance per view, and it does not matter where in a map something is")
def check_pooled_distance(pooled_distance: Student) -> None:
    """Check `pooled_distance(a, b)`: |m(b_i) - m(a)| / |m(a)| for the channels' means m, (B,)."""
    a, b = random_tensor((1, 3, 4, 5)), random_tensor((6, 3, 4, 5), 1)
    result = pooled_distance(a, b)
    refuse(result, _relative(a, b), "that is the distance of the whole maps: take each channel's mean first")
    same(result, _relative(a.mean((2, 3)), b.mean((2, 3))), f"{pooled_distance}(a, b) with 6 views")
