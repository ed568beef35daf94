"""The dreams of chapter 11: clouds of noise, a dream in natural colors, and how sure networks are of animals in it."""

import torch
from torch import Generator, Tensor

from cnnlab.descent import descend
from cnnlab.images import noise
from cnnlab.material.evidence import recorded
from cnnlab.nets import Net
from cnnlab.objectives import Objective
from cnnlab.parametrizations import spectrum
from cnnlab.runs import Run
from cnnlab.steps import adam
from cnnlab.teaching.claims import counted
from cnnlab.techniques.stages import carry
from cnnlab.transforms import jitter


def clouds(height: int, width: int, seed: int) -> Tensor:
    """A sky that no camera saw, (1, 3, height, width): noise with long waves, white where it is large, else blue."""
    waves = noise((1, 1, height, width), Generator().manual_seed(seed), std=1 / 6, decay=1.4)
    white = ((waves - 0.48) * 3.2).clamp(0, 1)
    top, bottom = torch.tensor([[0.25, 0.47, 0.80], [0.55, 0.69, 0.88]])[:, :, None, None]  # (3, 1, 1) each
    blue = top + (bottom - top) * torch.linspace(0, 1, height)[:, None]  # (3, height, 1)
    return blue * (1 - white) + 0.96 * white


def deep(
    net: Net, objective: Objective, image: Tensor, *,
    steps: int = 20, rate: float = 0.06, octaves: int = 5, seed: int = 0,
) -> Run:  # fmt: skip
    """Dream as `dream` does, but in the spectrum of decorrelated colors, with Adam's steps: softer and more natural.

    The seed decides the cyclic shifts (`jitter`).
    """
    drift = jitter(max(image.shape[-2:]), Generator().manual_seed(seed))

    def in_spectrum(small: Tensor, _: int) -> Run:
        return descend(net, objective, small, steps=steps, step=adam(rate), transform=drift, parametrization=spectrum())

    return carry(in_spectrum, image, octaves, scale=1.35)


def animals(net: Net, images: Tensor) -> Tensor:
    """The probability of animals of any kind, the first 398 of ImageNet's classes: (B, 3, H, W) -> (B,)."""
    return net.probabilities(images)[:, :398].sum(1)


def recorded_animals(recipe: str, layer: str, who: str) -> Tensor:
    """What tools/evidence/ch11_clouds.py found: the probability of animals in each of its 40 skies, (40,)."""
    return torch.tensor([share for table in recorded("ch11_clouds") for share in table[recipe][layer][who]])


def above_half(recipe: str, layer: str, who: str) -> tuple[int, str]:
    """In how many of the 40 skies animals have more than half of the probability, and the same with its interval."""
    shares = recorded_animals(recipe, layer, who)
    hits = int((shares > 0.5).sum())
    return hits, counted(hits, len(shares))
