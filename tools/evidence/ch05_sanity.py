"""Do projections notice that layer after layer has lost what it learned? From the logits down, under three rules."""

from functools import cache
from typing import Any

import torch

from cnnlab.chapters.ch05_sanity import STAGES, cascade
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.nets import Net
from cnnlab.zoo.load import load_net

SEEDS = (0, 1, 2, 3, 4)
FULL = {"photos": len(PHOTOS), "size": 224, "stages": STAGES}
TINY = {"photos": 2, "size": 96, "stages": STAGES[:2]}


@cache
def trained() -> Net:
    """The net that loses its weights."""
    return load_net("squeezenet", device="cpu")


def measure(seed: int, photos: int, size: int, stages: tuple[str, ...]) -> dict[str, Any]:
    """The numbers of `cascade` for the first photographs."""
    return cascade(trained(), torch.cat([photo(name, size) for name in PHOTOS[:photos]]), seed, stages)
