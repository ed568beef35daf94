"""Chapter 05 gives random weights to one layer after the other, from the last one down."""

import torch
from torch import Generator
from torch.testing import assert_close

from cnnlab.chapters import ch05_sanity as sanity
from cnnlab.zoo.load import load_net


def test_layers_lose_their_weights_from_the_top_down() -> None:
    net = load_net("squeezenet", device="cpu")
    assert set(sanity.STAGES[1:]) <= set(sanity.FROM_THE_TOP)
    for stage in sanity.STAGES:
        changed = sanity.randomized(net, stage, Generator().manual_seed(0))
        lost = {
            name.split(".")[0]
            for name, value in net.model.named_parameters()
            if not torch.equal(value, changed.model.get_parameter(name))
        }
        expected = () if stage == "nothing" else sanity.FROM_THE_TOP[: sanity.FROM_THE_TOP.index(stage) + 1]
        assert lost == set(expected)


def test_cosines_have_signs_and_ranks_have_none() -> None:
    images = torch.rand(2, 3, 8, 8, generator=Generator().manual_seed(0)) - 0.5
    assert_close(sanity.cosines(images, -2 * images), torch.tensor([-1.0, -1.0]))
    assert_close(sanity.rank_correlations(images, -2 * images), torch.tensor([1.0, 1.0]))
    assert sanity.rank_correlations(images, images.roll(1, 0)).abs().max() < 0.5


def test_a_net_that_forgets_nothing_changes_nothing() -> None:
    images = torch.rand(2, 3, 64, 64, generator=Generator().manual_seed(0))
    found = sanity.cascade(load_net("squeezenet", device="cpu"), images, 0, ["nothing", "conv10"])
    assert set(found) == {"cosine", "ranks", "edges", "other edges"}
    for measure in ("cosine", "ranks"):
        assert all(stages["nothing"] == [1.0, 1.0] for stages in found[measure].values())
    assert found["cosine"]["backprop"]["conv10"] != [1.0, 1.0]


def test_images_are_counted_by_their_mean_over_the_seeds() -> None:
    assert sanity.above(torch.tensor([[0.9, 0.4], [0.2, 0.4]]), 0.5) == 1
