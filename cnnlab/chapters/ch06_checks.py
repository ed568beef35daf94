"""Checks of the exercises of chapter 06: covered images, RISE, a curve of deletion, other patches."""

from itertools import accumulate, product

import torch
from torch import Tensor

from cnnlab.teaching.checks import Student, random_tensor, refuse, same, verdict
from cnnlab.techniques import occlusion
from cnnlab.techniques.occlusion import cover


@verdict("each copy has its own gray square, and the image itself is unchanged")
def check_covered_batch(covered_batch: Student) -> None:
    """Check `covered_batch(image, positions, patch)`: one covered copy per position, (1, C, H, W) -> (N, C, H, W)."""
    image = random_tensor((1, 3, 12, 17))
    for positions, patch in (([(0, 0), (3, 5), (8, 13)], 4), ([(2, 9)], 7)):
        expected = torch.cat([cover(image, top, left, patch) for top, left in positions])
        same(covered_batch(image, positions, patch), expected, f"{covered_batch}(image, {positions}, {patch})")


@verdict("each mask has the weight of its own score")
def check_rise_map(rise_map: Student) -> None:
    """Check `rise_map(image, masks, score)`: the mean of the masks, each weighted by the score of the masked image."""
    image, weights = random_tensor((1, 3, 12, 17)), random_tensor((3, 12, 17), 1)

    def score(image: Tensor) -> float:
        return float((image * weights).sum())

    for count in (5, 2):
        masks = (random_tensor((count, 1, 12, 17), 2) > 0.4).float()
        values = torch.tensor([score(image * mask) for mask in masks])
        weighted = values.view(-1, 1, 1) * masks[:, 0]
        result = rise_map(image, masks, score)
        refuse(result, weighted.sum(0), "that is the sum: divide by the number of masks")
        refuse(result, score(image) * masks[:, 0].mean(0), "score the image times the mask, not the image itself")
        refuse(result, masks[:, 0].mean(0), "that is the mean of the masks: weight each one with its score")
        refuse(result, weighted.mean(0, keepdim=True), "the map is (H, W): take masks[i, 0]")
        same(result, weighted.mean(0), f"{rise_map}(image, {count} masks, score)")


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
    refuse(result, alone, "there is one patch at a time: keep the earlier patches")
    same(result, expected, f"{deletion_curve}(image, 4 positions, {patch}, score)")


@verdict("it is the lowest score of all positions, and both images are unchanged")
def check_lowest_score(lowest_score: Student) -> None:
    """Check `lowest_score(image, other, patch, stride, score)`: over all positions of a patch that shows `other`."""
    image, other, weights = random_tensor((3, 1, 3, 12, 20))
    image[..., 8:, 16:], other[..., 8:, 16:] = 1, 0  # the lowest score belongs to the last position

    def score(image: Tensor) -> float:
        return float((image * weights).sum())

    for patch, stride in ((4, 4), (6, 2)):
        tops, lefts = occlusion.positions(image, patch, stride)
        scores, everywhere = [], image.clone()
        for top, left in product(tops, lefts):
            square = ..., slice(top, top + patch), slice(left, left + patch)
            covered = image.clone()
            covered[square] = everywhere[square] = other[square]
            scores.append(score(covered))
        result = lowest_score(image, other, patch, stride, score)
        refuse(result, max(scores), "that is the highest score")
        refuse(result, score(everywhere), "cover one position at a time: begin each with the image itself")
        gray = min(score(cover(image, top, left, patch)) for top, left in product(tops, lefts))
        refuse(result, gray, "the patch must show the other image, not gray")
        same(result, min(scores), f"{lowest_score}(image, other, {patch}, {stride}, score)")
