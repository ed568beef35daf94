"""What chapter 04 measures: changes that no run has seen, trends over layers, channels that change, fine detail."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from scipy.stats import binomtest, rankdata
from torch import Tensor

from cnnlab._torchvision import torchvision
from cnnlab.images import frequencies, resize
from cnnlab.material.evidence import recorded
from cnnlab.nets import Net
from cnnlab.transforms import blur

# Changes of an image that no run of the chapter has seen while it climbed.
UNSEEN: dict[str, Callable[[Tensor], Tensor]] = {
    "a blur": lambda image: blur(image, 1),
    "half the size": lambda image: resize(resize(image, image.shape[-1] // 2), image.shape[-1]),
    "a turn": lambda image: torchvision.transforms.functional.rotate(image, 30),
}
# The large starts that a growing image is compared with (ch04_growing).
LARGE = ("large, equal cost", "large, equal steps", "enlarged, equal cost", "enlarged, equal steps")


def trend(layers: Mapping[str, Tensor]) -> float:
    """Compute the rank correlation of the values with depth: +1 if they always rise, -1 if they always fall.

    `layers` is layer -> values, with the layers in order of depth.
    """
    depth, values = _ranks(layers)
    return float((depth * values).mean())


def trend_by_chance(layers: Mapping[str, Tensor]) -> float:
    """Compute the size that the trend has at most in 99 of 100 random orders of all values (1,000, a fixed seed)."""
    depth, values = _ranks(layers)
    shuffled = np.random.default_rng(0).permuted(np.tile(values, (1000, 1)), axis=1)
    return float(np.quantile(np.abs((shuffled * depth).mean(axis=1)), 0.99))


def _ranks(layers: Mapping[str, Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """Give the ranks of depth and of the values, with mean 0 and standard deviation 1."""
    depth = [number for number, values in enumerate(layers.values()) for _ in values]
    ranks = (rankdata(numbers) for numbers in (depth, torch.cat(list(layers.values())).numpy()))
    first, second = ((rank - rank.mean()) / rank.std() for rank in ranks)
    return first, second


def share_changed(net: Net, layers: Sequence[str], images: Tensor, others: Tensor) -> dict[str, float]:
    """Compute the share of each layer's channels that change by more than half from the images to the others.

    The change of a channel is that of its mean activation, summed over the images, relative to the sum before.
    """
    before, after = (net.activations(batch, layers) for batch in (images, others))
    shares = {}
    for layer in layers:
        old, new = before[layer].mean(dim=(2, 3)), after[layer].mean(dim=(2, 3))  # (B, channels) each
        shares[layer] = ((new - old).abs().sum(0) > 0.5 * old.sum(0)).float().mean().item()
    return shares


def fine_contrast(image: Tensor, finer_than: float) -> float:
    """Compute the standard deviation that the waves above a frequency, in cycles per pixel, give to the pixels."""
    waves = torch.fft.rfft2(image)
    fine = torch.where(frequencies(*image.shape[-2:]) > finer_than, waves, 0)
    return float(torch.fft.irfft2(fine, s=image.shape[-2:]).std())


def differ(first: float, second: float, of: int) -> bool:
    """Say whether the 95 % intervals (Wilson's) of two shares of `of` cases do not overlap."""
    low, high = (binomtest(round(share * of), of).proportion_ci(method="wilson") for share in sorted((first, second)))
    return bool(low.high < high.low)


def compared(measure: str, others: Sequence[str] = LARGE) -> list[bool]:
    """Say for each channel of `make evidence` whether the grown image has more of `measure` than all the others.

    `measure` is "wavelength", "activation", or "shaken": the activation that is left when the images are shaken.
    """
    return [
        grown > max(large)
        for result in recorded("ch04_growing")
        for grown, *large in zip(*(result[measure][name] for name in ("grown", *others)), strict=True)
    ]


def invents(contrast: Sequence[float], activation: Sequence[float]) -> bool:
    """Say whether a zoom's last frame is no mere enlargement; the order is first frame, last frame, first enlarged.

    Its fine contrast is nearer, as a ratio, to the first frame's than to the enlarged one's, and it excites more.
    """
    first, last, enlarged = contrast
    return last**2 > first * enlarged and activation[1] > activation[2]


def inventive_zooms() -> list[bool]:
    """Say for each zoom of `make evidence` whether it `invents`."""
    zooms = recorded("ch04_zoom")
    return [invents(list(zoom["contrast"].values()), list(zoom["activation"].values())) for zoom in zooms]
