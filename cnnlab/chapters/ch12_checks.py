"""Checks of the exercises of chapter 12: Gram matrix, covariance, the gradient of a style, the photograph's colors."""

import torch
from torch import Tensor

from cnnlab.teaching.checks import Student, Wrong, answer, random_tensor, require, same, verdict
from cnnlab.techniques.gram_style import gram as gram_matrix


@verdict
def check_gram(gram: Student) -> str:
    """Check `gram(activations)`: (B, channels, h, w) -> (B, channels, channels), means over the positions."""
    activations = random_tensor((2, 3, 4, 5))
    expected = gram_matrix(activations)
    result = answer(gram, activations)
    if isinstance(result, Tensor):
        positions = activations.flatten(2)
        of_positions = torch.allclose(result.sum(), (positions.mT @ positions).sum() / 20)
        of_positions = of_positions or result.shape == (2, 20, 20)
        require(not of_positions, "gram: pairs of channels are asked for, not of positions: sum over the positions")
        require(result.shape != (3, 3), "gram: one matrix per image: the batch stays a dimension of its own")
    same(result, expected, "gram(activations of shape (2, 3, 4, 5))")
    return "there is one matrix per image, whatever its height and width"


@verdict
def check_covariance(covariance: Student) -> str:
    """Check `covariance(activations)`: (B, channels, h, w) -> (B, channels, channels), over the positions."""
    activations = random_tensor((2, 4, 3, 5))
    expected = torch.stack([torch.cov(flat, correction=0) for flat in activations.flatten(2)])
    result = answer(covariance, activations)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        gram = gram_matrix(activations)
        require(not torch.allclose(result, gram), "covariance: that is the Gram matrix: the means are still in it")
        whole = activations.flatten(2) - activations.mean((1, 2, 3)).view(-1, 1, 1)
        one_mean = torch.allclose(result, whole @ whole.mT / 15)
        require(not one_mean, "covariance: every channel has a mean of its own: over which dimensions?")
    same(result, expected, "covariance(activations of shape (2, 4, 3, 5))")
    return "the covariance is the Gram matrix minus the products of the means"


@verdict
def check_style_gradient(style_gradient: Student) -> str:
    """Check `style_gradient(F, A)`: F (N, M), A (N, N) a sum over positions -> the gradient of the style loss (N, M).

    Source: Gatys et al. 2015, "A neural algorithm of artistic style", eq. 6.
    """
    flat, target = random_tensor((3, 8)) - 0.3, random_tensor((3, 3), 1)
    target = 4 * (target + target.mT)
    variable = flat.clone().requires_grad_()
    loss = (variable @ variable.mT - target).square().sum() / (4 * 3**2 * 8**2)
    (expected,) = torch.autograd.grad(loss, variable)
    result = answer(style_gradient, flat, target)
    if isinstance(result, Tensor) and result.shape == expected.shape and torch.allclose(result, -expected):
        raise Wrong("style_gradient: the sign is wrong: where G is too large, F must shrink")
    same(result, expected, "style_gradient(F of shape (3, 8), A)")
    return "autograd gives the same gradient; yours needs one matrix product and no graph"


@verdict
def check_own_colors(own_colors: Student) -> str:
    """Check `own_colors(styled, photograph)`: brightness of the one, colors of the other, both (B, 3, H, W)."""
    styled, photograph = (0.4 + 0.2 * random_tensor((2, 3, 4, 5), seed) for seed in (0, 1))  # nothing is clipped
    expected = photograph + styled.mean(1, keepdim=True) - photograph.mean(1, keepdim=True)
    result = answer(own_colors, styled, photograph)
    turned = styled + photograph.mean(1, keepdim=True) - styled.mean(1, keepdim=True)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        require(not torch.allclose(result, turned), "own_colors: that is the photograph in the painting's colors")
    same(result, expected, "own_colors(styled of shape (2, 3, 4, 5), photograph)")
    extreme = answer(own_colors, torch.ones(1, 3, 2, 2), random_tensor((1, 3, 2, 2)))
    in_range = isinstance(extreme, Tensor) and bool(((extreme >= 0) & (extreme <= 1)).all())
    require(in_range, "own_colors: an image stays in [0, 1]: clamp it at the end")
    return "the strokes are the painting's, the colors are the photograph's"
