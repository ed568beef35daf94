"""Occlusion: the probability of the photograph's class, with a patch of 32 pixels moved in steps of 8."""

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec

import torch
from torch import Tensor

from benchmarks.measure import Task, Work, difference
from cnnlab.material.photos import photo
from cnnlab.nets import Net
from cnnlab.objectives import cross_entropy
from cnnlab.techniques.occlusion import BATCH, cover, occlusion_map, positions

PATCH, STRIDE = 32, 8


def tasks(net: Net, size: int) -> Iterator[Task]:
    """The floor is the plain way: every covered image runs through the whole net. The bar is 0.40 of that."""
    image = photo("cat", size).to(net.device)
    label = net.index("Egyptian cat")
    probability = float(net.probabilities(image)[0, label])

    def ours() -> Tensor:
        surprise = occlusion_map(net, image, cross_entropy(label), patch=PATCH, stride=STRIDE, progress=False)
        return torch.exp(-surprise)

    def plain() -> Tensor:
        tops, lefts = positions(image, PATCH, STRIDE)
        corners = [(top, left) for top in tops for left in lefts]
        found = []
        with torch.inference_mode():
            for start in range(0, len(corners), BATCH):
                covered = [cover(image, top, left, PATCH) for top, left in corners[start : start + BATCH]]
                found.append(net.probabilities(torch.cat(covered))[:, label])
        return torch.cat(found).view(len(tops), len(lefts)).cpu()

    def captums() -> Tensor:
        from captum.attr import Occlusion

        with torch.inference_mode():
            return Occlusion(net.probabilities).attribute(
                image, (3, PATCH, PATCH), (3, STRIDE, STRIDE), baselines=0.5, target=label, perturbations_per_eval=BATCH
            )

    peers: dict[str, Work] = {}
    differences: dict[str, Callable[[], float]] = {"plain": partial(difference, ours, plain)}
    if find_spec("captum"):
        peers["captum"] = captums
        differences["captum"] = lambda: difference(lambda: spread(probability - ours(), size), lambda: captums()[0, 0])
    yield Task("occlusion 32 / 8", ours, plain, 0.40, peers, differences)


def spread(drops: Tensor, size: int) -> Tensor:
    """Turn drops (rows, columns) into captum's map: each pixel has the mean over the patches that covered it."""
    total, count = torch.zeros(2, size, size)
    for row, column in torch.cartesian_prod(*(torch.arange(n) for n in drops.shape)).tolist():
        square = (slice(row * STRIDE, row * STRIDE + PATCH), slice(column * STRIDE, column * STRIDE + PATCH))
        total[square] += drops[row, column]
        count[square] += 1
    return total / count
