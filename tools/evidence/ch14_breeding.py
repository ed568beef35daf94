"""How many passes through the net does it take to paint a class with certainty: by the gradient, and by breeding?"""

from typing import Any

import torch
from torch import Generator, Tensor

from cnnlab.descent import descend
from cnnlab.images import gray
from cnnlab.objectives import cross_entropy
from cnnlab.parametrizations import cppn, cppn_weights
from cnnlab.steps import adam
from cnnlab.zoo.load import load_net

SEEDS = (0, 1, 2, 3, 4)
FULL = {"generations": 15, "steps": 60, "size": 128, "starts": 64}
TINY = {"generations": 1, "steps": 1, "size": 32, "starts": 3}
CLASSES = ("ostrich", "Egyptian cat", "espresso", "peacock", "king penguin",
           "jellyfish", "starfish", "soccer ball", "zebra", "monarch")  # fmt: skip
CHILDREN, CERTAIN = 12, 0.99  # 15 generations of 12 are 180 passes, and so are 60 gradients


def measure(seed: int, generations: int, steps: int, size: int, starts: int) -> dict[str, Any]:
    """Passes (of one image, forward; a gradient counts as 3) until each class has 99 %, or None; what was bred."""
    net, generator = load_net("squeezenet", device="cpu"), Generator().manual_seed(seed)
    targets, population = [net.index(name) for name in CLASSES], cppn_weights(starts, generator)

    def chances(weights: Tensor) -> Tensor:  # (B, weights) -> (B, 10)
        _, paint = cppn(weights)(gray((len(weights), 3, size, size)))
        with torch.no_grad():
            return torch.cat([net.probabilities(paint(part))[:, targets] for part in weights.split(16)])

    liking = chances(population)
    favorites = liking.argmax(0)
    by_gradient: list[int | None] = [None] * len(CLASSES)
    start = gray((len(CLASSES), 3, size, size))
    run = descend(
        net, cross_entropy(targets), start, steps=steps, step=adam(0.08), parametrization=cppn(population[favorites])
    )
    for step in run:
        with torch.no_grad():
            now = net.probabilities(run.image)[range(len(CLASSES)), targets]
        for k, chance in enumerate(now.tolist()):
            if chance >= CERTAIN and by_gradient[k] is None:
                by_gradient[k] = 3 * step.number
    by_breeding: list[int | None] = [None] * len(CLASSES)
    bred: list[float] = []
    for k, favorite in enumerate(favorites.tolist()):
        parent, best = population[favorite : favorite + 1], liking[favorite, k]
        for number in range(1, generations + 1):
            spread = 0.2 * torch.rand(CHILDREN, 1, generator=generator) ** 2
            children = parent + spread * torch.randn(CHILDREN, parent.shape[1], generator=generator)
            chance = chances(children)[:, k]
            if chance.max() > best:
                parent, best = children[chance.argmax()][None], chance.max()
            if best >= CERTAIN:
                by_breeding[k] = CHILDREN * number
                break
        bred.append(round(float(best), 3))
    return {"gradient": by_gradient, "breeding": by_breeding, "bred": bred}
