"""Objectives: what a run makes small, as a small algebra that prints itself.

    objective = -channel("fire5", 12) + 0.1 * total_variation()

An objective scores every image of a batch by itself, (B,), and is always minimized: to make something large, put a
minus before it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

Activations = Mapping[str, Tensor]


@dataclass(frozen=True)
class Term:
    """One summand of an objective: weight * score(image, activations)."""

    weight: float
    formula: str
    score: Callable[[Tensor, Activations], Tensor]
    layers: tuple[str, ...]


@dataclass(frozen=True)
class Objective:
    """A weighted sum of terms, to be minimized; made by the functions below, combined with `+ - *` and `sum`."""

    terms: tuple[Term, ...]

    @property
    def layers(self) -> frozenset[str]:
        """The layers whose activations it reads."""
        return frozenset(layer for term in self.terms for layer in term.layers)

    def score(self, image: Tensor, activations: Activations) -> Tensor:
        """The value for each image: (B, C, H, W) and its activations by layer -> (B,)."""
        values = [term.weight * term.score(image, activations) for term in self.terms]
        return sum(values[1:], values[0])

    def __add__(self, other: "Objective") -> "Objective":
        return Objective(self.terms + other.terms) if isinstance(other, Objective) else NotImplemented

    def __radd__(self, other: object) -> "Objective":
        return self if other == 0 else NotImplemented  # so that sum(objectives) works

    def __mul__(self, weight: float) -> "Objective":
        if not isinstance(weight, int | float):
            return NotImplemented
        return Objective(tuple(replace(term, weight=weight * term.weight) for term in self.terms))

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return self * -1

    def __sub__(self, other: "Objective") -> "Objective":
        return self + -other

    def __repr__(self) -> str:
        text = ""
        for term in self.terms:
            sign = ("-" if term.weight < 0 else "") if not text else (" - " if term.weight < 0 else " + ")
            size = "" if abs(term.weight) == 1 else f"{abs(term.weight):g} "
            text += sign + size + term.formula
        return text


def custom(formula: str, score: Callable[[Tensor, Activations], Tensor], *layers: str) -> Objective:
    """An objective of your own.

    `formula` is how it is printed. `score` takes an image (B, C, H, W) and its activations by layer, and gives one
    number per image, (B,). `layers` are the layers that it reads.
    """
    return Objective((Term(1.0, formula, score, layers),))


def channel(layer: str, number: int | Sequence[int]) -> Objective:
    """The mean of one feature map, mean_yx a[number, y, x]. Chapter 04.

    Args:
        layer: a layer with feature maps (B, channels, h, w), or with units (B, units).
        number: the channel's number; or one number per image of the batch, which are then optimized side by side.
    """
    return _layer_objective(layer, f"mean {layer}[{_numbers(number)}]", lambda a: _mean(_pick(a, number, layer)))


def neuron(
    layer: str, number: int | Sequence[int], y: int | Sequence[int] | None = None, x: int | Sequence[int] | None = None
) -> Objective:
    """One neuron: a[number, y, x] of channel `number`; y and x default to the center. Chapter 05.

    Several numbers, y or x: one per image of the batch.
    """

    def score(activations: Tensor) -> Tensor:
        feature_map = _pick(activations, number, layer)  # (B, h, w)
        if feature_map.ndim != 3:
            raise ValueError(f"layer {layer!r} has no positions; use channel({layer!r}, ...)")
        batch, height, width = feature_map.shape
        rows = torch.as_tensor(height // 2 if y is None else y).expand(batch)
        columns = torch.as_tensor(width // 2 if x is None else x).expand(batch)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if not (0 <= row < height and 0 <= column < width):
                raise ValueError(f"y, x must lie in the {height} x {width} map of {layer!r}, not ({row}, {column})")
        return feature_map[torch.arange(batch), rows, columns]

    position = "center" if y is None and x is None else f"{y}, {x}"
    return _layer_objective(layer, f"{layer}[{_numbers(number)}, {position}]", score)


def logit(index: int | Sequence[int], layer: str = "logits") -> Objective:
    """A class's score before the softmax."""
    return _layer_objective(layer, f"{layer}[{_numbers(index)}]", lambda a: _mean(_pick(a, index, layer)))


def cross_entropy(labels: int | Sequence[int] | Tensor, layer: str = "logits") -> Objective:
    """-log of the probability of the right class: labels is a class, or one per image (B,)."""

    def score(logits: Tensor) -> Tensor:
        target = torch.as_tensor(labels, device=logits.device).expand(len(logits))
        return F.cross_entropy(logits.flatten(1), target, reduction="none")

    name = f"{labels}" if isinstance(labels, int) else "labels"
    return _layer_objective(layer, f"cross_entropy({name})", score)


def code(layer: str, target: Tensor) -> Objective:
    """Distance from a code, relative to its size: |a - target|^2 / |target|^2 (Mahendran & Vedaldi 2015, eq. 2).

    The target is (1, channels, h, w), or one per image of the batch.
    """
    return _relative(layer, target, lambda a: a, f"|{layer} - code|² / |code|²")


def energy(layer: str) -> Objective:
    """Half the squared norm, 1/2 |a|^2: its gradient with respect to the activations is the activations themselves."""
    return _layer_objective(layer, f"½|{layer}|²", lambda a: 0.5 * _squares(a))


def channel_sums(layer: str, target: Tensor) -> Objective:
    """Distance from a distribution over the channels, relative to its size: |s - target|^2 / |target|^2.

    s_k = mean_p a_kp, the sum of map k divided by its number of positions, which lets images of different sizes
    compare ("Every filter extracts a specific texture in convolutional neural networks", Xia et al. 2016, section 2.2).

    The target is `activations.mean((2, 3))` of a painting of any size, (1, channels), or one per image of the batch.
    """
    return _relative(layer, target, lambda a: a.mean((2, 3)), f"|sums {layer} - style|² / |style|²")


def total_variation() -> Objective:
    """Mean absolute difference of neighboring pixels, down plus right: small for smooth images."""

    def score(image: Tensor, _: Activations) -> Tensor:
        down = (image[..., 1:, :] - image[..., :-1, :]).abs().flatten(1).mean(1)
        right = (image[..., :, 1:] - image[..., :, :-1]).abs().flatten(1).mean(1)
        return down + right

    return custom("TV(image)", score)


def pixel_norm(p: float = 1, center: float = 0.0) -> Objective:
    """mean |image - center|^p over the pixels: p = 1 is the L1 prior (little ink), p = 6 keeps pixels from extremes."""
    shift = f" - {center:g}" if center else ""
    return custom(f"mean |image{shift}|^{p:g}", lambda image, _: (image - center).abs().pow(p).flatten(1).mean(1))


def _layer_objective(layer: str, formula: str, score: Callable[[Tensor], Tensor]) -> Objective:
    return custom(formula, lambda _, activations: score(activations[layer]), layer)


def _relative(layer: str, target: Tensor, describe: Callable[[Tensor], Tensor], formula: str) -> Objective:
    target = target.detach()
    size = _squares(target).clamp(min=1e-12)  # (1,) or (B,)

    def score(activations: Tensor) -> Tensor:
        found = describe(activations)
        if found.shape[1:] != target.shape[1:] or target.shape[0] not in (1, found.shape[0]):
            raise ValueError(
                f"target of {layer!r} has shape {tuple(target.shape)}, the image's is {tuple(found.shape)}"
            )
        return _squares(found - target) / size

    return _layer_objective(layer, formula, score)


def _pick(activations: Tensor, number: int | Sequence[int], layer: str) -> Tensor:
    """The feature map of a channel, (B, channels, ...) -> (B, ...); with several numbers, number[i] for image i."""
    batch, count = activations.shape[:2]
    channels = [number] * batch if isinstance(number, int) else list(number)
    if len(channels) != batch:
        raise ValueError(f"channel must be one number, or one per image: {len(channels)} for a batch of {batch}")
    for wanted in channels:
        if not 0 <= wanted < count:
            raise ValueError(f"channel {wanted} is not in layer {layer!r}, which has channels 0 to {count - 1}")
    if isinstance(number, int):
        return activations[:, number]
    return activations[torch.arange(batch), torch.tensor(channels)]


def _squares(values: Tensor) -> Tensor:  # (B, ...) -> (B,); flatten(1) would copy what is channels_last
    return values.square().sum(dim=tuple(range(1, values.ndim)))


def _mean(feature_maps: Tensor) -> Tensor:  # (B, ...) -> (B,)
    return feature_maps.reshape(len(feature_maps), -1).mean(1)


def _numbers(number: int | Sequence[int]) -> str:
    if isinstance(number, int):
        return str(number)
    return "|".join(map(str, number)) if len(number) <= 4 else f"{number[0]}|{number[1]}|..|{number[-1]}"
