"""Checks of the exercises of chapter 09, correspondence, copies, overlaps, nearest labels; and their references."""

import torch
import torch.nn.functional as F
from scipy.spatial.distance import pdist
from torch import Tensor

from cnnlab.teaching.checks import Student, answer, random_tensor, require, same, verdict


def sign_distance(changes: Tensor) -> float:
    """Compute how differently the features of several images change, from 0 (alike) to 1 (no two signs agree).

    This is the mean Hamming distance of the signs of two images' changes, over all pairs of images and divided by the
    number of features. A sign is -1, 0 or 1. Source: Zeiler & Fergus 2014, section 4.3 (their Delta). Chapter 09.

    Args:
        changes: (images, ...) of at least two images: features(image) - features(image with a part hidden).
    """
    return float(pdist(changes.flatten(1).sign().cpu().numpy(), "hamming").mean())


def thumbnails(images: Tensor) -> Tensor:
    """Reduce images to 16 x 16 pixels without brightness and contrast: (B, C, H, W) -> (B, C * 256), of length 1.

    The product of two such vectors is the correlation of the two images, in [-1, 1]: 1 for one image in another light.
    Chapter 09.
    """
    small = F.adaptive_avg_pool2d(images, 16).flatten(2)  # (B, C, 256)
    return F.normalize((small - small.mean(dim=2, keepdim=True)).flatten(1))


@verdict
def check_sign_distance(student: Student) -> str:
    """Check `sign_distance(changes)`: (images, features) -> the mean share of differing signs over all pairs."""
    changes = torch.tensor([[1.0, -2, 0, 3], [4.0, -1, 0, -1]])
    same(answer(student, changes), 0.25, "sign_distance([[1, -2, 0, 3], [4, -1, 0, -1]])")
    same(answer(student, changes[:1].repeat(3, 1)), 0.0, "sign_distance of three equal changes")
    generator = torch.Generator().manual_seed(0)
    changes = torch.randn((5, 60), generator=generator).relu() - torch.rand((5, 60), generator=generator).round()
    same(answer(student, changes), sign_distance(changes), "sign_distance(changes of shape (5, 60))")
    return "all signs are compared, zeros too, and each pair counts once"


@verdict
def check_near_duplicates(near_duplicates: Student) -> str:
    """Check `near_duplicates(images, others, threshold)`: is an image's thumbnail like one of the others'? (B,)"""
    images, others = random_tensor((6, 3, 32, 48)), random_tensor((9, 3, 32, 48), 1)
    images[1], images[4] = others[7] * 0.6 + 0.2, (others[2] + 0.05 * images[4]).clamp(0, 1)
    for threshold in (0.9, 0.999):
        expected = (thumbnails(images) @ thumbnails(others).T).amax(dim=1) >= threshold
        found = answer(near_duplicates, images, others, threshold)
        bools = isinstance(found, Tensor) and found.dtype == torch.bool
        require(bools, "near_duplicates must return a tensor of bools")
        shape = tuple(found.shape)
        require(shape == (6,), f"near_duplicates has the shape {shape}, expected one bool per image: (6,)")
        for index in range(6):
            what = "is a copy" if expected[index] else "is no copy"
            message = f"with the threshold {threshold}, image {index} {what} of one of the others"
            require(bool(found[index] == expected[index]), message)
    return "copies in another light are found, and strangers are not taken for copies"


@verdict
def check_overlapping(overlapping: Student) -> str:
    """Check `overlapping(crops, others)`: (B, 3), (N, 3) of (top, left, side) -> bool (B,), who shares a pixel."""
    generator = torch.Generator().manual_seed(0)
    crops, others = torch.randint(1, 20, (40, 3), generator=generator), torch.tensor([[2, 9, 4], [6, 1, 9], [0, 18, 1]])
    others = torch.cat([others, crops[:1] + torch.tensor([0, 30, 0])])
    crops = torch.cat([crops, others[-1:] - others[-1, 2] * torch.tensor([0, 1, 0])])  # it only touches the last one
    covered = torch.zeros(60, 60)
    for top, left, side in others.tolist():
        covered[top : top + side, left : left + side] = 1
    result = answer(overlapping, crops, others)
    bools = isinstance(result, Tensor) and result.dtype == torch.bool and result.shape == (41,)
    require(bools, "overlapping must return a tensor of bools, one per crop")
    for (top, left, side), got in zip(crops.tolist(), result.tolist(), strict=True):
        expected = bool(covered[top : top + side, left : left + side].any())
        words = "shares pixels with one" if expected else "shares no pixel with any"
        require(got == expected, f"the crop {[top, left, side]} {words} of {others.tolist()}")
    return "crops that only touch share no pixel; crops inside each other do"


@verdict
def check_nearest_labels(nearest_labels: Student) -> str:
    """Check `nearest_labels(features (B, n), known (N, n), labels (N,))`: the label of the largest cosine, (B,)."""
    features, known = random_tensor((7, 5)) - 0.5, random_tensor((9, 5), seed=1) - 0.5
    known = known * torch.arange(1.0, 10)[:, None]  # of different lengths: a product alone is no cosine
    labels = torch.tensor([3, 1, 4, 1, 5, 9, 2, 6, 5])
    cosines = torch.cosine_similarity(features[:, None], known, dim=2)
    result = answer(nearest_labels, features, known, labels)
    if isinstance(result, Tensor) and result.shape == (7,):
        longest = labels[(features @ known.T).argmax(dim=1)]
        require(not torch.equal(result, longest), "the product prefers long features: divide each by its length")
    same(result, labels[cosines.argmax(dim=1)], "nearest_labels(features (7, 5), known (9, 5), labels)")
    return "the angle counts, not the length"
