"""What a microscope measures of a channel: what fires with it, what it is made of, which classes it votes for."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from cnnlab.descent import gradient
from cnnlab.nets import Net
from cnnlab.objectives import channel as mean_of
from cnnlab.techniques.patches import BATCH, Crop, Patch, Scan, project, scan


@dataclass(frozen=True)
class Link:
    """A channel and how strongly it belongs to another one."""

    layer: str
    channel: int
    strength: float


def survey(net: Net, crops: Sequence[Crop], layers: Sequence[str], *, progress: bool = True) -> Scan:
    """Run every crop once: the strongest neuron of each channel of each layer. Chapter 04.

    It is `scan`, and a layer of units (B, units), such as the logits, counts as maps of one neuron each.
    """
    units = [layer for layer in layers if _is_flat(net, crops[0].image, layer)]
    maps = scan(net, crops, [layer for layer in layers if layer not in units], progress=progress)
    values, positions = dict(maps.values), dict(maps.positions)
    for layer in units:
        with torch.inference_mode():
            parts = [torch.cat([crop.image for crop in crops[i : i + BATCH]]) for i in range(0, len(crops), BATCH)]
            values[layer] = torch.cat([net.run(part, [layer])[layer].cpu() for part in parts])  # (N, units)
        positions[layer] = torch.zeros(*values[layer].shape, 2, dtype=torch.long)
    in_order = {layer: values[layer] for layer in layers}
    places = {layer: positions[layer].to(torch.int16) for layer in layers}  # they travel to the workers
    return replace(maps, values=in_order, positions=places)


def together(scanned: Scan, layer: str, channels: Sequence[int], count: int = 8) -> list[list[Link]]:
    """For each channel the ones, of all layers, whose strongest neurons rise and fall with its own over the crops.

    The strength is Pearson's correlation over the N crops. A channel that never changes has none.
    """
    own = _standardized(scanned.values[layer][:, list(channels)])  # (N, channels)
    r = torch.cat([own.T @ _standardized(values) for values in scanned.values.values()], dim=1)  # (channels, all)
    names = [(name, number) for name, values in scanned.values.items() for number in range(values.shape[1])]
    found = []
    for row, number in zip(r, channels, strict=True):
        row[names.index((layer, number))] = -1
        values, indices = row.topk(min(count, len(row) - 1))
        pairs = zip(indices.tolist(), values.tolist(), strict=True)
        found.append([Link(names[i][0], names[i][1], value) for i, value in pairs if value > 0])
    return found


class Rest:
    """The activations of all layers for some images, and what the net answers if one layer is changed.

    Args:
        net: the net.
        images: (B, C, H, W).
    """

    def __init__(self, net: Net, images: Tensor):
        self.nodes, self.graph = net.graph.path_to([net.layers[-1]]), net.graph
        self.last = net.graph.node(net.layers[-1])
        self.values: dict[fx.Node, Tensor] = {}
        with torch.inference_mode(False), torch.enable_grad():
            images = images.to(net.device, net.dtype, memory_format=torch.channels_last).requires_grad_()
            for node in self.nodes:
                self.values[node] = images if node.op == "placeholder" else self._call(node, self.values)

    def __getitem__(self, layer: str) -> Tensor:
        return self.values[self.graph.node(layer)]

    def answers(self, layer: str, activations: Tensor) -> Tensor:
        """The last layer's activations, (B, classes), if the layer had these instead of its own."""
        changed = {self.graph.node(layer): activations}
        with torch.inference_mode():
            for node in self.nodes:
                if node not in changed and any(one in changed for one in node.all_input_nodes):
                    changed[node] = self._call(node, {**self.values, **changed})
        return changed[self.last].flatten(1)

    def _call(self, node: fx.Node, values: Mapping[fx.Node, Tensor]) -> Tensor:
        operation: Any = self.graph.operation(node)
        if node.op == "get_attr":
            return operator.attrgetter(operation)(self.graph.model)
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
        if isinstance(operation, str):
            return getattr(args[0], operation)(*args[1:], **kwargs)
        return operation(*args, **kwargs)


def votes(rest: Rest, layer: str, channel: int) -> Tensor:
    """By how much each logit falls, in the mean over the images, if the channel is set to 0: (classes,)."""
    activations = rest[layer].detach()
    without = activations.clone()
    without[:, channel] = 0
    last = rest.values[rest.last].detach().flatten(1)
    return (last - rest.answers(layer, without)).mean(dim=0)


def made_of(rest: Rest, layer: str, before: str, channel: int, patches: Sequence[Patch]) -> Tensor:
    """The effective weight of each channel of the layer before, (channels before,).

    It is the gradient of the channel's strongest neuron, summed over positions and averaged over the images: if there
    is only a convolution between the two layers, the sum of its kernel over the positions that lie inside the image.
    """
    one = rest[layer]
    if one.ndim == 4:
        index = torch.arange(len(patches))
        one = one[index, channel, [patch.y for patch in patches], [patch.x for patch in patches]]
    else:
        one = one[:, channel]
    (grad,) = torch.autograd.grad(one.sum(), rest[before], retain_graph=True)
    return (grad.flatten(2).sum(2) if grad.ndim == 4 else grad).mean(dim=0)


def projections(view: Net, layer: str, channel: int, patches: Sequence[Patch]) -> list[Tensor]:
    """What excited the channel in each patch, as `project` gives it; for a layer of units, too."""
    if (view.run(patches[0].crop.image, [layer])[layer]).ndim == 4:
        return project(view, layer, channel, patches)
    _, grad = gradient(view, mean_of(layer, channel), torch.cat([patch.crop.image for patch in patches]))
    return [patch.cut(one[None]) for patch, one in zip(patches, grad, strict=True)]


def weighty_layers(net: Net) -> list[str]:
    """The layers that a microscope looks at if nobody says which: the blocks of the net that have weights.

    A block's name is that of the activation function right behind it, if there is one. The last is the net's last.
    """
    blocks: list[tuple[str, nn.Module]] = []
    for name, child in net.model.named_children():
        inside = isinstance(child, nn.Sequential) and not isinstance(net.model, nn.Sequential)
        blocks += [(f"{name}.{key}", part) for key, part in child.named_children()] if inside else [(name, child)]
    found: list[str] = []
    for name, block in blocks:
        if name not in net.graph.nodes:
            continue
        if any(isinstance(part, nn.Conv2d | nn.Linear) for part in block.modules()):
            found.append(name)
        elif found and _behind(net, found[-1], name) and not isinstance(block, nn.Dropout):
            found[-1] = name  # an activation function or a normalization
    return [*found[:-1], net.layers[-1]]


def _behind(net: Net, layer: str, name: str) -> bool:
    """Whether the node `name` does nothing but change each value of the layer: same number of maps, same size."""
    node, own = net.graph.node(name), net.graph.node(layer)
    kind = type(net.graph.operation(node)).__name__
    return node.all_input_nodes == [own] and not kind.startswith(("MaxPool", "AvgPool", "Adaptive", "Flatten"))


def _is_flat(net: Net, image: Tensor, layer: str) -> bool:
    with torch.inference_mode():
        return net.activations(image, [layer])[layer].ndim == 2


def _standardized(values: Tensor) -> Tensor:
    """Each column with mean 0 and length 1; a column that never changes becomes 0: (N, channels)."""
    centered = values.float() - values.float().mean(dim=0)
    lengths = centered.norm(dim=0)
    return torch.where(lengths > 1e-6 * values.abs().amax(dim=0).clamp(min=1e-12), centered / lengths, 0)
