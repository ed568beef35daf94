"""Do the features of a net correspond for the same part of faces that lie at random offsets, or for the position?"""

from typing import Any

from torch import Generator

from cnnlab.chapters.ch09_parts import faces, shifted_distances
from cnnlab.zoo.load import load_net, untrained

SEEDS = (0, 1, 2, 3, 4)
FULL = {"number": 100}
TINY = {"number": 5}


def measure(seed: int, number: int) -> dict[str, Any]:
    """Measure the distances among what changes, of SqueezeNet and of one whose weights are random: net -> ..."""
    net = load_net("squeezenet", device="cpu")
    nets = {"trained": net, "untrained": untrained(net, Generator().manual_seed(seed))}
    images = faces()[:number]
    return {name: shifted_distances(net, images, Generator().manual_seed(seed)) for name, net in nets.items()}
