"""Checks of the exercises of chapter 09: do changes correspond, and which images are copies; and their references."""

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
