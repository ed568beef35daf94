"""Does a second network know the painting as well by channel sums as by Gram matrices?"""

from typing import Any

import torch
from torch import Tensor

from cnnlab.chapters.ch13_measures import STYLE_LAYERS, grams_of, style_of
from cnnlab.descent import descend, score
from cnnlab.material.paintings import PAINTINGS, painting
from cnnlab.material.photos import photo
from cnnlab.objectives import code, total_variation
from cnnlab.parametrizations import spectrum
from cnnlab.steps import lbfgs
from cnnlab.zoo.load import load_net

SEEDS = (0, 1, 2, 3, 4)
FULL = {
    "photographs": ("china", "cat", "coffee", "rocket", "flower"),  # one per seed
    "paintings": PAINTINGS,
    "size": (96, 128),
    "steps": 40,
}
TINY = FULL | {"paintings": PAINTINGS[:2], "size": (32, 40), "steps": 1}


def measure(
    seed: int, photographs: tuple[str, ...], paintings: tuple[str, ...], size: tuple[int, int], steps: int
) -> dict[str, Any]:
    """For each way: which paintings the second network knows, and how much of the Gram distance is gone."""
    net, second = load_net("squeezenet", device="cpu"), load_net("efficientnet_lite0", device="cpu")
    content, canvases = photo(photographs[seed], size), [painting(name, 192) for name in paintings]
    describe, start = grams_of(second, ("block2_2", "block3_2")), content.expand(len(paintings), -1, -1, -1)
    gallery = torch.cat([describe(painting(name, 192)) for name in PAINTINGS])
    own = torch.tensor([PAINTINGS.index(name) for name in paintings])
    keep = 0.3 * code("fire3", net.activations(content, ["fire3"])["fire3"]) + 0.03 * total_variation()
    distance = style_of(net, canvases, STYLE_LAYERS, "Gram")
    pictures = {"colors alone": torch.cat([tinted(content, canvas) for canvas in canvases])}
    for way, weight in (("Gram", 1), ("sums", 3)):
        objective = keep + weight * style_of(net, canvases, STYLE_LAYERS, way)
        run = descend(net, objective, start, steps=steps, step=lbfgs(), parametrization=spectrum())
        pictures[way] = run.finish()
    before = score(net, distance, start)
    return {
        way: {
            "known": ((describe(images) @ gallery.T).argmax(1) == own).tolist(),
            "removed": [round(number, 3) for number in (1 - score(net, distance, images) / before).tolist()],
        }
        for way, images in pictures.items()
    }


def tinted(content: Tensor, painting: Tensor) -> Tensor:
    """A photograph with the mean and the contrast of a painting's red, green and blue; sizes may differ."""
    mean, contrast = (measure(content, (2, 3), keepdim=True) for measure in (torch.mean, torch.std))
    changed = (content - mean) / contrast * painting.std((2, 3), keepdim=True) + painting.mean((2, 3), keepdim=True)
    return changed.clamp(0, 1)
