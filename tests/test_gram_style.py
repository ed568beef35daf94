"""Gram matrices against loops, and the style distance against Gatys' formula and plain autograd."""

import pytest
import torch

from cnnlab.techniques.gram_style import gram, style

torch.manual_seed(0)
ACTIVATIONS = torch.rand(3, 4, 5, 7) - 0.5
IMAGE = torch.zeros(3, 3, 14, 18)  # style does not look at the image itself


def score(objective):
    assert objective.layers == {"conv2"}
    return objective.score(IMAGE, {"conv2": ACTIVATIONS})


def test_the_gram_matrix_is_the_double_loop():
    a = ACTIVATIONS
    loop = torch.tensor([[[(a[b, i] * a[b, j]).mean() for j in range(4)] for i in range(4)] for b in range(3)])
    assert torch.allclose(gram(a), loop, atol=1e-5)


def test_style_is_that_of_gatys_relative_to_its_size():
    a, other = ACTIVATIONS, torch.rand(1, 4, 9, 7)
    n, m = a.shape[1], a[0, 0].numel()
    sums = torch.einsum("bihw,bjhw->bij", a, a)
    target = torch.einsum("ihw,jhw->ij", other[0], other[0]) * m / 63  # as if the painting had as many positions
    gatys = ((sums - target) ** 2).sum((1, 2)) / (4 * n**2 * m**2)
    expected = gatys * 4 * n**2 / ((target / m) ** 2).sum()
    assert torch.allclose(score(style("conv2", gram(other))), expected, rtol=1e-4)


def test_the_gradient_of_style_is_that_of_the_gram_matrix_itself():  # though it takes a shorter way
    target = gram(torch.rand(1, 4, 9, 7))
    for layout in (torch.contiguous_format, torch.channels_last):
        a = ACTIVATIONS.detach().clone(memory_format=layout).requires_grad_()
        plain = ((gram(a) - target) ** 2).sum((1, 2)) / (target**2).sum()
        (expected,) = torch.autograd.grad(plain.sum(), a)
        (found,) = torch.autograd.grad(style("conv2", target).score(IMAGE, {"conv2": a}).sum(), a)
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-7)


def test_a_style_is_a_gram_matrix():
    with pytest.raises(ValueError, match="target must be a Gram matrix, symmetric"):
        style("conv2", torch.rand(1, 4, 4))
    with pytest.raises(ValueError, match="has shape \\(1, 5, 5\\), the image's is \\(3, 4, 4\\)"):
        score(style("conv2", gram(torch.rand(1, 5, 2, 2))))
