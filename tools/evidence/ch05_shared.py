"""Do the projections of a channel lie on what its nine patches share, more than those of other channels?"""

from functools import cache
from typing import Any

from torch import Generator

from cnnlab.chapters.ch05_shared import compare, random_channels
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.techniques.patches import Scan, cut_crops, scan
from cnnlab.techniques.relu_rules import deconvnet
from cnnlab.zoo.load import load_net

SEEDS = (0, 1, 2, 3, 4)
FULL = {"photos": len(PHOTOS), "layers": ("fire7", "fire9"), "channels": 6}
TINY = {"photos": 3, "layers": ("fire3",), "channels": 1}


@cache
def scanned(photos: int, layers: tuple[str, ...]) -> Scan:
    """The crops of the first photographs, as chapter 05 cuts them."""
    crops = cut_crops({name: photo(name) for name in PHOTOS[:photos]})
    return scan(load_net("squeezenet", device="cpu"), crops, layers, progress=False)


def measure(seed: int, photos: int, layers: tuple[str, ...], channels: int) -> dict[str, Any]:
    """The numbers of `compare` for random channels of each layer."""
    found, judge = scanned(photos, tuple(layers)), load_net("efficientnet_lite0", device="cpu")
    view, generator = deconvnet(found.net), Generator().manual_seed(seed)
    return {
        "channels": {
            layer: {
                str(number): compare(judge, view, found, layer, number, generator)
                for number in random_channels(found, layer, channels, seed)
            }
            for layer in layers
        }
    }
