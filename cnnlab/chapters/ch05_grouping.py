"""Do the nine patches of a channel belong together? A second net, and patches in random order, say. Chapter 05."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.images import resize
from cnnlab.nets import Net
from cnnlab.techniques.patches import Patch, Scan, strongest_patches

SIDE = 128  # pixels: every patch is brought to this size for the judge


def random_order(scanned: Scan) -> Scan:
    """Put random numbers in the place of the activations, so that the "strongest" patches come in random order."""
    generator = Generator().manual_seed(0)
    return replace(scanned, values={n: torch.rand(v.shape, generator=generator) for n, v in scanned.values.items()})


def likeness(judge: Net, patches: Sequence[Patch], pictures: Tensor | None = None) -> float:
    """Compute the mean cosine of the patches' last features in EfficientNet, over pairs from different photographs.

    `pictures` (B, 3, H, W) stand in the place of the patches, one for each. The result is NaN if there is no such pair.
    """
    images = torch.cat([resize(patch.image, SIDE) for patch in patches]) if pictures is None else pictures
    features = judge.activations(images, ["pool"])["pool"]
    pairs = [
        pair for pair in combinations(range(len(patches)), 2)
        if patches[pair[0]].crop.source != patches[pair[1]].crop.source
    ]  # fmt: skip
    first, second = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T
    return F.cosine_similarity(features[first], features[second]).mean().item()


def grouped(judge: Net, scanned: Scan, layer: str, count: int = 12) -> tuple[int, int]:
    """Count the channels whose nine strongest patches are more alike than nine patches of crops in random order.

    Both are taken where the channel is strongest in a crop, so that only the choice of the crops differs. The channels
    are `count` random ones with nine patches each.

    Returns:
        (channels that are more alike, channels that could be compared).
    """
    control, hits, compared = random_order(scanned), 0, 0
    order = torch.randperm(scanned.values[layer].shape[1], generator=Generator().manual_seed(0)).tolist()
    nines = ((number, strongest_patches(scanned, layer, number)) for number in order)
    for number, nine in [(number, nine) for number, nine in nines if len(nine) == 9][:count]:
        own, other = likeness(judge, nine), likeness(judge, strongest_patches(control, layer, number))
        hits, compared = hits + (own > other), compared + (own == own and other == other)
    return hits, compared
