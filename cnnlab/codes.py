"""Codes: images rebuilt from a layer's activations, as they are or after their maps have been weighted anew.

"Understanding deep image representations by inverting them" (Mahendran & Vedaldi 2015), and "Every filter extracts a
specific texture in convolutional neural networks" (Xia et al. 2016), here FMI.
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from cnnlab.descent import Run, descend
from cnnlab.images import noise
from cnnlab.nets import Net
from cnnlab.objectives import code, pixel_norm, total_variation
from cnnlab.parametrizations import spectrum
from cnnlab.steps import adam, jitter, lbfgs


def keep_channel(activations: Tensor, channel: int | Sequence[int]) -> Tensor:
    """psi(phi, l): map l becomes the sum over all channels at each position, every other map 0 (FMI, section 2.1).

    psi_l(y, x) = sum_k a_k(y, x), so that each position keeps its sum.

    Args:
        activations: (B, channels, h, w).
        channel: l; or one per image of the batch, or of a batch of one several: one code each.

    Raises:
        ValueError: for a channel that the activations do not have, or a number of them that does not fit the batch.
    """
    count = activations.shape[1]
    channels = [channel] * len(activations) if isinstance(channel, int) else list(channel)
    if len(activations) not in (1, len(channels)):
        raise ValueError(f"channel must be one number, or one per image: {len(channels)} for {len(activations)} images")
    if wrong := [number for number in channels if not 0 <= number < count]:
        raise ValueError(f"channel must be 0 to {count - 1}, not {wrong[0]}")
    kept = activations.new_zeros(len(channels), *activations.shape[1:])
    kept[torch.arange(len(channels)), channels] = activations.sum(dim=1)  # (B, h, w)
    return kept


def reweight_channels(activations: Tensor, weights: Tensor) -> Tensor:
    """Hand the sum of a code out anew: a_k * v_k * (sum of all maps) / (sum of map k) (FMI, section 2.2).

    Which neurons are active stays. v are the weights, scaled to sum 1 over the maps that are active at all, so that the
    sum of the code stays, too.

    Args:
        activations: (B, channels, h, w), at least 0, as behind a ReLU.
        weights: one per channel, at least 0: (channels,), or (B, channels); of a batch of one several: one code each.

    Raises:
        ValueError: for negative activations or weights, or weights of another number of channels.
    """
    weights = weights.to(activations).expand(max(len(activations), len(weights) if weights.ndim == 2 else 1), -1)
    if weights.shape[1] != activations.shape[1]:
        raise ValueError(f"weights must be one per channel, {activations.shape[1]}, not {weights.shape[1]}")
    if (activations < 0).any() or (weights < 0).any():
        raise ValueError("activations and weights must be at least 0: take a layer behind its ReLU")
    sums = activations.sum((2, 3))  # (B, channels)
    shares = weights * (sums > 0)
    shares = shares / shares.sum(1, keepdim=True).clamp(min=1e-12)
    factors = shares * sums.sum(1, keepdim=True) / sums.clamp(min=1e-12)
    return activations * factors[:, :, None, None]


def random_weights(channels: int, generator: Generator, spread: float = 8) -> Tensor:
    """Random weights for `reweight_channels`: u^spread for u uniform in [0, 1], (channels,).

    FMI leaves the distribution open. With spread = 1 two draws look alike: both merely make the maps more equal.
    """
    return torch.rand(channels, generator=generator) ** spread


def energy_shares(activations: Tensor) -> Tensor:
    """How much of a code's energy each map has: sum_yx a_k^2 / sum_kyx a_k^2, (B, channels, h, w) -> (B, channels)."""
    energies = activations.square().sum((2, 3))
    return energies / energies.sum(1, keepdim=True).clamp(min=1e-12)


def lively_starts(net: Net, layer: str, channels: Sequence[int], shape: Sequence[int], generator: Generator) -> Tensor:
    """A start for each channel: of 32 faint noises the one that its map answers to most, (len(channels), C, H, W).

    A map whose ReLU is off everywhere has no gradient: in a deep layer nothing would move from plain grey.

    Args:
        shape: of one image, (1, C, H, W).
    """
    pool = noise((32, *shape[1:]), generator, std=0.05, decay=1)
    answers = net.activations(pool, [layer])[layer].mean((2, 3))  # (32, all channels)
    return pool[answers[:, list(channels)].argmax(dim=0).cpu()]


def textures(
    net: Net, image: Tensor, layer: str, channels: Sequence[int], *, steps: int = 80, start: Tensor | None = None
) -> Run:
    """Feature-map inversion: an image whose code is as near as can be to keep_channel(code of `image`, channel).

    Args:
        image: one photograph (1, C, H, W).
        channels: any number of them; they are inverted side by side, an image of the result each.
        start: (len(channels), C, H, W); None takes `lively_starts`.
    """
    with torch.no_grad():
        target = keep_channel(net.activations(image, [layer])[layer], channels)
    if start is None:
        start = lively_starts(net, layer, channels, image.shape, Generator().manual_seed(0))
    return descend(
        net, code(layer, target), start, steps=steps, step=adam(0.08), transform=jitter(4), parametrization=spectrum()
    )


def invert(
    net: Net, layer: str, target: Tensor, start: Tensor, *, steps: int = 100, smooth: float = 0.03, bound: float = 1.0
) -> Run:
    """Code inversion: an image whose code is the target, by L-BFGS on the spectrum (Mahendran & Vedaldi 2015).

    Minimises |a - target|^2 / |target|^2 + smooth TV(image) + bound mean |image - 1/2|^6.

    Args:
        target: activations of the layer, (1, channels, h, w), or one per image of the batch.
        start: (B, C, H, W) in [0, 1].
        smooth: weight of the total variation.
        bound: weight of the alpha-norm, which keeps pixels from black and white.
    """
    aim = code(layer, target) + smooth * total_variation() + bound * pixel_norm(6, center=0.5)
    return descend(net, aim, start, steps=steps, step=lbfgs(), parametrization=spectrum())
