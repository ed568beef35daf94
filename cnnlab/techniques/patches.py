"""What excites a channel: its strongest patches in crops of photographs, and their projections. Chapter 05.

found = scan(net, cut_crops({name: photo(name) for name in PHOTOS}), ["fire5"])
nine = strongest_patches(found, "fire5", 34)
projections = project(deconvnet(net), "fire5", 34, nine)
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, fx

from cnnlab.descent import gradient
from cnnlab.images import resize
from cnnlab.inputs import as_image, integer
from cnnlab.nets import Net
from cnnlab.objectives import neuron
from cnnlab.techniques import windows
from cnnlab.tracing import Operation

BATCH = 16  # crops that the net sees at a time
COUNT = 9  # patches of a channel, as in the figures of Zeiler & Fergus 2014
# The beginnings of the names of operations whose outputs depend on all positions.
WHOLE = (
    "adaptive", "flatten", "groupnorm", "instancenorm", "layernorm", "linear", "mean", "multihead", "scaleddotproduct"
)  # fmt: skip


@dataclass(frozen=True)
class Crop:
    """A square crop of a photograph at one of several sizes.

    Attributes:
        source: the name of the photograph.
        image: (1, C, size, size); a view, not a copy.
        top, left: where it begins, in units of the photograph's shorter side.
        extent: its side, in the same units: 1 at the smallest size; the more the photograph was enlarged, the smaller.
    """

    source: str
    image: Tensor
    top: float
    left: float
    extent: float


def cut_crops(photos: Mapping[str, Tensor], sides: Sequence[int] = (224, 320, 448), size: int = 224) -> list[Crop]:
    """Cut photographs at several sizes into square crops. Chapter 05.

    Neighboring crops overlap by half or more, so that nothing lies at a border in all of them.

    Args:
        photos: name -> (1, C, H, W).
        sides: pixels of the photograph's shorter side, one resizing for each; one below `size` raises a ValueError.
        size: the side of a crop, in pixels.
    """
    chosen, size = [integer(side, "sides", 1) for side in sides], integer(size, "size", 1)
    if min(chosen) < size:
        raise ValueError(f"sides must be at least size = {size} pixels, not {min(chosen)}")
    crops = []
    for name, photo in ((name, as_image(photo)) for name, photo in photos.items()):
        if len(photo) != 1:
            raise ValueError(f"photos must be single ones (1, C, H, W), but {name!r} is {tuple(photo.shape)}")
        for side in chosen:
            factor = side / min(photo.shape[-2:])
            resized = resize(photo, (round(photo.shape[-2] * factor), round(photo.shape[-1] * factor)))
            for top in _starts(resized.shape[-2], size):
                for left in _starts(resized.shape[-1], size):
                    image = resized[..., top : top + size, left : left + size]
                    crops.append(Crop(name, image, top / side, left / side, size / side))
    return crops


def _starts(length: int, size: int) -> list[int]:
    """The starts of windows that cover the length and overlap by half or more."""
    count = math.ceil((length - size) / (size / 2)) + 1
    return [round(i * (length - size) / max(count - 1, 1)) for i in range(count)]


@dataclass(frozen=True)
class Patch:
    """What one neuron saw when it responded strongly.

    Attributes:
        crop: the crop that it was cut from.
        y, x: the neuron's position in its feature map.
        value: the neuron's activation.
        top, left, size: its receptive field, moved into the crop: the square of the crop that it saw, in pixels.
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
        (top, left, side), (top2, left2, side2) = self._in_photo(), other._in_photo()
        height = min(top + side, top2 + side2) - max(top, top2)
        width = min(left + side, left2 + side2) - max(left, left2)
        return max(height, 0) * max(width, 0) / min(side, side2) ** 2

    def _in_photo(self) -> tuple[float, float, float]:
        """Top, left and side in units of the photograph's shorter side."""
        unit = self.crop.extent / self.crop.image.shape[-1]
        return self.crop.top + unit * self.top, self.crop.left + unit * self.left, unit * self.size


@dataclass(frozen=True)
class Scan:
    """The strongest neuron of each channel in each of the N crops that the net saw.

    Attributes:
        values: layer -> (N, channels), the largest activation.
        positions: layer -> (N, channels, 2), where it is: y, x.
    """

    net: Net
    crops: tuple[Crop, ...]
    values: Mapping[str, Tensor]
    positions: Mapping[str, Tensor]


def scan(net: Net, crops: Iterable[Crop], layers: Sequence[str], *, progress: bool = True) -> Scan:
    """Run every crop once and remember the strongest neuron of each channel, behind a progress bar. Chapter 05.

    The crops have one size, as `cut_crops` gives them. The net runs to the deepest of the layers. A layer that is
    unknown, or without feature maps (B, channels, h, w), raises a ValueError.
    """
    from tqdm.auto import tqdm

    crops = tuple(crops)
    if len({crop.image.shape for crop in crops}) != 1:
        raise ValueError(f"crops must have one size, and there must be one at least: {len(crops)} crops")
    values: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    positions: dict[str, list[Tensor]] = {layer: [] for layer in layers}
    for start in tqdm(range(0, len(crops), BATCH), "scanning", leave=False, disable=not progress):
        with torch.inference_mode():
            activations = net.activations(torch.cat([crop.image for crop in crops[start : start + BATCH]]), layers)
            for layer, maps in activations.items():  # (B, channels, h, w)
                if maps.ndim != 4:
                    raise ValueError(f"layer {layer!r} has no feature maps: its activations are {tuple(maps.shape)}")
                best, index = (found[:, :, 0, 0] for found in F.adaptive_max_pool2d(maps, 1, return_indices=True))
                values[layer].append(best.cpu())  # (B, channels)
                positions[layer].append(torch.stack([index // maps.shape[3], index % maps.shape[3]], dim=2).cpu())
    return Scan(net, crops, *({n: torch.cat(parts) for n, parts in kept.items()} for kept in (values, positions)))


def strongest_patches(scanned: Scan, layer: str, channel: int, max_overlap: float = 0.2) -> list[Patch]:
    """The nine patches that excite a channel most, the strongest first. Chapter 05.

    A patch is left out if it has more than `max_overlap` of its area in common with a stronger one, at whatever size:
    it would show the same thing again. So there may be fewer than nine. Where `receptive_field` gives no answer, a
    patch is the whole crop. A layer that was not scanned, or an unknown channel, raises a ValueError.
    """
    if layer not in scanned.values:
        raise ValueError(f"layer {layer!r} was not scanned: there are {', '.join(scanned.values)}")
    channel = integer(channel, "channel")
    if not 0 <= channel < scanned.values[layer].shape[1]:
        raise ValueError(f"channel {channel} is not in {layer!r}: 0 to {scanned.values[layer].shape[1] - 1}")
    try:
        size, step, start = receptive_field(scanned.net, layer)
    except ValueError:  # a neuron sees the whole crop, or nobody knows what
        size, step, start = max(crop.image.shape[-1] for crop in scanned.crops), 0, 0
    found: list[Patch] = []
    for number in scanned.values[layer][:, channel].argsort(descending=True).tolist():
        crop, value = scanned.crops[number], float(scanned.values[layer][number, channel])
        y, x = scanned.positions[layer][number, channel].tolist()
        side = min(size, crop.image.shape[-1])
        top, left = (min(max(start + step * i, 0), crop.image.shape[-1] - side) for i in (y, x))
        patch = Patch(crop, y, x, value, top, left, side)
        if value > 0 and all(patch.overlap(other) <= max_overlap for other in found):
            found.append(patch)
        if len(found) == COUNT:
            break
    return found


def project(view: Net, layer: str, channel: int, patches: Sequence[Patch]) -> list[Tensor]:
    """What excited the channel in each patch: projections (1, C, size, size), with both signs. Chapter 05.

    The crops run again through `view`: `deconvnet(net)`, `guided(net)` ..., or the net itself for the true gradient. Of
    each crop, the gradient of one neuron is cut to the patch. Source: Zeiler & Fergus 2014, section 2.1.
    """
    if not patches:
        raise ValueError("patches must be one at least")
    neurons = neuron(layer, channel, [patch.y for patch in patches], [patch.x for patch in patches])
    _, grad = gradient(view, neurons, torch.cat([patch.crop.image for patch in patches]))  # (B, C, H, W)
    return [patch.cut(one[None]) for patch, one in zip(patches, grad, strict=True)]


def receptive_field(net: Net, layer: str) -> tuple[int, int, int]:
    """How many pixels one neuron of the layer sees, and where. Chapters 05 and 06.

    Returns:
        (size, step, start), in pixels: a neuron sees a square of `size` pixels; the squares of two neighboring neurons
        are `step` pixels apart; the first square begins at `start`. So the neuron in row y sees the pixel rows from
        start + step * y to start + step * y + size - 1.

    For each convolution or pooling with a window of k pixels, stride s and padding p: size += (k - 1) * step,
    start -= p * step, step *= s. A dilation d makes a window of (k - 1) * d + 1 pixels. Where branches meet, the square
    reaches from the first pixel that one of them sees to the last. Pointwise operations change nothing.

    Raises ValueError, which names the operation, if one on the path to the layer sees the whole image or is unknown, if
    branches with different steps meet, or if a neuron sees no square.

    Source: Araujo, Norris & Sim 2019, "Computing receptive fields of convolutional neural networks".
    """
    values: dict[fx.Node, Any] = {}
    for node in net.graph.path_to([layer]):
        given = [values[one] for one in node.all_input_nodes]
        fields = [value for value in given if isinstance(value, _Field)]
        unknown = any(value is _SIZE for value in given)
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
        if not values:  # the image: a neuron is a pixel
            values[node] = _Field(((0, 0, 1), (0, 0, 1)))
        elif windows.asks_for_a_size(node) or (unknown and not fields):
            values[node] = _SIZE
        elif not fields:
            values[node] = windows.call_of(net, node)(*args, **kwargs)
        else:
            field, operation = _united(fields), net.graph.operation(node)
            behind = None if unknown or field is None else _behind(operation, args, kwargs, field)
            if behind is None:
                why = _reason(operation) if field else "joins branches with different steps"
                raise ValueError(f"layer {layer!r} {why}: {node.name!r}")
            values[node] = behind
    if not isinstance(field := values[net.graph.node(layer)], _Field):
        raise ValueError(f"layer {layer!r} does not depend on the image's values")
    rows, columns = ((end - start + 1, step, start) for start, end, step in field.sides)
    if rows != columns:
        raise ValueError(
            f"layer {layer!r} sees no squares: size, step, start are {rows} for rows, {columns} for columns"
        )
    return rows


class _Field(NamedTuple):
    """What the first neuron of a feature map sees.

    Attributes:
        sides: (start, end, step) for rows, and for columns: it sees the pixels from start to end, both included, and
            its neighbor those that are step pixels further.
        axes: where rows and columns stand in the tensor: (2, 3) in (B, C, H, W).
    """

    sides: tuple[tuple[int, int, int], ...]
    axes: tuple[int, int] = (2, 3)


_SIZE = object()  # stands for a number that depends on the size of the image


def _united(fields: Sequence[_Field]) -> _Field | None:
    """From the first pixel that one of the branches sees to the last; None if their steps or axes differ."""
    if len({(field.axes, *(step for _, _, step in field.sides)) for field in fields}) > 1:
        return None
    sides = zip(*(field.sides for field in fields), strict=True)
    return fields[0]._replace(sides=tuple((min(s)[0], max(end for _, end, _ in s), s[0][2]) for s in sides))


def _behind(operation: Operation, args: Sequence[Any], kwargs: Mapping[str, Any], field: _Field) -> _Field | None:
    """The field behind an operation on maps with this field; None if it sees more than a window, or is unknown."""
    before = getattr(operation, "before", None)  # what a module of one's own adds at the top and the left
    maps = field.axes == (2, 3)  # (B, C, H, W)
    if windows.is_pointwise(operation) or (maps and windows.concatenates_channels(operation, args, kwargs)):
        return field
    if maps and (window := windows.window_of(operation, args, kwargs)):
        return _Field(tuple(map(_slide, field.sides, window.reach, window.stride, window.padding)))
    if maps and before is not None:
        return _Field(tuple(_slide(side, 1, 1, before) for side in field.sides))
    if operation in (torch.permute, "permute"):
        order = [*args[1:], *kwargs.values()]
        order = [axis % 4 for axis in (order[0] if isinstance(order[0], Sequence) else order)]
        return field._replace(axes=(order.index(field.axes[0]), order.index(field.axes[1])))
    if field.axes == (1, 2) and windows.mixes_last_axis(operation, args, kwargs):
        return field  # (B, H, W, C)
    return None


def _slide(side: tuple[int, int, int], reach: int, stride: int, padding: int) -> tuple[int, int, int]:
    start, end, step = side
    return start - padding * step, end + (reach - 1 - padding) * step, step * stride


def _reason(operation: Operation) -> str:
    """Why a layer behind this operation has no receptive field that could be computed."""
    name = operation if isinstance(operation, str) else getattr(operation, "__name__", type(operation).__name__)
    if name.lower().replace("_", "").startswith(WHOLE):
        return f"sees the whole image, as it stands behind {name}"
    return f"stands behind {name}, whose receptive field is unknown"
