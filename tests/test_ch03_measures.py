"""What chapter 03 measures: stripes have one direction, noise has none, and a neighbor is the nearest digit."""

import math

import pytest
import torch
from torch import Generator

from cnnlab.chapters import ch03_measures as measures
from cnnlab.training import Examples


def stripes(degrees: float) -> torch.Tensor:
    """Stripes whose gray changes in this direction, from right to down."""
    across = torch.arange(28.0)
    angle = math.radians(degrees)
    return (0.5 + 0.5 * torch.sin(across[:, None] * math.sin(angle) + across * math.cos(angle)))[None, None]


@pytest.mark.parametrize("degrees", [0, 30, 60, 90])
def test_stripes_have_one_direction_in_all_quarters(degrees: float) -> None:
    found = measures.orientation(stripes(degrees))
    assert 0.7 < found.abs().item() <= 1
    turned = torch.polar(torch.tensor(1.0), torch.tensor(math.radians(2 * degrees)))
    assert math.degrees(abs((found / turned).angle().item())) / 2 < 5
    assert measures.same_everywhere(stripes(degrees)).item()


def test_noise_has_no_direction_and_two_halves_differ() -> None:
    noise = torch.rand(100, 1, 28, 28, generator=Generator().manual_seed(0))
    assert measures.orientation(noise).abs().mean() < 0.1
    assert measures.same_everywhere(noise).float().mean() < 0.1
    half = torch.cat([stripes(0)[..., :14], stripes(90)[..., :14]], dim=3)
    assert not measures.same_everywhere(half).item()
    assert measures.orientation(torch.ones(1, 1, 28, 28)).abs().item() == 0


def test_thinned_images_have_the_ink_that_was_asked_for() -> None:
    image = torch.rand(10, 1, 28, 28, generator=Generator().manual_seed(0))
    thin = measures.thinned(image, 0.1, Generator().manual_seed(1))
    assert abs(thin.mean().item() - 0.1) < 0.01
    assert ((thin == 0) | (thin == image)).all()


def test_the_neighbor_is_the_nearest_training_digit() -> None:
    train = Examples(torch.rand(6, 1, 4, 4, generator=Generator().manual_seed(0)), torch.tensor([3, 1, 4, 1, 5, 9]))
    labels, distances = measures.neighbor(train.images + 0.01, train)
    assert labels.tolist() == train.labels.tolist()
    torch.testing.assert_close(distances, torch.full((6,), 0.04), atol=1e-3, rtol=0)
