"""What chapter 04 counts: trends with their level by chance, and channels that change."""

import pytest
import torch
from scipy.stats import spearmanr

from cnnlab.chapters import ch04_statistics as statistics
from cnnlab.nets import Net, named


def test_the_trend_is_spearmans_and_chance_gives_little() -> None:
    values = torch.rand(9, 8, generator=torch.Generator().manual_seed(0)) + 0.1 * torch.arange(9)[:, None]
    layers = {str(number): row for number, row in enumerate(values)}
    expected = spearmanr(torch.arange(9).repeat_interleave(8), values.flatten()).statistic
    assert statistics.trend(layers) == pytest.approx(expected)
    assert 0.2 < statistics.trend_by_chance(layers) < 0.4 < expected


def test_a_channel_counts_if_it_changes_by_more_than_half() -> None:
    net = Net(named(same=torch.nn.Identity()), device="cpu")
    images = torch.full((2, 4, 3, 3), 0.5)
    others = images * torch.tensor([1.0, 0.6, 0.4, 1.8])[:, None, None]
    assert statistics.share_changed(net, ["same"], images, others) == {"same": 0.5}


@pytest.mark.parametrize(
    ("last", "activation", "expected"),
    [(0.09, 9.0, True), (0.03, 9.0, False), (0.09, 0.5, False)],  # fine again; a blur; fine, but another thing
)
def test_a_zoom_invents_what_enlarging_cannot_give(last, activation, expected):
    assert statistics.invents([0.1, last, 0.02], [10.0, activation, 1.0]) == expected
