"""Copies of training crops in a test set: their disguise, and a perceptual hash that finds them. Chapter 09."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from cnnlab.files import as_jpeg
from cnnlab.images import center_crop, resize
from cnnlab.material.crops import SEEN, STORED, photo_crops
from cnnlab.training import Examples


def disguise(crops: Tensor, generator: Generator, shift: int = 1) -> Tensor:
    """Move stored crops by up to `shift` pixels, change their light, blur them: (B, 3, 72, 72) -> (B, 3, 64, 64).

    The light is multiplied by 0.8 to 1.2, for each crop anew. The blur comes from 48 x 48 pixels and a bad JPEG.
    """
    middle = (STORED - SEEN) // 2
    tops, lefts = torch.randint(middle - shift, middle + shift + 1, (2, len(crops)), generator=generator).tolist()
    light = 0.8 + 0.4 * torch.rand((len(crops), 1, 1, 1), generator=generator)
    moved = [crop[:, top : top + SEEN, left : left + SEEN] for crop, top, left in zip(crops, tops, lefts, strict=True)]
    blurred = resize(resize((torch.stack(moved) * light).clamp(0, 1), 48), SEEN)
    return as_jpeg(blurred, 50)


class Collection(NamedTuple):
    """What somebody collected as a new test set: 400 new crops, then 100 copies."""

    examples: Examples
    source: Tensor  # of the copies: their numbers among the training crops, (100,)
    is_copy: Tensor  # (500,)


def collect(train: Examples, seed: int) -> Collection:
    """Draw 25 crops of each photograph's held-out part, and disguise 100 of the training crops."""
    generator = Generator().manual_seed(seed)
    new = photo_crops(25, generator, held_out=True)
    source = torch.randperm(len(train.labels), generator=generator)[:100]
    copies = disguise(train.images[source], generator)
    images, labels = torch.cat([center_crop(new.images, SEEN), copies]), torch.cat([new.labels, train.labels[source]])
    return Collection(Examples(images, labels), source, torch.arange(len(labels)) >= len(new.labels))


def difference_hash(images: Tensor) -> Tensor:
    """64 bits of each image: is a coarse pixel darker than its right neighbor? (B, C, H, W) -> bool (B, 64)."""
    coarse = resize(images.mean(dim=1, keepdim=True), (8, 9))
    return (coarse[..., :-1] < coarse[..., 1:]).flatten(1)


def differing_bits(images: Tensor, others: Tensor) -> Tensor:
    """How many bits of each image's hash differ from the nearest hash of the others: (B, ...), (N, ...) -> (B,)."""
    return torch.cdist(difference_hash(images).float(), difference_hash(others).float(), p=0).amin(dim=1)
