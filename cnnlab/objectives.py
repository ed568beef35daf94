"""Objectives: what a run makes small, as a small algebra that prints itself.

    objective = -channel("fire5", 12) + 0.1 * total_variation()

An objective scores every image of a batch by itself, (B,), and is always minimized: to make something large, put a
minus before it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, SupportsIndex

import torch
import torch.nn.functional as F
from torch import Tensor

from cnnlab.inputs import constant, feature_maps, integers, real

Activations = Mapping[str, Tensor]
# One for all images, or one per image of the batch: whole numbers of Python, NumPy or torch, in any kind of row.
Numbers = SupportsIndex | Sequence[SupportsIndex] | Tensor


@dataclass(frozen=True)
class Term:
    """One summand of an objective: weight * score(image, activations); a weight that is not finite: ValueError."""

    weight: float
    formula: str
    score: Callable[[Tensor, Activations], Tensor]
    layers: tuple[str, ...]

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight):
            raise ValueError(f"the weight of {self.formula} must be finite, not {self.weight}")


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
        values = []
        for term in self.terms:
            value = term.score(image, activations)
            batch = len(activations[term.layers[0]] if term.layers else image)
            if not isinstance(value, Tensor) or value.shape != (batch,):
                found = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise ValueError(f"score of {term.formula} must give one number per image, ({batch},), not {found}")
            values.append(term.weight * value)
        return sum(values[1:], values[0])

    def __add__(self, other: "Objective") -> "Objective":
        return Objective(self.terms + other.terms) if isinstance(other, Objective) else NotImplemented

    def __radd__(self, other: object) -> "Objective":
        return self if other == 0 else NotImplemented  # so that sum(objectives) works

    def __mul__(self, weight: Any) -> "Objective":
        if not isinstance(weight, Real) and not (isinstance(weight, Tensor) and weight.numel() == 1):
            return NotImplemented
        return Objective(tuple(replace(term, weight=float(weight) * term.weight) for term in self.terms))

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


def channel(layer: str, number: Numbers) -> Objective:
    """The mean of one feature map, mean_yx a[number, y, x]. Chapter 04.

    Args:
        layer: a layer with feature maps (B, channels, h, w), or with units (B, units).
        number: the channel's number; or one number per image of the batch, which are then optimized side by side.
    """
    chosen = integers(number, "number")
    return _layer_objective(layer, f"mean {layer}[{_text(chosen)}]", lambda a: _mean(_pick(a, chosen, layer)))


def neuron(layer: str, number: Numbers, y: Numbers | None = None, x: Numbers | None = None) -> Objective:
    """One neuron: a[number, y, x] of channel `number`; y and x default to the center. Chapter 05.

    Several numbers, y or x: one per image of the batch.
    """
    chosen = integers(number, "number")
    row, column = (None if v is None else integers(v, name) for v, name in ((y, "y"), (x, "x")))

    def score(activations: Tensor) -> Tensor:
        feature_map = _pick(activations, chosen, layer)  # (B, h, w)
        if feature_map.ndim != 3:
            raise ValueError(f"layer {layer!r} has no positions; use channel({layer!r}, ...)")
        batch, height, width = feature_map.shape
        rows = _one_each(height // 2 if row is None else row, batch, "y")
        columns = _one_each(width // 2 if column is None else column, batch, "x")
        for position in zip(rows, columns, strict=True):
            if not (0 <= position[0] < height and 0 <= position[1] < width):
                raise ValueError(f"y, x must lie in the {height} x {width} map of {layer!r}, not {position}")
        return feature_map[torch.arange(batch), torch.tensor(rows), torch.tensor(columns)]

    where = ("center" if v is None else _text(v) for v in (row, column))
    position = "center" if row is column is None else ", ".join(where)
    return _layer_objective(layer, f"{layer}[{_text(chosen)}, {position}]", score)


def logit(index: Numbers, layer: str = "logits") -> Objective:
    """A class's score before the softmax; `net.index(label)` finds the class of a label."""
    chosen = integers(index, "index")
    return _layer_objective(layer, f"{layer}[{_text(chosen)}]", lambda a: _mean(_pick(a, chosen, layer, "class")))


def cross_entropy(labels: Numbers, layer: str = "logits") -> Objective:
    """-log of the probability of the right class: labels is a class, or one per image (B,).

    Labels that are not whole numbers, or that the layer does not have, raise a ValueError.
    """
    chosen = integers(labels, "labels")
    low, high = (chosen, chosen) if isinstance(chosen, int) else (min(chosen), max(chosen))
    with torch.inference_mode(False):
        target = torch.tensor(chosen)

    def score(logits: Tensor) -> Tensor:
        flat = logits.flatten(1)
        if not 0 <= low <= high < flat.shape[1]:
            wrong = low if low < 0 else high
            raise ValueError(f"class {wrong} is not in layer {layer!r}, which has classes 0 to {flat.shape[1] - 1}")
        if target.ndim and len(target) not in (1, len(flat)):
            raise ValueError(f"labels must be one class, or one per image: {len(target)} for a batch of {len(flat)}")
        return F.cross_entropy(flat, target.to(flat.device).expand(len(flat)), reduction="none")

    return _layer_objective(layer, f"cross_entropy({chosen if isinstance(chosen, int) else 'labels'})", score)


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

    def sums(activations: Tensor) -> Tensor:
        return feature_maps(activations, f"activations of {layer!r}").mean((2, 3))

    return _relative(layer, target, sums, f"|sums {layer} - style|² / |style|²")


def total_variation() -> Objective:
    """Mean absolute difference of neighboring pixels, down plus right: small for smooth images."""

    def mean(gaps: Tensor) -> Tensor:  # an image of one row or column has none
        return gaps.abs().flatten(1).mean(1) if gaps.numel() else gaps.flatten(1).sum(1)

    def score(image: Tensor, _: Activations) -> Tensor:
        return mean(image[..., 1:, :] - image[..., :-1, :]) + mean(image[..., :, 1:] - image[..., :, :-1])

    return custom("TV(image)", score)


def pixel_norm(p: float = 1, center: float = 0.0) -> Objective:
    """mean |image - center|^p over the pixels: p = 1 is the L1 prior (little ink), p = 6 keeps pixels from extremes."""
    p, center = real(p, "p"), real(center, "center")
    if not (0 < p < math.inf and math.isfinite(center)):
        raise ValueError(f"p must be finite and positive, and center finite, not {p} and {center}")
    shift = f" - {center:g}" if center else ""
    return custom(f"mean |image{shift}|^{p:g}", lambda image, _: (image - center).abs().pow(p).flatten(1).mean(1))


def _layer_objective(layer: str, formula: str, score: Callable[[Tensor], Tensor]) -> Objective:
    return custom(formula, lambda _, activations: score(activations[layer]), layer)


def _relative(layer: str, target: Tensor, describe: Callable[[Tensor], Tensor], formula: str) -> Objective:
    target = constant(target)
    with torch.inference_mode(False):
        size = _squares(target).clamp(min=1e-12)  # (1,) or (B,)

    def score(activations: Tensor) -> Tensor:
        found = describe(activations)
        if found.shape[1:] != target.shape[1:] or target.shape[0] not in (1, found.shape[0]):
            raise ValueError(
                f"target of {layer!r} has shape {tuple(target.shape)}, the image's is {tuple(found.shape)}"
            )
        return _squares(found - target.to(found)) / size.to(found)

    return _layer_objective(layer, formula, score)


def _pick(activations: Tensor, number: int | tuple[int, ...], layer: str, word: str = "channel") -> Tensor:
    """The feature map of a channel, (B, channels, ...) -> (B, ...); with several numbers, number[i] for image i."""
    batch, count = activations.shape[:2]
    channels = _one_each(number, batch, word)
    for wanted in channels:
        if not 0 <= wanted < count:
            words = "classes" if word == "class" else "channels"
            raise ValueError(f"{word} {wanted} is not in layer {layer!r}, which has {words} 0 to {count - 1}")
    if isinstance(number, int):
        return activations[:, number]
    return activations[torch.arange(batch), torch.tensor(channels)]


def _one_each(number: int | tuple[int, ...], batch: int, name: str) -> tuple[int, ...]:
    numbers = (number,) * batch if isinstance(number, int) else number
    if len(numbers) != batch:
        raise ValueError(f"{name} must be one number, or one per image: {len(numbers)} for a batch of {batch}")
    return numbers


def _squares(values: Tensor) -> Tensor:  # (B, ...) -> (B,); flatten(1) would copy what is channels_last
    return values.square().sum(dim=tuple(range(1, values.ndim)))


def _mean(maps: Tensor) -> Tensor:  # (B, ...) -> (B,)
    return maps.reshape(len(maps), -1).mean(1)


def _text(number: int | tuple[int, ...]) -> str:
    if isinstance(number, int):
        return str(number)
    return "|".join(map(str, number)) if len(number) <= 4 else f"{number[0]}|{number[1]}|..|{number[-1]}"
