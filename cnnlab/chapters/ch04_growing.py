"""How chapter 04 compares a small start that grows with large starts, for random channels."""

from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from cnnlab.descent import descend, score
from cnnlab.images import noise, resize
from cnnlab.nets import Net
from cnnlab.objectives import channel
from cnnlab.runs import Run
from cnnlab.steps import normalized
from cnnlab.techniques.stages import grow
from cnnlab.transforms import compose, jitter, wobble

STEPS = 4  # of an octave


def wavelength(images: Tensor) -> Tensor:
    """Compute the mean size of the structures of each image in pixels per wave: (B, C, H, W) -> (B,).

    It is 1 over the mean frequency of the waves of brightness, each weighted with its energy.
    """
    gray_images = images.mean(dim=1)
    power = torch.fft.fft2(gray_images - gray_images.mean(dim=(1, 2), keepdim=True)).abs().square()
    height, width = images.shape[2:]
    frequency = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width))
    return power.sum(dim=(1, 2)) / (power * frequency).sum(dim=(1, 2))


def shaken_activations(net: Net, layer: str, number: int, images: Mapping[str, Tensor]) -> dict[str, float]:
    """Give the channel's mean activation when each image is moved, turned and scaled, on average of four shakes."""
    generator = Generator().manual_seed(9)
    shake = compose(wobble(10, 1.1, generator), jitter(8, generator))
    return {
        name: score(net, channel(layer, number), torch.cat([shake(image) for _ in range(4)])).mean().item()
        for name, image in images.items()
    }


def awake_channel(net: Net, layer: str, start: Tensor, generator: Generator) -> int:
    """Draw one of the channels that answer to the start."""
    answers = net.activations(start, [layer])[layer].mean(dim=(0, 2, 3))
    awake = answers.nonzero().flatten()
    return int(awake[torch.randint(len(awake), (1,), generator=generator)])


def five_images(net: Net, layer: str, number: int, octaves: int, generator: Generator) -> dict[str, Tensor]:
    """Make an image for the channel by growing, and from two large starts, at equal cost and in equal steps.

    One large start is noise of its own, the other one is the small noise of the growing run, enlarged. The cost of a
    run is its number of steps times pixels. A step depends only on the image, so the run at equal steps passes the
    image at equal cost.
    """

    def climb(image: Tensor, steps: int) -> Run:
        return descend(net, -channel(layer, number), image, steps=steps, step=normalized(0.02))

    small = noise((1, 3, 64, 64), generator)
    images = {"grown": grow(lambda image, _: climb(image, STEPS), small, octaves).finish(progress=False)}
    side = images["grown"].shape[-1]
    equal_cost = round(STEPS * sum(round(64 * 1.1**octave) ** 2 for octave in range(octaves)) / side**2)
    for name, start in {"large": noise((1, 3, side, side), generator), "enlarged": resize(small, side)}.items():
        images[f"{name}, equal cost"] = at_cost = climb(start, equal_cost).finish(progress=False)
        rest = STEPS * octaves - equal_cost
        images[f"{name}, equal steps"] = climb(at_cost, rest).finish(progress=False)
    return images
