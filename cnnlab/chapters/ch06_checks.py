"""Checks of the exercises of chapter 06: covered images, what a changed input reaches, a curve of deletion."""

from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.teaching.checks import Student, random_tensor, refuse, require, same, verdict
from cnnlab.techniques.occlusion import cover


@verdict("each copy has its own gray square, and the image itself is unchanged")
def check_covered_batch(covered_batch: Student) -> None:
    """Check `covered_batch(image, positions, patch)`: one covered copy per position, (1, C, H, W) -> (N, C, H, W)."""
    image = random_tensor((1, 3, 12, 17))
    for positions, patch in (([(0, 0), (3, 5), (8, 13)], 4), ([(2, 9)], 7)):
        expected = torch.cat([cover(image, top, left, patch) for top, left in positions])
        same(covered_batch(image, positions, patch), expected, f"covered_batch(image, {positions}, {patch})")


@verdict("these are the outputs that a range of inputs reaches")
def check_reached(reached: Student) -> None:
    """Check `reached(first, last, kernel, stride, padding)`: first and last output that a changed input reaches."""
    cases = (0, 3, 3, 1, 0), (10, 20, 3, 2, 0), (10, 20, 3, 1, 1), (11, 12, 7, 3, 2), (5, 5, 1, 1, 0), (9, 30, 3, 2, 1)
    for first, last, kernel, stride, padding in cases:
        line = torch.zeros(1, 1, 200)
        line[..., first : last + 1] = 1
        seen = F.conv1d(line, torch.ones(1, 1, kernel), stride=stride, padding=padding)[0, 0].nonzero()[:, 0].tolist()
        result = reached(first, last, kernel, stride, padding)
        require(isinstance(result, tuple), "reached must return two numbers: return first_output, last_output")
        same(result, (seen[0], seen[-1]), f"reached({first}, {last}, {kernel}, {stride}, {padding})")


@verdict("each score belongs to the image with all patches up to then")
def check_deletion_curve(deletion_curve: Student) -> None:
    """Check `deletion_curve(image, positions, patch, score)`: the N + 1 scores while N patches are covered in turn."""
    image, weights = random_tensor((1, 3, 12, 17)), random_tensor((3, 12, 17), 1)
    positions, patch = [(0, 0), (2, 3), (8, 13), (3, 1)], 4  # the second patch overlaps the first one

    def score(image: Tensor) -> float:
        return float((image * weights).sum())

    def covered(image: Tensor, position: tuple[int, int]) -> Tensor:
        return cover(image, *position, patch)

    alone = [score(image), *(score(covered(image, position)) for position in positions)]
    expected = [score(step) for step in accumulate(positions, covered, initial=image)]
    result = deletion_curve(image, positions, patch, score)
    refuse(result, alone, "deletion_curve covers one patch at a time: keep the earlier patches")
    same(result, expected, "the list of scores for 4 positions")


@verdict("the square shows the other image, and both images are unchanged")
def check_cover_with(cover_with: Student) -> None:
    """Check `cover_with(image, other, top, left, patch)`: the image with a square of the other, (B, C, H, W) each."""
    image, other = random_tensor((2, 2, 3, 12, 17))
    for top, left, patch in ((0, 0, 4), (3, 8, 7)):
        square = torch.zeros(12, 17, dtype=torch.bool)
        square[top : top + patch, left : left + patch] = True
        result = cover_with(image, other, top, left, patch)
        refuse(result, torch.where(square, image, other), "this is the other image with a square of the first one")
        same(result, torch.where(square, other, image), f"cover_with(image, other, {top}, {left}, {patch})")
