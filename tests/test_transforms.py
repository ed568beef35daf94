"""Transforms: what they change, and what they leave."""

import copy
import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Generator

from cnnlab.material.photos import photo
from cnnlab.techniques.dreaming import soften
from cnnlab.transforms import blur, compose, jitter, wobble


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


def test_blur_is_scipys():
    image = torch.rand(2, 3, 20, 31, dtype=torch.float64)
    expected = ndimage.gaussian_filter(image.numpy(), (0, 0, 1.5, 1.5), mode="nearest", truncate=10 / 3)
    assert np.abs(blur(image, 1.5).numpy() - expected).max() < 1e-9
    assert blur(image, 0) is image


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
        (lambda image: blur(image, math.nan), "sigma must be pixels"),
        (lambda image: blur(image * math.inf, 1), "image must be finite"),
    ],
)
def test_amounts_that_make_no_sense_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(photo("cat", 8))
