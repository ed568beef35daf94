"""Has an image that grew from 64 pixels larger structures than large starts at equal cost and in equal steps?"""

from typing import Any

from torch import Generator

from cnnlab.chapters.ch04_growing import awake_channel, five_images, shaken_activations, wavelength
from cnnlab.descent import score
from cnnlab.images import noise
from cnnlab.objectives import channel
from cnnlab.zoo.load import load_net

SEEDS = (0, 1, 2, 3, 4)
FULL = {"layers": ("fire2", "fire4", "fire6", "fire8"), "octaves": 20}
TINY = {"layers": ("fire2",), "octaves": 2}


def measure(seed: int, layers: tuple[str, ...], octaves: int) -> dict[str, Any]:
    """Draw a channel of each layer, make its five images, and measure them: measure -> run -> one number a channel."""
    net, generator = load_net("squeezenet"), Generator().manual_seed(seed)
    measures: dict[str, dict[str, list[float]]] = {"wavelength": {}, "activation": {}, "shaken": {}}
    channels = []
    for layer in layers:
        number = awake_channel(net, layer, noise((1, 3, 64, 64), generator), generator)
        channels.append(f"{layer} {number}")
        images = five_images(net, layer, number, octaves, generator)
        shaken = shaken_activations(net, layer, number, images)
        for name, image in images.items():
            values = wavelength(image).item(), score(net, channel(layer, number), image).item(), shaken[name]
            for measured, value in zip(measures.values(), values, strict=True):
                measured.setdefault(name, []).append(float(f"{value:.4g}"))
    return {"channels": channels, **measures}
