"""Gram matrices, which describe the style of an image in a layer, and the distance between two styles. Chapter 12."""

import torch
from torch import Tensor

from cnnlab.inputs import constant, feature_maps
from cnnlab.objectives import Activations, Objective, custom


def gram(activations: Tensor) -> Tensor:
    """Gram matrix: how strongly channels fire together, G_ij = mean_p a_ip a_jp over all positions p. Chapter 12.

    (B, channels, h, w) -> (B, channels, channels). Gatys et al. 2015, eq. 3, takes the sum over the M positions; with
    the mean, images of different sizes can be compared.
    """
    activations = feature_maps(activations)
    flat = activations.movedim(1, -1).flatten(1, 2)  # (B, positions, channels): no copy, as nets are channels_last
    return flat.mT @ flat / flat.shape[1]


def style(layer: str, target: Tensor) -> Objective:
    """Distance from a Gram matrix, relative to its size: |gram(a) - target|^2 / |target|^2. Chapter 12.

    With means instead of sums over the M positions, the style loss of Gatys et al. 2015, eq. 4, is
    1 / (4 N^2 M^2) |M gram(a) - M target|^2 = |gram(a) - target|^2 / (4 N^2) for N channels: this distance times
    |target|^2 / (4 N^2). With relative distances, all layers of a sum have the same weight.

    The target is `gram(activations)` of a painting of any size, symmetric (1, N, N), or one per image of the batch. A
    target that is not symmetric, or that has another number of channels than the layer, raises a ValueError.
    """
    target = constant(target)
    if target.ndim != 3 or target.shape[1] != target.shape[2] or not torch.allclose(target, target.mT, rtol=1e-3):
        raise ValueError(f"target must be a Gram matrix, symmetric (1, N, N) or (B, N, N), not {tuple(target.shape)}")
    with torch.inference_mode(False):
        size = target.flatten(1).square().sum(1).clamp(min=1e-12)  # (1,) or (B,)

    def score(_: Tensor, captured: Activations) -> Tensor:
        activations = feature_maps(captured[layer], f"activations of {layer!r}")
        if target.shape[1] != activations.shape[1] or target.shape[0] not in (1, len(activations)):
            found = tuple(gram(activations).shape)
            raise ValueError(f"target of {layer!r} has shape {tuple(target.shape)}, the image's is {found}")
        return _GramDistance.apply(activations, target.to(activations)) / size.to(activations)

    return custom(f"|gram {layer} - style|² / |style|²", score, layer)


class _GramDistance(torch.autograd.Function):
    """|gram(a) - target|^2 with its gradient written out: dL/da_p = 4 / M (gram(a) - target) a_p, M positions p.

    These products are most of the cost of style transfer. The difference is symmetric, so the backward pass needs one
    matrix product instead of autograd's two, and its result is already channels_last.
    """

    @staticmethod
    def forward(ctx, activations: Tensor, target: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        flat = activations.movedim(1, -1).flatten(1, 2)  # (B, positions, channels)
        target = target.expand(len(flat), -1, -1)
        gap = torch.baddbmm(target, flat.mT, flat, beta=-1, alpha=1 / flat.shape[1])  # (B, channels, channels)
        ctx.save_for_backward(flat, gap)
        ctx.size = activations.shape[2:]
        return gap.flatten(1).square().sum(1)

    @staticmethod
    def backward(ctx, upstream: Tensor):  # type: ignore[no-untyped-def]
        flat, gap = ctx.saved_tensors
        grad = flat @ (gap * (4 / flat.shape[1] * upstream).view(-1, 1, 1))  # (B, positions, channels)
        return grad.unflatten(1, ctx.size).movedim(-1, 1), None
