"""Transforms: what they change, and what they leave."""

import torch

from cnnlab.images import blur, photo
from cnnlab.steps import compose, jitter, soften, wobble


def test_jitter_rolls_within_its_bound_and_repeats():
    image = torch.zeros(1, 1, 21, 21)
    image[0, 0, 10, 10] = 1
    places = []
    for transform in (jitter(3), jitter(3)):
        places.append([transform(image)[0, 0].nonzero()[0].tolist() for _ in range(60)])
    assert places[0] == places[1]
    rows = {place[0] for place in places[0]}
    assert rows == set(range(7, 14))


def test_wobble_at_rest_is_the_identity_and_else_keeps_a_symmetric_picture():
    image = photo("cat", 40)
    assert torch.allclose(wobble(0, 1)(image), image, atol=1e-5)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 61), torch.linspace(-1, 1, 61), indexing="ij")
    disc = torch.exp(-4 * (x**2 + y**2))[None, None]
    assert (wobble(45, 1)(disc) - disc)[..., 10:-10, 10:-10].abs().max() < 0.01
    assert (wobble(0, 1.5)(disc) - disc).abs().max() > 0.05


def test_compose_applies_the_first_first():
    assert compose(lambda x: x + 1, lambda x: x * 10)(torch.ones(1)).item() == 20


def test_soften_is_a_gaussian_of_half_a_pixel_squared_and_cyclic():
    dot = torch.zeros(1, 1, 21, 21)
    dot[..., 0, 0] = 1
    row = torch.tensor([1.0, 2, 1]) / 4
    soft = soften(dot).roll((10, 10), (-2, -1))[0, 0]
    assert torch.allclose(soft[9:12, 9:12], torch.outer(row, row))
    assert soft.sum() == 1
    wide = soften(dot, times=8).roll((10, 10), (-2, -1))
    assert torch.allclose(wide, blur(dot.roll((10, 10), (-2, -1)), 2.0), atol=2e-3)
    assert torch.equal(soften(dot, times=0), dot)


def test_soften_sends_the_gradient_back_through_its_own_blur():
    image = torch.rand(2, 3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    for times in (0, 1, 3):
        assert torch.autograd.gradcheck(lambda x, times=times: soften(x, times), image)
