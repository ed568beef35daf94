"""Checks of the exercises of chapter 09, correspondence, copies, overlaps, nearest crops; and their references."""

import torch
import torch.nn.functional as F
from scipy.spatial.distance import pdist
from torch import Tensor

from cnnlab.teaching.checks import Student, random_tensor, refuse, same, verdict


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


@verdict("all signs are compared, zeros too, and each pair counts once")
def check_sign_distance(student: Student) -> None:
    """Check `sign_distance(changes)`: (images, features) -> the mean share of differing signs over all pairs."""
    changes = torch.tensor([[1.0, -2, 0, 3], [4.0, -1, 0, -1]])
    same(student(changes), 0.25, f"{student}([[1, -2, 0, 3], [4, -1, 0, -1]])")
    same(student(changes[:1].repeat(3, 1)), 0.0, f"{student} of three equal changes")
    changes = (4 * random_tensor((5, 60)) - 2).relu() - random_tensor((5, 60), 1).round()
    same(student(changes), sign_distance(changes), f"{student}(changes of shape (5, 60))")


@verdict("copies in another light are found, and strangers are not taken for copies")
def check_near_duplicates(near_duplicates: Student) -> None:
    """Check `near_duplicates(images, others, threshold)`: is an image's thumbnail like one of the others'? (B,)"""
    images, others = random_tensor((6, 3, 32, 48)), random_tensor((9, 3, 32, 48), 1)
    images[1], images[4] = others[7] * 0.6 + 0.2, (others[2] + 0.05 * images[4]).clamp(0, 1)
    for threshold in (0.9, 0.999):
        expected = (thumbnails(images) @ thumbnails(others).T).amax(dim=1) >= threshold
        same(near_duplicates(images, others, threshold), expected, f"{near_duplicates}(images, others, {threshold})")
    stripes = torch.zeros(2, 1, 16, 16)
    stripes[0, :, :8] = stripes[1, :, :6] = stripes[1, :, 8:10] = 1  # 64 of 256 pixels differ: the product is 1 / 2
    just = near_duplicates(stripes[:1], stripes[1:], 0.5)
    refuse(just, torch.tensor([False]), "a product that equals the threshold reaches it, too")
    same(just, torch.tensor([True]), f"{near_duplicates} with a product of 0.5 and the threshold 0.5")


@verdict("crops that only touch share no pixel; crops inside each other do")
def check_overlapping(overlapping: Student) -> None:
    """Check `overlapping(crops, others)`: (B, 3), (N, 3) of (top, left, side) -> bool (B,), which share a pixel."""
    others = torch.tensor([[2, 9, 4], [6, 1, 9], [0, 18, 1], [30, 40, 3]])
    crops = torch.randint(1, 20, (40, 3), generator=torch.Generator().manual_seed(0))
    crops = torch.cat([crops, torch.tensor([[2, 13, 4], [3, 10, 1]])])  # one only touches [2, 9, 4], one lies inside
    covered = torch.zeros(60, 60, dtype=torch.bool)
    for top, left, side in others.tolist():
        covered[top : top + side, left : left + side] = True
    expected = torch.stack([covered[y : y + side, x : x + side].any() for y, x, side in crops.tolist()])
    for number, crop in enumerate(crops.split(1)):  # each crop alone, so that the message can name it
        what = f"{overlapping}({crop.tolist()}, {others.tolist()})"
        same(overlapping(crop, others), expected[number : number + 1], what)
    same(overlapping(crops, others), expected, f"{overlapping}(crops of shape (42, 3), {others.tolist()})")


@verdict("the angle counts, not the length")
def check_nearest_accuracy(nearest_accuracy: Student) -> None:
    """Check `nearest_accuracy(features, answers, known, labels)`: how often the label of the largest cosine fits."""
    features, known = random_tensor((40, 5)) - 0.5, random_tensor((9, 5), seed=1) - 0.5
    known = known * torch.arange(1.0, 10)[:, None]  # of different lengths: a product alone is no cosine
    labels = torch.tensor([3, 1, 4, 1, 5, 9, 2, 6, 5])
    products, cosines = features @ known.T, torch.cosine_similarity(features[:, None], known, dim=2)
    answers = labels[cosines.argmax(dim=1)]
    answers[::3] = 7  # no crop has this label: two thirds are right
    right = float((labels[cosines.argmax(dim=1)] == answers).float().mean())
    result = nearest_accuracy(features, answers, known, labels)
    by_product = float((labels[products.argmax(dim=1)] == answers).float().mean())
    refuse(result, by_product, "the product prefers long features: divide each by its length")
    refuse(result, 40 * right, "that is how many are right: divide by the number of crops")
    same(result, right, f"{nearest_accuracy}(features (40, 5), answers (40,), known (9, 5), labels (9,))")
