"""Do a channel's projections point at what its nine patches share? Chapter 05.

Zeiler & Fergus 2014, section 4: projections "solely focus on the discriminant structure within each patch". What the
patches share is judged by EfficientNet, which neither made the projections nor chose the patches.
"""

from collections.abc import Sequence
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.chapters.ch05_grouping import SIDE, likeness, random_order
from cnnlab.descent import gradient
from cnnlab.images import resize
from cnnlab.material.evidence import recorded
from cnnlab.nets import Net
from cnnlab.objectives import neuron
from cnnlab.plots.sheets import on_gray
from cnnlab.techniques.patches import Patch, Scan, strongest_patches

FEATURES = "block5_3"  # of EfficientNet: 8 x 8 positions in a patch of 128 pixels
SHARE = 0.25  # of the positions of a patch count as shared


def shared_maps(judge: Net, nine: Sequence[Patch], others: Sequence[Patch]) -> Tensor:
    """Tell how much each position of a patch is repeated in the other eight, compared with `others`: (9, h, w).

    For each position, find the most similar position (cosine of the features, minus their mean) in each patch from
    another photograph, and take the mean. The same mean over `others`, patches in random order, is subtracted, because
    walls and skies have their like everywhere.
    """
    maps = judge.activations(torch.cat([resize(p.image, SIDE) for p in [*nine, *others]]), [FEATURES])[FEATURES]
    features = F.normalize(maps - maps.mean((0, 2, 3), keepdim=True), dim=1).flatten(2)  # (patches, channels, h * w)
    result = []
    for number, patch in enumerate(nine):
        best = torch.einsum("cp,ncq->npq", features[number], features).amax(2)  # (patches, h * w)
        elsewhere = torch.tensor([other.crop.source != patch.crop.source for other in [*nine, *others]])
        own, usual = (best[part][elsewhere[part]] for part in (slice(len(nine)), slice(len(nine), None)))
        result.append(own.mean(0) - usual.mean(0))
    return torch.stack(result).unflatten(1, maps.shape[2:]).cpu()


def most_shared(maps: Tensor) -> Tensor:
    """Mark the quarter of the positions that is repeated most: (B, h, w) -> bool (B, h, w)."""
    flat = maps.flatten(1)
    return (flat >= flat.topk(round(SHARE * flat.shape[1])).values[:, -1:]).view_as(maps)


def energy_inside(backs: Sequence[Tensor], marked: Tensor) -> Tensor:
    """Compute which share of each projection's energy lies in the marked positions: (1, C, H, W) each -> (B,)."""
    height, width = marked.shape[1:]
    energy = torch.cat([F.adaptive_avg_pool2d(p.square().sum(1), (height, width)) for p in backs])
    return (energy * marked).flatten(1).sum(1) / energy.flatten(1).sum(1)


def other_channels(net: Net, layer: str, channel: int, patches: Sequence[Patch], generator: Generator) -> list[int]:
    """Draw for each patch another channel that responds at the same position."""
    maps = net.activations(torch.cat([patch.crop.image for patch in patches]), [layer])[
        layer
    ].cpu()  # (B, channels, h, w)
    chosen = []
    for patch, activations in zip(patches, maps, strict=True):
        active = activations[:, patch.y, patch.x] > 0
        active[channel] = False
        chosen.append(int(torch.multinomial(active.float(), 1, generator=generator)))
    return chosen


def projections(view: Net, layer: str, channels: int | Sequence[int], patches: Sequence[Patch]) -> list[Tensor]:
    """The projections of one channel, or of one channel per patch, cut to the patches: (1, C, size, size) each."""
    neurons = neuron(layer, channels, [patch.y for patch in patches], [patch.x for patch in patches])
    _, grad = gradient(view, neurons, torch.cat([patch.crop.image for patch in patches]))
    return [patch.cut(one[None]).cpu() for patch, one in zip(patches, grad, strict=True)]


def left_when_covered(net: Net, layer: str, channel: int, patches: Sequence[Patch], marked: Tensor) -> float:
    """Compute the mean share of the activation that is left when the marked positions turn gray."""
    images = torch.cat([patch.crop.image for patch in patches]).clone()
    for image, patch, positions in zip(images, patches, marked, strict=True):
        covered = F.interpolate(positions[None, None].float(), patch.size)[0].bool()
        patch.cut(image).masked_fill_(covered, 0.5)
    left = gradient(net, neuron(layer, channel, [p.y for p in patches], [p.x for p in patches]), images)[0].cpu()
    return (left / torch.tensor([patch.value for patch in patches])).mean().item()


def compare(judge: Net, view: Net, scanned: Scan, layer: str, channel: int, generator: Generator) -> dict[str, float]:
    """Measure one channel with nine patches, and the controls.

    Returns:
        "own", "other": the share of the energy on the shared quarter, in the channel's projections and in those of
        other channels at the same neurons. "left shared", "left other": what is left of the activation if the shared
        quarter of the patch, or that of the next patch, is covered. "patches", "own pictures", "other pictures": how
        alike the judge finds the nine patches, their projections, and those of the other channels.
    """
    nine = strongest_patches(scanned, layer, channel)
    marked = most_shared(shared_maps(judge, nine, strongest_patches(random_order(scanned), layer, channel)))
    others = other_channels(scanned.net, layer, channel, nine, generator)
    backs = {"own": projections(view, layer, channel, nine), "other": projections(view, layer, others, nine)}
    result = {name: energy_inside(images, marked).mean().item() for name, images in backs.items()}
    result["left shared"] = left_when_covered(scanned.net, layer, channel, nine, marked)
    result["left other"] = left_when_covered(scanned.net, layer, channel, nine, marked.roll(1, 0))
    result["patches"] = likeness(judge, nine)
    for name, images in backs.items():
        pictures = torch.cat([resize(on_gray(image), SIDE) for image in images])
        result[f"{name} pictures"] = likeness(judge, nine, pictures)
    return {name: round(value, 3) for name, value in result.items()}


def random_channels(scanned: Scan, layer: str, count: int, seed: int) -> list[int]:
    """Draw channels of a layer that have nine patches."""
    order = torch.randperm(scanned.values[layer].shape[1], generator=Generator().manual_seed(seed)).tolist()
    return list(islice((number for number in order if len(strongest_patches(scanned, layer, number)) == 9), count))


def measured() -> dict[str, list[dict[str, float]]]:
    """What `make evidence` found: layer -> the numbers of `compare` for each channel."""
    found: dict[str, list[dict[str, float]]] = {}
    for result in recorded("ch05_shared"):
        for layer, channels in result["channels"].items():
            found.setdefault(layer, []).extend(channels.values())
    return found


def wins(rows: Sequence[dict[str, float]], better: str, *worse: str) -> int:
    """Count the channels whose number `better` is above each of the numbers `worse`."""
    return sum(row[better] > max(row[name] for name in worse) for row in rows)
