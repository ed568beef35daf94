"""What excites a channel: crops of photographs scanned once, the strongest patches, and their projections."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.descent import gradient
from cnnlab.nets import Net
from cnnlab.objectives import neuron
from cnnlab.pieces import Crop
from cnnlab.relu_rules import Rule, deconvnet, relu_rule


@dataclass(frozen=True)
class Patch:
    """What one neuron saw when it answered strongly.

    Attributes:
        crop: where it lies.
        y, x: the neuron's place in its feature map.
        value: its activation.
        top, left, size: the square of the crop that it saw, in pixels (its receptive field, moved into the crop).
    """

    crop: Crop
    y: int
    x: int
    value: float
    top: int
    left: int
    size: int

    @property
    def image(self) -> Tensor:
        """What the neuron saw, (1, C, size, size)."""
        return self.cut(self.crop.image)

    def cut(self, image: Tensor) -> Tensor:
        """The same square of an image as large as the crop, (..., H, W) -> (..., size, size)."""
        return image[..., self.top : self.top + self.size, self.left : self.left + self.size]

    def overlap(self, other: "Patch") -> float:
        """The share of the smaller patch that both have in common in the photograph, in [0, 1]."""
        if self.crop.source != other.crop.source:
            return 0.0
        (top, left, side), (top2, left2, side2) = self._place(), other._place()
        height = min(top + side, top2 + side2) - max(top, top2)
        width = min(left + side, left2 + side2) - max(left, left2)
        return max(height, 0) * max(width, 0) / min(side, side2) ** 2

    def _place(self) -> tuple[float, float, float]:
        """Top, left and side in units of the photograph's shorter side."""
        unit = self.crop.extent / self.crop.image.shape[-1]
        return self.crop.top + unit * self.top, self.crop.left + unit * self.left, unit * self.size


@dataclass(frozen=True)
class Scan:
    """The strongest neuron of each channel in each crop.

    Attributes:
        net: the network that was asked.
        crops: the N crops.
        values: layer -> (N, channels), the largest activation.
        places: layer -> (N, channels, 2), where it is: y, x.
    """

    net: Net
    crops: tuple[Crop, ...]
    values: Mapping[str, Tensor]
    places: Mapping[str, Tensor]


def scan(net: Net, crops: Iterable[Crop], layers: Sequence[str], *, batch: int = 16, progress: bool = True) -> Scan:
    """Run every crop once and remember the strongest neuron of each channel, behind a progress bar.

    Args:
        net: the network.
        crops: of one size, as `cut_crops` gives them.
        layers: those to remember; the net runs to the deepest. They must have feature maps (B, channels, h, w).
        batch: crops at a time.
        progress: whether to show the bar.

    Raises:
        ValueError: for an unknown layer, or one without feature maps.
    """
    from tqdm.auto import tqdm

    crops = tuple(crops)
    values: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    places: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    for start in tqdm(range(0, len(crops), batch), "scanning", leave=False, disable=not progress):
        with torch.inference_mode():
            activations = net.activations(torch.cat([crop.image for crop in crops[start : start + batch]]), layers)
            for layer, maps in activations.items():  # (B, channels, h, w)
                if maps.ndim != 4:
                    raise ValueError(f"layer {layer!r} has no feature maps: its activations are {tuple(maps.shape)}")
                best, index = (found[:, :, 0, 0] for found in F.adaptive_max_pool2d(maps, 1, return_indices=True))
                values[layer].append(best.cpu())  # (B, channels)
                places[layer].append(torch.stack([index // maps.shape[3], index % maps.shape[3]], dim=2).cpu())
    return Scan(net, crops, *({n: torch.cat(parts) for n, parts in kept.items()} for kept in (values, places)))


def strongest_patches(scan: Scan, layer: str, channel: int, count: int = 9, max_overlap: float = 0.2) -> list[Patch]:
    """What excites a channel most: its strongest patches at distinct places, the strongest first.

    A patch that has more than `max_overlap` of its area in common with a stronger one, at whatever size, shows the same
    thing again and is left out. There may be fewer than `count`.

    Raises:
        ValueError: for a layer that was not scanned, or an unknown channel.
    """
    if layer not in scan.values:
        raise ValueError(f"layer {layer!r} was not scanned: there are {', '.join(scan.values)}")
    if not 0 <= channel < scan.values[layer].shape[1]:
        raise ValueError(f"channel {channel} is not in {layer!r}: 0 to {scan.values[layer].shape[1] - 1}")
    size, stride, start = receptive_field(scan.net, layer)
    found: list[Patch] = []
    for number in scan.values[layer][:, channel].argsort(descending=True).tolist():
        crop, value = scan.crops[number], float(scan.values[layer][number, channel])
        y, x = scan.places[layer][number, channel].tolist()
        side = min(size, crop.image.shape[-1])
        top, left = (min(max(start + stride * i, 0), crop.image.shape[-1] - side) for i in (y, x))
        patch = Patch(crop, y, x, value, top, left, side)
        if value > 0 and all(patch.overlap(other) <= max_overlap for other in found):
            found.append(patch)
        if len(found) == count:
            break
    return found


def project(net: Net, layer: str, channel: int, patches: Sequence[Patch], rule: Rule = deconvnet) -> list[Tensor]:
    """What in each patch excited the channel: projections (1, C, size, size), signed (Zeiler & Fergus 2014, 2.1).

    The crops are run again, and of each its neuron alone is projected back to the pixels by the rule.
    """
    neurons = neuron(layer, channel, [patch.y for patch in patches], [patch.x for patch in patches])
    with relu_rule(net, rule):
        _, grad = gradient(net, neurons, torch.cat([patch.crop.image for patch in patches]))  # (B, C, H, W)
    return [patch.cut(one[None]) for patch, one in zip(patches, grad, strict=True)]


def receptive_field(net: Net, layer: str) -> tuple[int, int, int]:
    """How large the square of pixels is that a neuron sees, how far apart two neighbours', and where the first begins.

    Through a window of k pixels, stride s and padding p: size += (k - 1) * step, start -= p * step, step *= s. Branches
    side by side, as in a fire module, count like layers in a row, which is right where one of them is 1 x 1.

    Returns:
        (size, step, start) in pixels; neuron y sees the rows start + step * y ... + size - 1.
    """
    size, step, start = 1, 1, 0
    for name in net.layers[: net.layers.index(layer) + 1]:
        for module in net.chain.get_submodule(name).modules():
            if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
                kernel, stride, padding = (_side(v) for v in (module.kernel_size, module.stride, module.padding))
                size, start, step = size + (kernel - 1) * step, start - padding * step, step * stride
    return size, step, start


def _side(value: object) -> int:
    return value[0] if isinstance(value, tuple) else int(value)  # type: ignore[call-overload]
