"""Checks of the exercises on occlusion and invariance."""

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.checks import Student, answer, require, same, verdict
from cnnlab.invariance import moved
from cnnlab.occlusion import cover


@verdict
def check_covered_batch(covered_batch: Student) -> str:
    """`covered_batch(image, places, patch)`: one covered copy per place, (1, C, H, W) -> (N, C, H, W)."""
    image = torch.rand((1, 3, 12, 17), generator=torch.Generator().manual_seed(0))
    for spots, patch in (([(0, 0), (3, 5), (8, 13)], 4), ([(2, 9)], 7)):
        expected = torch.cat([cover(image, top, left, patch) for top, left in spots])
        same(answer(covered_batch, image, spots, patch), expected, f"covered_batch(image, {spots}, {patch})")
    return "each copy has its own grey square, and the image is as it was"


@verdict
def check_reached(reached: Student) -> str:
    """`reached(first, last, kernel, stride, padding)`: the first and last output that some changed input reaches."""
    for case in (
        (0, 3, 3, 1, 0),
        (10, 20, 3, 2, 0),
        (10, 20, 3, 1, 1),
        (11, 12, 7, 3, 2),
        (5, 5, 1, 1, 0),
        (9, 30, 3, 2, 1),
    ):
        first, last, kernel, stride, padding = case
        line = torch.zeros(1, 1, 200)
        line[..., first : last + 1] = 1
        seen = F.conv1d(line, torch.ones(1, 1, kernel), stride=stride, padding=padding)[0, 0].nonzero()[:, 0]
        result = answer(reached, *case)
        require(
            isinstance(result, tuple) and len(result) == 2, "expected two numbers: return first_output, last_output"
        )
        same(tuple(int(n) for n in result), (int(seen[0]), int(seen[-1])), f"reached{case}")
    return "the stretch of outputs that a stretch of inputs reaches"


@verdict
def check_relative_distance(relative_distance: Student) -> str:
    """`relative_distance(a, b)`: |b_i - a| / |a|, (1, C, H, W), (B, C, H, W) -> (B,)."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn((1, 3, 4, 5), generator=generator), torch.randn((6, 3, 4, 5), generator=generator)
    expected = torch.tensor([float((one - a[0]).norm() / a.norm()) for one in b])
    same(answer(relative_distance, a, b), expected, "relative_distance(a, b) with 6 views")
    return "one distance per view, 1 means as far as the activations are long"


@verdict
def check_pinwheel(pinwheel: Student) -> str:
    """`pinwheel(image)`: (1, C, S, S) -> (1, C, 2 S, 2 S), the same after a quarter turn."""
    image = torch.rand((1, 3, 6, 6), generator=torch.Generator().manual_seed(0))
    result = answer(pinwheel, image)
    require(isinstance(result, Tensor) and result.shape == (1, 3, 12, 12), "expected a tensor of shape (1, 3, 12, 12)")
    require(
        any(torch.equal(result[..., :6, :6], image.rot90(k, (2, 3))) for k in range(4)), "one corner must be the image"
    )
    require(
        torch.equal(result, result.rot90(1, (2, 3))),
        "a quarter turn changes it: turn each corner further than the last",
    )
    require(not torch.equal(result, moved(result, degrees=45, size=12)), "it must not be empty")
    return "a quarter turn leaves it as it is"
