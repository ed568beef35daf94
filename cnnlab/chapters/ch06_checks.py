"""Checks of the exercises of chapter 06: covered images, what a changed input reaches, a curve of deletion."""

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.teaching.checks import Student, answer, random_tensor, require, same, verdict
from cnnlab.techniques.occlusion import cover


@verdict
def check_covered_batch(covered_batch: Student) -> str:
    """Check `covered_batch(image, positions, patch)`: one covered copy per position, (1, C, H, W) -> (N, C, H, W)."""
    image = random_tensor((1, 3, 12, 17))
    for positions, patch in (([(0, 0), (3, 5), (8, 13)], 4), ([(2, 9)], 7)):
        expected = torch.cat([cover(image, top, left, patch) for top, left in positions])
        same(answer(covered_batch, image, positions, patch), expected, f"covered_batch(image, {positions}, {patch})")
    return "each copy has its own gray square, and the image itself is unchanged"


@verdict
def check_reached(reached: Student) -> str:
    """Check `reached(first, last, kernel, stride, padding)`: first and last output that a changed input reaches."""
    inputs = ((0, 3), (10, 20), (10, 20), (11, 12), (5, 5), (9, 30))
    layers = ((3, 1, 0), (3, 2, 0), (3, 1, 1), (7, 3, 2), (1, 1, 0), (3, 2, 1))
    for (first, last), (kernel, stride, padding) in zip(inputs, layers, strict=True):
        line = torch.zeros(1, 1, 200)
        line[..., first : last + 1] = 1
        seen = F.conv1d(line, torch.ones(1, 1, kernel), stride=stride, padding=padding)[0, 0].nonzero()[:, 0]
        case = (first, last, kernel, stride, padding)
        result = answer(reached, *case)
        pair = isinstance(result, tuple) and len(result) == 2
        require(pair, "expected two numbers: return first_output, last_output")
        same(tuple(int(n) for n in result), (int(seen[0]), int(seen[-1])), f"reached{case}")
    return "these are the outputs that a range of inputs reaches"


@verdict
def check_deletion_curve(deletion_curve: Student) -> str:
    """Check `deletion_curve(image, positions, patch, score)`: the N + 1 scores while N patches are covered in turn."""
    image, weights = random_tensor((1, 3, 12, 17)), random_tensor((3, 12, 17), 1)
    positions, patch = [(0, 0), (2, 3), (8, 13), (3, 1)], 4  # the second patch overlaps the first one

    def score(image: Tensor) -> float:
        return float((image * weights).sum())

    steps = [image]
    for top, left in positions:
        steps.append(cover(steps[-1], top, left, patch))
    result = answer(deletion_curve, image, positions, patch, score)
    require(isinstance(result, list), "deletion_curve must return a list of numbers")
    require(len(result) == 5, f"deletion_curve returns {len(result)} scores for 4 positions, expected 5")
    found = torch.tensor([float(value) for value in result])
    alone = torch.tensor([score(image), *(score(cover(image, top, left, patch)) for top, left in positions)])
    require(not torch.allclose(found, alone), "deletion_curve covers one patch at a time: keep the earlier patches")
    same(found, torch.tensor([score(step) for step in steps]), "the list of scores for 4 positions")
    return "each score belongs to the image with all patches up to then"


@verdict
def check_cover_with(cover_with: Student) -> str:
    """Check `cover_with(image, other, top, left, patch)`: the image with a square of the other, (B, C, H, W) each."""
    image, other = random_tensor((2, 3, 12, 17)), random_tensor((2, 3, 12, 17), 1)
    for top, left, patch in ((0, 0, 4), (3, 8, 7)):
        square = torch.zeros(12, 17)
        square[top : top + patch, left : left + patch] = 1
        result = answer(cover_with, image, other, top, left, patch)
        what = f"cover_with(image, other, {top}, {left}, {patch})"
        swapped = isinstance(result, Tensor) and torch.equal(result, torch.where(square == 1, image, other))
        require(not swapped, f"{what} is the other image with a square of the first one")
        same(result, torch.where(square == 1, other, image), what)
    return "the square shows the other image, and both images are unchanged"
