"""What do random weights of the channels change, and in which layers: the colors, the outlines, the style?"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.chapters.ch13_measures import SECOND_LAYERS, STYLE_LAYERS, sums_of
from cnnlab.descent import descend
from cnnlab.images import gray
from cnnlab.material.photos import photo
from cnnlab.objectives import code, total_variation
from cnnlab.parametrizations import spectrum
from cnnlab.steps import adam
from cnnlab.techniques.inversion import invert, reweight_channels
from cnnlab.zoo.load import load_net

SEEDS = (0, 1, 2, 3, 4)
FULL = {
    "photographs": ("china", "cat", "coffee", "rocket", "flower"),  # two per seed, each with the same draws
    "layers": STYLE_LAYERS,
    "size": (96, 128),
    "draws": 3,
    "steps": 60,
}
TINY = FULL | {"size": (32, 40), "draws": 1, "steps": 4}


def measure(
    seed: int, photographs: tuple[str, ...], layers: tuple[str, ...], size: tuple[int, int], draws: int, steps: int
) -> dict[str, Any]:
    """For each layer: numbers for all pictures of two photographs, and how many find their own draw.

    "outlines" and "other" are the agreement with the own photograph and with the other one; "colors" and "structure"
    are the changes against the picture of the code as it is. A picture finds its draw if, of the pictures of the other
    photograph, a second network finds the one with the same draw most alike. Adam takes the first quarter of the
    steps: from gray, L-BFGS without a line search does not always converge in relu1.
    """
    net, second = load_net("squeezenet", device="cpu"), load_net("efficientnet_lite0", device="cpu")
    describe, generator = sums_of(second, SECOND_LAYERS), Generator().manual_seed(seed)
    images = [photo(photographs[(seed + k) % len(photographs)], size) for k in (0, 1)]
    found = {}
    for layer in layers:
        codes = [net.activations(image, [layer])[layer] for image in images]
        weights = torch.rand(draws, codes[0].shape[1], generator=generator) ** 8
        targets = torch.cat([each for phi in codes for each in (phi, reweight_channels(phi, weights))])
        objective, start = code(layer, targets) + 0.03 * total_variation(), gray((len(targets), 3, *size))
        run = descend(net, objective, start, steps=steps // 4, step=adam(0.1), parametrization=spectrum())
        grown = invert(net, layer, targets, run.finish(), steps=steps - steps // 4).finish()
        plain, drawn = zip(*((each[:1], each[1:]) for each in grown.chunk(2)), strict=True)
        alike = describe(drawn[0]) @ describe(drawn[1]).T  # (draws, draws)
        own = torch.arange(draws)
        found[layer] = {
            "outlines": _numbers(outlines(x) @ outlines(image).T for x, image in zip(drawn, images, strict=True)),
            "other": _numbers(outlines(x) @ outlines(image).T for x, image in zip(drawn, images[::-1], strict=True)),
            "structure": _numbers(1 - outlines(x) @ outlines(y).T for x, y in zip(drawn, plain, strict=True)),
            "colors": _numbers(color_gap(x, y) for x, y in zip(drawn, plain, strict=True)),
            "colors as it is": _numbers(color_gap(x, image) for x, image in zip(plain, images, strict=True)),
            "own draw": int((alike.argmax(0) == own).sum() + (alike.argmax(1) == own).sum()),
        }
    return found


def _numbers(values: Any) -> list[float]:
    return [round(number, 4) for each in values for number in Tensor.flatten(each).tolist()]


def outlines(images: Tensor) -> Tensor:
    """The strength of edges in fields of 8 × 8 pixels, less its mean, of length 1: (B, 3, H, W) -> (B, fields)."""
    gray = F.pad(images.mean(1, keepdim=True), (0, 1, 0, 1), mode="replicate")
    edges = gray.diff(dim=2)[..., :-1].abs() + gray.diff(dim=3)[..., :-1, :].abs()
    strength = F.avg_pool2d(edges, 8).flatten(1)
    return F.normalize(strength - strength.mean(1, keepdim=True), dim=1)


def color_gap(images: Tensor, others: Tensor) -> Tensor:
    """How far the colors of two images differ, wherever they are: (B, 3, H, W) twice -> (B,).

    Of each pixel only red, green and blue less their mean count, so that light and dark do not matter. They are sorted;
    the distance is the mean difference (the earth mover's distance of the three histograms).
    """
    tints = [(x - x.mean(1, keepdim=True)).flatten(2).sort(dim=2).values for x in (images, others)]
    return (tints[0] - tints[1]).abs().mean((1, 2))
