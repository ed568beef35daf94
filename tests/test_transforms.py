"""Transforms: what they change, and what they leave."""

import copy
import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Generator

from cnnlab.material.photos import photo
from cnnlab.transforms import affine, blur, compose, jitter, soften, wobble

STILL = {"degrees": 0, "scale": 0, "shift": 0, "shear": 0}


def test_jitter_rolls_within_its_bound_and_repeats():
    image = torch.zeros(1, 1, 21, 21)
    image[0, 0, 10, 10] = 1
    positions = []
    for transform in (jitter(3), jitter(3)):
        positions.append([transform(image)[0, 0].nonzero()[0].tolist() for _ in range(60)])
    assert positions[0] == positions[1]
    rows = {position[0] for position in positions[0]}
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


def test_blur_is_scipys():
    image = torch.rand(2, 3, 20, 31, dtype=torch.float64)
    expected = ndimage.gaussian_filter(image.numpy(), (0, 0, 1.5, 1.5), mode="nearest", truncate=10 / 3)
    assert np.abs(blur(image, 1.5).numpy() - expected).max() < 1e-9
    assert blur(image, 0) is image


def test_affine_with_no_amounts_changes_nothing() -> None:
    images = torch.rand((3, 2, 9, 14), generator=Generator().manual_seed(0))
    torch.testing.assert_close(affine(images, Generator().manual_seed(0), **STILL), images)


def test_affine_turns_a_rectangle_without_bending_it() -> None:
    """A quarter turn of the middle square of a wide image is torch.rot90."""
    images = torch.zeros(1, 1, 9, 15)
    images[..., 3:12] = torch.rand((1, 1, 9, 9), generator=Generator().manual_seed(0))
    amount = float(2 * torch.rand((5, 1), generator=Generator().manual_seed(0))[0, 0] - 1)  # the first one drawn
    turned = affine(images, Generator().manual_seed(0), **STILL | {"degrees": 90 / amount})
    square = images[..., 3:12]
    assert any(
        torch.allclose(turned[..., 3:12], torch.rot90(square, turns, dims=(2, 3)), atol=1e-4) for turns in (1, -1)
    )


def test_affine_moves_each_image_by_itself_and_within_bounds() -> None:
    images = torch.zeros(200, 1, 21, 33)
    images[:, :, 10, 16] = 1  # a point in the middle
    moved = affine(images, Generator().manual_seed(0), **STILL | {"shift": 3})
    y, x = torch.meshgrid(torch.arange(21.0), torch.arange(33.0), indexing="ij")
    down, right = ((moved[:, 0] * axis).sum((1, 2)) - middle for axis, middle in ((y, 10), (x, 16)))
    for shift in (down, right):
        assert shift.abs().max() <= 3 + 1e-4
        assert shift.std() > 1
    assert torch.equal(moved, affine(images, Generator().manual_seed(0), **STILL | {"shift": 3}))


def test_affine_enlarges_by_the_factor_it_says() -> None:
    y = torch.linspace(-20, 20, 41)
    disc = (10.5 - torch.hypot(y[:, None], y[None, :])).clamp(0, 1).expand(300, 1, 41, 41)
    area = affine(disc.contiguous(), Generator().manual_seed(0), **STILL | {"scale": 0.2}).sum((1, 2, 3))
    factor = (area / disc[0].sum()).sqrt()
    assert 0.79 < factor.min() < 0.82
    assert 1.18 < factor.max() < 1.21


@pytest.mark.parametrize("shake", [jitter(3), wobble(9, 1.2), compose(wobble(9, 1.2), jitter(3), soften)])
def test_a_copy_repeats_the_random_numbers(shake):
    """A run works on a copy, so two runs with one transform are equal."""
    image = photo("cat", 24)
    first, second = copy.deepcopy(shake), copy.deepcopy(shake)
    shown = [first(image), first(image)]
    assert not torch.equal(*shown)
    assert all(torch.equal(second(image), one) for one in shown)


def test_two_transforms_with_one_generator_share_it_in_the_copy_too():
    generator = Generator().manual_seed(0)
    shake = copy.deepcopy(compose(jitter(5, generator), jitter(5, generator)))
    moves = torch.randint(-5, 6, (4,), generator=generator).tolist()
    image = photo("cat", 24)
    assert torch.equal(shake(image), image.roll((moves[0] + moves[2], moves[1] + moves[3]), (-2, -1)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda image: jitter(-1), "pixels must be at least 0"),
        (lambda image: jitter(1.5), "pixels must be a whole number"),
        (lambda image: wobble(5, 0), "scale, a factor"),
        (lambda image: wobble(math.nan, 1), "degrees must be finite"),
        (lambda image: soften(image, times=-1), "times must be at least 0"),
        (lambda image: blur(image, math.nan), "sigma must be pixels"),
        (lambda image: blur(image * math.inf, 1), "image must be finite"),
        (lambda image: affine(image, Generator(), scale=1), r"\|scale\| below 1"),
        (lambda image: affine(image[0], Generator()), r"image\[None\] makes a batch"),
    ],
)
def test_amounts_that_make_no_sense_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(photo("cat", 8))
