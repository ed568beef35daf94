"""Does a long zoom go on inventing detail, for channels drawn at random?"""

from typing import Any

import torch
from torch import Generator, Tensor

from cnnlab.chapters.ch04_growing import awake_channel
from cnnlab.chapters.ch04_statistics import fine_contrast
from cnnlab.descent import descend, score
from cnnlab.images import center_crop, noise, resize
from cnnlab.objectives import channel
from cnnlab.parametrizations import spectrum
from cnnlab.runs import Run
from cnnlab.steps import adam
from cnnlab.techniques.stages import grow, stage_images, zoom
from cnnlab.transforms import jitter
from cnnlab.zoo.load import load_net

SEEDS = (0, 1, 2, 3, 4)
FULL = {"layer": "fire7", "frames": 40, "steps": 12}
TINY = {"layer": "fire2", "frames": 2, "steps": 1}
SCALE = 1.05


def measure(seed: int, layer: str, frames: int, steps: int) -> dict[str, Any]:
    """Zoom into a channel's image: the contrast of waves that enlarging cannot give, and the channel's activation."""
    net, generator = load_net("squeezenet"), Generator().manual_seed(seed)
    start = noise((1, 3, 96, 96), generator, std=0.05, decay=1)
    number = awake_channel(net, layer, start, generator)

    def climb(image: Tensor, stage: int) -> Run:
        paler = 0.5 + 0.95 * (image - 0.5)
        return descend(
            net, -channel(layer, number), paler,
            steps=steps, step=adam(0.08), transform=jitter(8), parametrization=spectrum(),
        )  # fmt: skip

    first = grow(climb, start, octaves=5, scale=1.1).finish(progress=False)  # (1, 3, 141, 141)
    first, *_, last = stage_images(zoom(climb, first, frames, SCALE))
    larger_by, side = SCALE ** (frames - 1), first.shape[-1]
    enlarged = resize(center_crop(first, round(side / larger_by)), side)
    images = torch.cat([first, last, enlarged])
    contrast = [fine_contrast(image[None], 0.5 / larger_by) for image in images]
    activation = score(net, channel(layer, number), images).tolist()
    names = ("first", "last", "enlarged")
    return {
        "channel": f"{layer} {number}",
        "contrast": dict(zip(names, (float(f"{value:.4g}") for value in contrast), strict=True)),
        "activation": dict(zip(names, (float(f"{value:.4g}") for value in activation), strict=True)),
    }
