"""The checks of chapter 07 name likely mistakes; test_exercises.py tries the solutions."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from answers import assert_says
from torch import Tensor

from cnnlab.chapters import ch07_checks as checks
from cnnlab.chapters.ch07_antialias import BlurPool


def wheel(turns: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Callable[[Tensor], Tensor]:
    """An answer that turns the corners top left, top right, bottom left, bottom right by so many quarters."""

    def pinwheel(image: Tensor) -> Tensor:
        a, b, c, d = (image.to(dtype).rot90(number, (2, 3)) for number in turns)
        return torch.cat([torch.cat([a, b], 3), torch.cat([c, d], 3)], 2)

    return pinwheel


@pytest.mark.parametrize(
    ("turns", "said"),
    [
        ((0, 3, 1, 2), None),
        ((1, 0, 2, 3), None),  # it may begin at any corner
        ((0, 1, 3, 2), "wrong sense"),
        ((0, 0, 0, 0), "quarter turn"),
    ],
)
def test_pinwheel(turns: tuple[int, ...], said: str | None) -> None:
    assert_says(checks.check_pinwheel, wheel(turns), said)
    assert_says(checks.check_pinwheel, wheel(turns, torch.float64), said)


def test_pinwheel_of_other_things() -> None:
    assert_says(checks.check_pinwheel, lambda image: image, "must be a tensor of shape")
    assert_says(checks.check_pinwheel, lambda image: "a wheel", "must be|expected")
    assert_says(checks.check_pinwheel, lambda image: torch.zeros(1, 3, 12, 12), "top left corner")


def test_slopes() -> None:
    assert checks.exponent(torch.tensor([1.0, 2, 4]), torch.tensor([3.0, 12, 48])) == pytest.approx(2)
    assert_says(checks.check_exponent, checks.exponent, None)
    assert_says(
        checks.check_exponent, lambda x, y: ((x.log() * y.log()).sum() / x.log().square().sum()).item(), "through 0"
    )


def test_distances() -> None:
    def of_maps(a: Tensor, b: Tensor) -> Tensor:
        return (b - a).flatten(1).norm(dim=1) / a.norm()

    assert_says(checks.check_relative_distance, lambda a, b: of_maps(a.double(), b.double()), None)
    assert_says(checks.check_pooled_distance, of_maps, "each channel's mean first")


def one_way(maps: Tensor) -> Tensor:
    padded = F.pad(maps, (0, 0, 1, 1), mode="reflect")
    return ((padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) / 4)[..., ::2, ::2]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (BlurPool(), None),
        (lambda maps: BlurPool()(maps.double()), None),
        (BlurPool(stride=1), "no position is skipped"),
        (lambda maps: maps[..., ::2, ::2], "nothing is blurred"),
        (lambda maps: BlurPool(stride=1)(maps[..., ::2, ::2]), "before you skip"),
        (lambda maps: BlurPool(stride=1)(maps)[..., 1::2, 1::2], "positions 1, 3, 5"),
        (lambda maps: 16 * BlurPool()(maps), "divide by 4"),
        (one_way, "one axis only"),
        (lambda maps: F.avg_pool2d(maps, 2), "must have|expected|is"),
        (lambda maps: "a blur", "must be|expected"),
    ],
)
def test_blur_pool(answer: Callable[[Tensor], Tensor], said: str | None) -> None:
    assert_says(checks.check_blur_pool, answer, said)
