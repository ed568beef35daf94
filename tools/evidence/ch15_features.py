"""Does a net that learns from nothing but wrongly labeled, perturbed digits read clean ones?

Each training digit gets one of the nine wrong labels at random, and is perturbed until a first net reads that label. A
second net, with other first weights, sees only these. Ilyas et al. 2019, section 3.2. Chapter 15.
"""

from typing import Any

import torch
from torch import Generator, Tensor

from cnnlab.chapters.ch15_attacks import pgd_l2
from cnnlab.material.digits import mnist
from cnnlab.objectives import cross_entropy
from cnnlab.training import Examples, accuracy
from tools.evidence.ch15_hardened import small_cnn

SEEDS = (0, 1, 2, 3, 4)
FULL = {"epochs": 8, "radius": 2.0, "steps": 20}
TINY = {"epochs": 1, "radius": 2.0, "steps": 1}


def measure(seed: int, epochs: int, radius: float, steps: int) -> dict[str, Any]:
    """Train a net, make the wrongly labeled digits with it, and train others on them and on the controls."""
    train, held_out = mnist()
    generator = Generator().manual_seed(seed)
    first = small_cnn(train, generator, epochs)
    wrong = (train.labels + torch.randint(1, 10, train.labels.shape, generator=generator)) % 10
    pairs = zip(train.images.split(500), wrong.split(500), strict=True)
    made = torch.cat([pgd_l2(first, cross_entropy(k), x, radius, steps).finish(progress=False) for x, k in pairs])
    signs = torch.randn(made.shape, generator=generator)
    length = (made - train.images).flatten(1).norm(dim=1) / signs.flatten(1).norm(dim=1)
    noisy = (train.images + signs * length.view(-1, 1, 1, 1)).clamp(0, 1)
    order = torch.randperm(len(made), generator=generator)  # perturbations as they are, but of other digits
    moved = (train.images + (made - train.images)[order]).clamp(0, 1)
    result = {
        "first": accuracy(first.model, held_out),
        "first says the wrong label": accuracy(first.model, Examples(made, wrong)),
    }
    for name, images in {"perturbed": made, "random noise": noisy, "perturbations of others": moved}.items():
        result[name] = read_after(images, wrong, held_out, generator, epochs)
    return result


def read_after(images: Tensor, labels: Tensor, exam: Examples, generator: Generator, epochs: int) -> float:
    """Train a fresh net on these images and labels: its share of the clean exam."""
    return accuracy(small_cnn(Examples(images, labels), generator, epochs).model, exam)
