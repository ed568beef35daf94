"""What do two networks see in skies of noise that one of them has dreamed into, layer by layer?"""

from typing import Any

import torch
from torch import Generator

from cnnlab import energy, jitter, load_net, normalized
from cnnlab.chapters.ch11_dreams import animals, clouds, deep
from cnnlab.techniques.dreaming import dream, soften
from cnnlab.transforms import compose

SEEDS = (0, 1, 2, 3, 4)
FULL = {"skies": 8, "side": 224, "steps": 20, "octaves": 5}
TINY = {"skies": 1, "side": 64, "steps": 1, "octaves": 2}
LAYERS = ("fire5", "fire6", "fire7", "fire8", "fire9")


def measure(seed: int, skies: int, side: int, steps: int, octaves: int) -> dict[str, Any]:
    """The probability of animals in each sky, bare and after dreams of each layer in pixels and in the spectrum.

    SqueezeNet dreams; it and EfficientNet-Lite0 are asked. The numbers of the skies differ from seed to seed.
    """
    dreamer, second = load_net("squeezenet", device="cpu"), load_net("efficientnet_lite0", device="cpu")
    bare = torch.cat([clouds(side, side, 100 * seed + number) for number in range(skies)])
    pictures = {"bare": {"": bare}, "pixels": {}, "spectrum": {}}
    for layer in LAYERS:
        objective = -energy(layer)
        shifts = compose(jitter(side, Generator().manual_seed(seed)), soften)
        pixelwise = dream(
            dreamer, objective, bare, octaves=octaves, scale=1.35, steps=steps, step=normalized(0.008), transform=shifts
        )
        spectral = deep(dreamer, objective, bare, steps=steps, octaves=octaves, seed=seed)
        pictures["pixels"][layer] = pixelwise.finish(progress=False)
        pictures["spectrum"][layer] = spectral.finish(progress=False)
    return {
        recipe: {
            layer: {
                who: [round(share, 3) for share in animals(net, images).tolist()]
                for who, net in {"dreamer": dreamer, "second": second}.items()
            }
            for layer, images in of_layers.items()
        }
        for recipe, of_layers in pictures.items()
    }
