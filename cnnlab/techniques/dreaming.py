"""Deep Dream: make a layer fire more at whatever it already fires at, from coarse to fine. Chapter 11.

    image = dream(load_net(), -energy("fire7"), photo("china", (384, 576))).finish()

Source: Mordvintsev, Olah & Tyka 2015, "Inceptionism: going deeper into neural networks".
"""

import copy

import torch
from torch import Tensor

from cnnlab.descent import descend, gradient
from cnnlab.inputs import as_floats, as_image, constant, feature_maps, integer
from cnnlab.nets import Net
from cnnlab.objectives import Activations, Objective, custom
from cnnlab.runs import Run
from cnnlab.steps import StepRule, normalized
from cnnlab.techniques.stages import carry
from cnnlab.transforms import Transform, compose, jitter


def dream(
    net: Net, objective: Objective, image: Tensor, *, octaves: int = 4, scale: float = 1.4, steps: int = 10,
    step: StepRule | None = None, transform: Transform | None = None, tile: int = 640,
) -> Run:  # fmt: skip
    """Dream into the image: descend on it small, then larger and larger, and carry along what was dreamed. Chapter 11.

    Args:
        objective: what to minimize: `-energy(layer)`, `-channel(layer, number)`, `-best_match(layer, guide)` ...
        image: the photograph, (B, C, H, W) in [0, 1]; the dream has its size.
        octaves: the number of sizes; the last one is the image's own.
        scale: the enlargement from one octave to the next.
        steps: how many at each size.
        step: None is normalized(0.01).
        transform: what is done to the image before the net sees it, anew at each step; None is a cyclic shift by any
            distance (`jitter`), then `soften`.
        tile: a larger image is shown to the net in tiles of at most so many pixels high and wide, which bounds the
            memory. The cyclic shift moves the borders of the tiles at each step, so that they do not show.
    """
    image = as_image(image)
    bounded = objective if max(image.shape[-2:]) <= integer(tile, "tile", 32) else in_tiles(net, objective, tile)
    moved = copy.deepcopy(transform) or compose(jitter(max(image.shape[-2:])), soften)

    def move(seen: Tensor) -> Tensor:  # `descend` copies no function: the shifts go on from octave to octave
        return moved(seen)

    def stage(image: Tensor, _: int) -> Run:
        return descend(net, bounded, image, steps=steps, step=step or normalized(0.01), transform=move)

    return carry(stage, image, octaves, scale)


def in_tiles(net: Net, objective: Objective, tile: int) -> Objective:
    """The sum of an objective over the tiles of the image; the net sees one tile at a time, which bounds the memory.

    The image is cut into the fewest equal rows and columns of at most `tile` pixels. For each tile the net gives the
    value and the gradient, and then forgets its activations. With a single tile, both are the same as without tiles.
    With several, each tile is padded at its borders as an image is: move the borders at each step (`jitter`). The
    objective should be a sum or a mean over positions. A tile below 32 pixels raises a ValueError.

    The new objective runs the net by itself. So it reads the image only, and its `layers` are empty: `descend` and
    `gradient` do not run the net a second time. Chapter 11.
    """
    tile = integer(tile, "tile", 32)
    return custom(f"{objective} in tiles", lambda image, _: _TileByTile.apply(image, net, objective, tile))


class _TileByTile(torch.autograd.Function):
    """The forward pass computes the gradient too, tile by tile; the backward pass only scales it."""

    @staticmethod
    def forward(ctx, image: Tensor, net: Net, objective: Objective, tile: int) -> Tensor:  # type: ignore[no-untyped-def]
        values, grad = image.new_zeros(len(image)), torch.empty_like(image)
        rows, columns = (_cuts(length, tile) for length in image.shape[-2:])
        for y in rows:
            for x in columns:
                with torch.enable_grad():
                    value, grad[..., y, x] = gradient(net, objective, image[..., y, x])
                values += value
        ctx.save_for_backward(grad)
        return values

    @staticmethod
    def backward(ctx, upstream: Tensor):  # type: ignore[no-untyped-def]
        (grad,) = ctx.saved_tensors
        return grad * upstream.view(-1, 1, 1, 1), None, None, None


def _cuts(length: int, tile: int) -> list[slice]:
    """Cut a length into the fewest slices of at most `tile`, which differ by 1 at most: 1000 by 640 is 500 and 500."""
    count = -(-length // tile)
    return [slice(length * number // count, length * (number + 1) // count) for number in range(count)]


def best_match(layer: str, guide: Tensor) -> Objective:
    """How well the layer's features match those of a guide: sum_p max_q a_p . g_q. Chapter 11.

    a_p and g_q are the channels' values at position p of the image and position q of the guide. The gradient with
    respect to a_p is the guide's feature that matches best, g_q (Mordvintsev et al. 2015, "guided dreams").

    The guide is the activations of one image of any size, (1, channels, h, w). A guide of another shape, or of another
    number of channels than the layer, raises a ValueError.
    """
    guide = constant(guide, "guide")
    if guide.ndim != 4 or len(guide) != 1 or not guide.numel():
        raise ValueError(f"guide must be the activations of one image, (1, channels, h, w), not {tuple(guide.shape)}")
    features = guide[0].flatten(1)  # (channels, Q)

    def score(_: Tensor, activations: Activations) -> Tensor:
        maps = feature_maps(activations[layer], f"activations of {layer!r}")
        there = features.to(maps)
        if maps.shape[1] != len(features):
            raise ValueError(f"guide has {len(features)} channels, {layer!r} has {maps.shape[1]}")
        flat = maps.flatten(2)  # (B, channels, P)
        best = (there.T @ flat.detach()).argmax(1)  # (B, Q, P) -> (B, P)
        return (flat * there[:, best].transpose(0, 1)).sum((1, 2))

    return custom(f"match({layer}, guide)", score, layer)


def soften(image: Tensor, times: int = 1) -> Tensor:
    """Blur with the kernel (1 2 1) / 4 along rows and columns, `times` times; the image wraps around at its edges.

    The blur's sigma is sqrt(times / 2) pixels. As a transform before the net it blurs the gradient too, so that no
    pixel moves far from its neighbors. (Averaging shifted copies is faster than a convolution.) Chapter 11.
    """
    return _Soften.apply(as_floats(image), integer(times, "times"))


class _Soften(torch.autograd.Function):
    """A cyclic blur with a symmetric kernel is its own adjoint: the gradient is blurred in the same way."""

    @staticmethod
    def forward(ctx, image: Tensor, times: int) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.times = times
        soft = image.clone() if times == 0 else image
        for _ in range(times):
            for dim in (-1, -2):
                soft = soft.roll(1, dim).lerp_(soft, 0.5)  # (1 1) / 2 to one side, then to the other, is (1 2 1) / 4
                soft = soft.roll(-1, dim).lerp_(soft, 0.5)
        return soft

    @staticmethod
    def backward(ctx, upstream: Tensor):  # type: ignore[no-untyped-def]
        return _Soften.forward(ctx, upstream, ctx.times), None
