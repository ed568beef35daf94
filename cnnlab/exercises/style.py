"""Checks of the exercises of chapter 09: Gram matrices, their gradient, and the colours of a restyled photograph."""

import torch
from torch import Tensor

from cnnlab.checks import Student, Wrong, answer, require, same, verdict
from cnnlab.gram import gram as gram_matrix


def _random(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@verdict
def check_gram(gram: Student) -> str:
    """`gram(activations)`: (B, channels, h, w) -> (B, channels, channels), means over the positions."""
    activations = _random((2, 3, 4, 5))
    expected = gram_matrix(activations)
    result = answer(gram, activations)
    if isinstance(result, Tensor):
        positions = activations.flatten(2)
        require(
            result.shape != (2, 20, 20) and not torch.allclose(result.sum(), (positions.mT @ positions).sum() / 20),
            "gram: one number for each pair of channels, not of positions: sum over the positions",
        )
        require(result.shape != (3, 3), "gram: one matrix per image: the batch stays a dimension of its own")
    same(result, expected, "gram(activations of shape (2, 3, 4, 5))")
    return "one matrix per image, whatever its height and width"


@verdict
def check_covariance(covariance: Student) -> str:
    """`covariance(activations)`: (B, channels, h, w) -> (B, channels, channels), of the channels over the positions."""
    activations = _random((2, 4, 3, 5))
    expected = torch.stack([torch.cov(flat, correction=0) for flat in activations.flatten(2)])
    result = answer(covariance, activations)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        gram = gram_matrix(activations)
        require(not torch.allclose(result, gram), "covariance: that is the Gram matrix: the means are still in it")
        whole = activations.flatten(2) - activations.mean((1, 2, 3)).view(-1, 1, 1)
        require(
            not torch.allclose(result, whole @ whole.mT / 15),
            "covariance: every channel has a mean of its own: over which dimensions?",
        )
    same(result, expected, "covariance(activations of shape (2, 4, 3, 5))")
    return "Gram less the products of the means: only what channels do together"


@verdict
def check_style_gradient(style_gradient: Student) -> str:
    """`style_gradient(F, A)`: F (N, M), A (N, N) a sum over positions -> the gradient of Gatys' style loss, (N, M)."""
    flat, target = _random((3, 8)) - 0.3, _random((3, 3), 1)
    target = 4 * (target + target.mT)
    variable = flat.clone().requires_grad_()
    loss = (variable @ variable.mT - target).square().sum() / (4 * 3**2 * 8**2)
    (expected,) = torch.autograd.grad(loss, variable)
    result = answer(style_gradient, flat, target)
    if isinstance(result, Tensor) and result.shape == expected.shape and torch.allclose(result, -expected):
        raise Wrong("style_gradient: the sign is turned: where G is too large, F must shrink")
    same(result, expected, "style_gradient(F of shape (3, 8), A)")
    return "as autograd has it: one matrix product, and no graph"


@verdict
def check_own_colours(own_colours: Student) -> str:
    """`own_colours(styled, photograph)`: brightness of the one, colours of the other, both (B, 3, H, W)."""
    styled, photograph = 0.4 + 0.2 * _random((2, 3, 4, 5)), 0.4 + 0.2 * _random((2, 3, 4, 5), 1)  # nothing is clipped
    expected = photograph + styled.mean(1, keepdim=True) - photograph.mean(1, keepdim=True)
    result = answer(own_colours, styled, photograph)
    turned = styled + photograph.mean(1, keepdim=True) - styled.mean(1, keepdim=True)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        require(not torch.allclose(result, turned), "own_colours: that is the photograph in the painting's colours")
    same(result, expected, "own_colours(styled of shape (2, 3, 4, 5), photograph)")
    extreme = answer(own_colours, torch.ones(1, 3, 2, 2), _random((1, 3, 2, 2)))
    in_range = isinstance(extreme, Tensor) and bool(((extreme >= 0) & (extreme <= 1)).all())
    require(in_range, "own_colours: an image stays in [0, 1]: clamp it at the end")
    return "strokes of the painting, colours of the photograph"
