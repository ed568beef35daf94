"""Checks of the exercises of chapter 12: Gram matrix, covariance, a style's gradient, own colors, the means' share."""

import torch

from cnnlab.teaching.checks import Student, numbers, random_tensor, refuse, require, same, verdict, within
from cnnlab.techniques.gram_style import gram as gram_matrix


@verdict("there is one matrix per image, whatever its height and width")
def check_gram(gram: Student) -> None:
    """Check `gram(activations)`: (B, channels, h, w) -> (B, channels, channels), means over the positions."""
    activations = random_tensor((2, 3, 4, 5))
    result = gram(activations)
    shape = numbers(result, f"{gram}(activations of shape (2, 3, 4, 5))", "a torch tensor").shape
    require(shape[-2:] != (20, 20), f"{gram} compares channels, not positions: sum over the positions")
    require(shape != (3, 3), f"{gram} must give one matrix per image: the batch stays a dimension of its own")
    same(result, gram_matrix(activations), f"{gram}(activations of shape (2, 3, 4, 5))")


@verdict("the covariance is the Gram matrix minus the products of the means")
def check_covariance(covariance: Student) -> None:
    """Check `covariance(activations)`: (B, channels, h, w) -> (B, channels, channels), over the positions."""
    activations = random_tensor((2, 4, 3, 5))
    expected = torch.stack([torch.cov(flat, correction=0) for flat in activations.flatten(2)])
    one_mean = gram_matrix(activations - activations.mean((1, 2, 3), keepdim=True))
    result = covariance(activations)
    refuse(result, gram_matrix(activations), "that is the Gram matrix: the means are still in it")
    refuse(result, one_mean, "every channel has a mean of its own: over which dimensions?")
    same(result, expected, f"{covariance}(activations of shape (2, 4, 3, 5))")


@verdict("autograd gives the same gradient; yours needs one matrix product and no graph")
def check_style_gradient(style_gradient: Student) -> None:
    """Check `style_gradient(F, A)`: (M, N), (N, N) -> the gradient of the loss, (M, N). Gatys et al. 2015, eq. 6."""
    flat, target = random_tensor((8, 3)) - 0.3, random_tensor((3, 3), 1)
    target = 4 * (target + target.mT)
    variable = flat.clone().requires_grad_()
    loss = (variable.mT @ variable - target).square().sum() / (4 * 3**2 * 8**2)
    (expected,) = torch.autograd.grad(loss, variable)
    result = style_gradient(flat, target)
    refuse(result, -expected, "the sign is wrong: where G is too large, F must shrink")
    same(result, expected, f"{style_gradient}(F of shape (8, 3), A)")


@verdict("the strokes are the painting's, the colors are the photograph's")
def check_own_colors(own_colors: Student) -> None:
    """Check `own_colors(styled, photograph)`: brightness of the one, colors of the other, both (B, 3, H, W)."""
    styled, photograph = 0.4 + 0.2 * random_tensor((2, 2, 3, 4, 5))  # nothing is clipped
    lighter = styled.mean(1, keepdim=True) - photograph.mean(1, keepdim=True)
    result = own_colors(styled, photograph)
    refuse(result, styled - lighter, "that is the photograph in the painting's colors")
    same(result, photograph + lighter, f"{own_colors}(styled of shape (2, 3, 4, 5), photograph)")
    extreme = own_colors(torch.ones(1, 3, 2, 2), random_tensor((1, 3, 2, 2)))
    within(extreme, 0, 1, "an image stays in [0, 1]: clamp it at the end")


@verdict("if no channel ever changes the share is 1, if all means are 0 it is 0")
def check_share_of_means(share_of_means: Student) -> None:
    """Check `share_of_means(activations)`: (B, channels, h, w) -> (B,), |m m^T|^2 / |G|^2 with the means m."""
    activations = random_tensor((2, 4, 3, 5)) - torch.tensor([[[0.0]], [[0.3]], [[0.5]], [[0.8]]])
    activations[1] += 0.4
    of_means = activations.mean((2, 3)).square().sum(1).square()  # |m m^T|^2 = |m|^4
    matrices = gram_matrix(activations)
    whole, diagonal = matrices.square().sum((1, 2)), matrices.diagonal(dim1=1, dim2=2).square().sum(1)
    result = share_of_means(activations)
    refuse(result, diagonal / whole, "that is the share of the diagonal: it holds mean squares, not the means")
    refuse(result, (of_means / whole).sqrt(), "both sizes are squared: |m mᵀ|² / |G|²")
    refuse(result, 1 - of_means / whole, "that is what the means leave over")
    same(result, of_means / whole, f"{share_of_means}(activations of shape (2, 4, 3, 5))")
