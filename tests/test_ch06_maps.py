"""The measures of chapter 06: where a map is hot, and how well it agrees with an outline."""

import pytest
import torch
from torch import Generator, nn

from cnnlab import Net, logit, named
from cnnlab.chapters import ch06_maps as maps, ch06_things as things
from cnnlab.zoo.load import load_net


@pytest.fixture
def mask() -> torch.Tensor:
    inside = torch.zeros(64, 64, dtype=torch.bool)
    inside[16:32, 8:24] = True  # four cells of 8 pixels
    return inside


def test_agreement_is_1_on_the_thing_and_half_by_chance(mask: torch.Tensor) -> None:
    assert maps.agreement(mask.float(), mask) == 1
    assert maps.agreement(1 - mask.float(), mask) == 0
    assert maps.agreement(torch.zeros(64, 64), mask) == 0.5
    chance = [maps.agreement(torch.rand(64, 64, generator=Generator().manual_seed(i)), mask) for i in range(200)]
    assert sum(chance) / 200 == pytest.approx(0.5, abs=0.03)


def test_a_perfect_map_beats_all_moved_outlines_and_a_constant_one_none(mask: torch.Tensor) -> None:
    assert maps.outlines_beaten(mask.float(), mask) == pytest.approx(63 / 64)  # all but the one that is not moved
    assert maps.outlines_beaten(torch.zeros(64, 64), mask) == 0


def test_a_pixel_has_the_mean_drop_of_the_patches_that_cover_it() -> None:
    drops = torch.tensor([[1.0, 3.0]])
    expected = torch.tensor([[1.0, 1.0, 2.0, 2.0, 3.0, 3.0]]).repeat(4, 1)
    torch.testing.assert_close(maps.spread(drops, patch=4, stride=2), expected)


def test_likeness_is_the_rank_correlation_of_the_cells() -> None:
    heat = torch.rand(64, 64, generator=Generator().manual_seed(0))
    assert maps.likeness(heat, 2 * heat + 1) == pytest.approx(1)
    assert maps.likeness(heat, -heat) == pytest.approx(-1)
    assert maps.likeness(heat, torch.zeros(64, 64)) == 0


def test_the_mean_drop_is_largest_where_the_net_looks() -> None:
    chain = named(pick=nn.Conv2d(3, 1, 64, bias=False), logits=nn.Flatten())
    with torch.no_grad():
        chain.pick.weight.zero_()[..., 16:32, 8:24] = 1
    drop = maps.mean_drop(Net(chain, device="cpu"), torch.ones(1, 3, 64, 64), logit(0))
    assert drop[16:32, 8:24].min() > drop[48:, 40:].max()


def test_controls_know_nothing_of_the_net() -> None:
    image = torch.zeros(1, 3, 20, 30)
    image[..., 10:] = 1
    assert maps.edges(image).argmax(1).unique().tolist() == [9]
    assert divmod(int(maps.center(torch.zeros(1, 3, 21, 31)).argmax()), 31) == (10, 15)


def test_every_thing_has_an_outline_and_a_label_of_the_net() -> None:
    net = load_net("squeezenet", device="cpu")
    for name, label in things.OUTLINES:
        net.index(label)
        assert 0.03 < things.thing_mask(name, label).float().mean() < 0.5
    assert all(pair in things.OUTLINES for named in things.NAMED.values() for pair in named.items())


def test_moved_masks_are_equally_large_and_a_wider_one_holds_the_thing(mask: torch.Tensor) -> None:
    moved = things.moved(mask)
    assert moved.shape == (4, 64, 64)
    assert torch.equal(moved[0], mask)
    assert moved.sum((1, 2)).unique().tolist() == [256]
    assert things.wider(mask, 8).sum() == 32 * 32
    assert (things.wider(mask, 8) & mask).sum() == 256
