"""Which filters chapter 13 and its evidence look at, and how they describe textures and styles."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.nets import Net
from cnnlab.objectives import Objective, channel_sums
from cnnlab.techniques.gram_style import gram, style

STYLE_LAYERS = ("relu1", "fire2", "fire3", "fire5", "fire7")  # of SqueezeNet
SECOND_LAYERS = ("stem", "block2_2", "block3_2", "block5_3")  # of EfficientNet-Lite0
Describe = Callable[[Tensor], Tensor]


def livelier(net: Net, layer: str, sets: Sequence[Tensor]) -> list[int]:
    """The half of a layer's channels that fire most in each of several sets of images, in order of their numbers."""
    means = torch.stack([net.activations(images, [layer])[layer].mean((0, 2, 3)) for images in sets])
    return means.amin(0).topk(means.shape[1] // 2).indices.sort().values.tolist()


def sums_of(net: Net, layers: Sequence[str]) -> Describe:
    """A description of images, (B, 3, H, W) -> (B, all channels): channel means, those of each layer of length 1."""
    return lambda images: _joined([each.mean((2, 3)) for each in net.activations(images, layers).values()])


def grams_of(net: Net, layers: Sequence[str]) -> Describe:
    """A description of images, (B, 3, H, W) -> (B, all pairs): Gram matrices, that of each layer of length 1."""
    return lambda images: _joined([gram(each).flatten(1) for each in net.activations(images, layers).values()])


def _joined(parts: list[Tensor]) -> Tensor:
    return torch.cat([F.normalize(part, dim=1) for part in parts], dim=1)


def style_of(net: Net, paintings: Sequence[Tensor], layers: Sequence[str], way: str) -> Objective:
    """The distance from one painting's style per image, summed over layers; `way`: "Gram", or channel "sums"."""
    found = [net.activations(each, layers) for each in paintings]
    term, describe = (style, gram) if way == "Gram" else (channel_sums, lambda activations: activations.mean((2, 3)))
    terms = [term(layer, torch.cat([describe(each[layer]) for each in found])) for layer in layers]
    return sum(terms[1:], terms[0])
