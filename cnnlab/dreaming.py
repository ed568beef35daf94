"""Deep Dream: make a layer fire more at whatever it already fires at, from coarse to fine.

    image = dream(load_net(), -energy("fire7"), photo("china", (384, 576))).finish()

(Mordvintsev, Olah & Tyka 2015, "Inceptionism: going deeper into neural networks".)
"""

import torch
from torch import Tensor

from cnnlab.descent import Run, descend, gradient
from cnnlab.nets import Net
from cnnlab.objectives import Activations, Objective, objective
from cnnlab.octaves import carry
from cnnlab.steps import StepRule, Transform, compose, jitter, normalized, soften


def dream(
    net: Net,
    objective: Objective,
    image: Tensor,
    *,
    octaves: int = 4,
    scale: float = 1.4,
    steps: int = 10,
    step: StepRule | None = None,
    transform: Transform | None = None,
    tile: int = 640,
) -> Run:
    """Dream into the image: descend on it small, then larger and larger, what was dreamed carried along.

    Args:
        net: the network, frozen.
        objective: what to minimise: `-energy(layer)`, `-channel(layer, number)`, `-best_match(layer, guide)` ...
        image: the photograph, (B, C, H, W) in [0, 1]; the dream has its size.
        octaves: how many sizes; the last one is the image's own.
        scale: from one size to the next.
        steps: how many at each size.
        step: None is normalized(0.01).
        transform: done before the net sees the image, anew at each step; None is a cyclic shift by any distance
            (`jitter`), and `soften`.
        tile: the net sees the image in parts of at most so many pixels high and wide, one after the other. That bounds
            the memory; the cyclic shift moves the parts' borders at each step, so that they do not show.
    """
    aim = objective if max(image.shape[-2:]) <= tile else in_tiles(net, objective, tile)
    adrift = transform or compose(jitter(max(image.shape[-2:])), soften)

    def stage(image: Tensor, _: int) -> Run:
        return descend(net, aim, image, steps=steps, step=step or normalized(0.01), transform=adrift)

    return carry(stage, image, octaves, scale)


def in_tiles(net: Net, part: Objective, tile: int) -> Objective:
    """An objective evaluated part by part of the image, which bounds the memory: its values are summed over the tiles.

    The image is cut into the fewest equal rows and columns of at most `tile` pixels. The net sees one tile at a time,
    which gives the value and the gradient in this tile; then it is forgotten. An image of one tile has the same value
    and gradient as without. With more, tiles end in the net's padding as images do: move them (`jitter`).

    Args:
        net: the network, frozen.
        part: the objective of a tile: one that is a sum or a mean over positions.
        tile: the largest height and width, in pixels.
    """
    if tile < 32:
        raise ValueError(f"tile must be at least 32 pixels, not {tile}")
    if unknown := sorted(part.layers - set(net.layers)):
        raise ValueError(f"unknown layer {unknown[0]!r}: this net has {', '.join(net.layers)}")

    def score(image: Tensor, _: Activations) -> Tensor:
        return _TileByTile.apply(image, net, part, tile)

    return objective(f"{part} in tiles", score)


class _TileByTile(torch.autograd.Function):
    """The gradient is made on the way forward, tile by tile; on the way back it is only handed out."""

    @staticmethod
    def forward(ctx, image: Tensor, net: Net, part: Objective, tile: int) -> Tensor:  # type: ignore[no-untyped-def]
        values, grad = torch.zeros(len(image), device=image.device), torch.empty_like(image)
        height, width = image.shape[-2:]
        rows, columns = _cuts(height, tile), _cuts(width, tile)
        for y in rows:
            for x in columns:
                with torch.enable_grad():
                    value, grad[..., y, x] = gradient(net, part, image[..., y, x])
                values += value
        ctx.save_for_backward(grad)
        return values

    @staticmethod
    def backward(ctx, upstream: Tensor):  # type: ignore[no-untyped-def]
        (grad,) = ctx.saved_tensors
        return grad * upstream.view(-1, 1, 1, 1), None, None, None


def _cuts(length: int, tile: int) -> list[slice]:
    """The fewest parts of at most `tile`, whose lengths differ by 1 at most: for 1000 and 640, 0:500 and 500:1000."""
    parts = -(-length // tile)
    ends = [length * number // parts for number in range(parts + 1)]
    return [slice(start, end) for start, end in zip(ends, ends[1:], strict=False)]
