"""Inversion: rebuild an image from a layer's activations, as they are or with other weights for the channels.

Sources: "Understanding deep image representations by inverting them" (Mahendran & Vedaldi 2015; chapter 10), and "Every
filter extracts a specific texture in convolutional neural networks" (Xia et al. 2016, here FMI; chapter 13).
"""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from cnnlab.descent import descend
from cnnlab.images import noise
from cnnlab.inputs import as_image, constant, feature_maps, image_shape, integers, real
from cnnlab.nets import Net
from cnnlab.objectives import Numbers, code, pixel_norm, total_variation
from cnnlab.parametrizations import spectrum
from cnnlab.runs import Run
from cnnlab.steps import adam, lbfgs
from cnnlab.transforms import jitter


def keep_channel(activations: Tensor, channel: Numbers) -> Tensor:
    """Keep one channel l: its map becomes the sum of all maps, every other map 0 (FMI, section 2.1). Chapter 13.

    psi_l(y, x) = sum_k a_k(y, x), so that each position keeps its sum. The activations are (B, channels, h, w). The
    channel is one number for all images, or a list with one per image; for a single image a list gives one code per
    entry. A channel that the activations do not have, or a list that does not fit the batch, raises a ValueError.
    """
    activations, numbers = feature_maps(activations), integers(channel, "channel")
    count = activations.shape[1]
    channels = [numbers] * len(activations) if isinstance(numbers, int) else list(numbers)
    if len(activations) not in (1, len(channels)):
        raise ValueError(f"channel must be one number, or one per image: {len(channels)} for {len(activations)} images")
    if wrong := [number for number in channels if not 0 <= number < count]:
        raise ValueError(f"channel must be 0 to {count - 1}, not {wrong[0]}")
    kept = activations.new_zeros(len(channels), *activations.shape[1:])
    kept[torch.arange(len(channels)), channels] = activations.sum(dim=1)  # (B, h, w)
    return kept


def reweight_channels(activations: Tensor, weights: Tensor) -> Tensor:
    """Redistribute a code's total activation among its channels in proportion to `weights` (FMI, section 2.2).

    a_k becomes a_k v_k (sum of all maps) / (sum of map k), where v are the weights, scaled to sum 1 over the channels
    that are not silent. Silent channels and neurons stay silent; the total does not change. Chapter 13.

    Args:
        activations: (B, channels, h, w), at least 0, as behind a ReLU.
        weights: one per channel, at least 0: (channels,) for all images, or (B, channels). For a single image, several
            rows give one code each. Another number of channels, or a negative number, raises a ValueError.
    """
    activations, weights = feature_maps(activations), constant(weights, "weights")
    if weights.ndim > 2 or (weights.ndim == 2 and len(weights) not in (1, len(activations)) and len(activations) > 1):
        raise ValueError(f"weights must be (channels,) or (B, channels), not {tuple(weights.shape)}")
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


def energy_shares(activations: Tensor) -> Tensor:
    """The share of each map in a code's energy: sum_yx a_k^2 / sum_kyx a_k^2, (B, channels, h, w) -> (B, channels)."""
    energies = feature_maps(activations).square().sum((2, 3))
    return energies / energies.sum(1, keepdim=True).clamp(min=1e-12)


def lively_starts(net: Net, layer: str, channels: Sequence[int], shape: Sequence[int], generator: Generator) -> Tensor:
    """For each channel, the one of 32 faint noises that excites its map most, (len(channels), C, H, W). Chapter 13.

    A map whose ReLU is off everywhere has no gradient: for a deep layer, an image of plain gray would never change.
    `shape` is that of one image, (1, C, H, W).
    """
    pool = noise((32, *image_shape(shape)[1:]), generator, std=0.05, decay=1)
    numbers = _row(channels)
    means = feature_maps(net.run(pool, [layer])[layer]).mean((2, 3))  # (32, all channels)
    if wrong := [number for number in numbers if not 0 <= number < means.shape[1]]:
        raise ValueError(f"channels must be 0 to {means.shape[1] - 1}, not {wrong[0]}")
    return pool[means[:, numbers].argmax(dim=0).cpu()]


def textures(
    net: Net, image: Tensor, layer: str, channels: Sequence[int], *, steps: int = 80, start: Tensor | None = None
) -> Run:
    """Feature-map inversion: find an image whose code is close to keep_channel(code of `image`, channel). Chapter 13.

    Args:
        image: one photograph, (1, C, H, W).
        channels: any number of channels; they are inverted side by side, and each gives one image of the result.
        start: (len(channels), C, H, W); None takes `lively_starts`.
    """
    image, channels = as_image(image), _row(channels)
    if len(image) != 1:
        raise ValueError(f"image must be a single one (1, C, H, W), not a batch of {len(image)}")
    with torch.no_grad():
        target = keep_channel(net.run(image, [layer])[layer], channels)
    if start is None:
        start = lively_starts(net, layer, channels, image.shape, Generator().manual_seed(0))
    objective = code(layer, target)
    return descend(net, objective, start, steps=steps, step=adam(0.08), transform=jitter(4), parametrization=spectrum())


def invert(net: Net, layer: str, target: Tensor, start: Tensor, *, steps: int = 100, bound: float = 1.0) -> Run:
    """Code inversion: find an image whose code is the target, by L-BFGS on the spectrum. Chapter 10.

    Minimizes |a - target|^2 / |target|^2 + 0.03 TV(image) + bound mean |image - 1/2|^6 (Mahendran & Vedaldi 2015).

    Args:
        target: activations of the layer, (1, channels, h, w), or one per image of the batch.
        start: (B, C, H, W) in [0, 1].
        bound: the weight of the alpha-norm, which keeps pixels away from black and white.
    """
    objective = code(layer, target) + 0.03 * total_variation() + real(bound, "bound") * pixel_norm(6, center=0.5)
    return descend(net, objective, start, steps=steps, step=lbfgs(), parametrization=spectrum())


def _row(channels: Numbers) -> list[int]:
    numbers = integers(channels, "channels")
    return [numbers] if isinstance(numbers, int) else list(numbers)
