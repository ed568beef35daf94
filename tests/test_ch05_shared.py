"""Chapter 05 asks where the energy of a projection lies, and which part of a patch the other patches repeat."""

import torch
from torch import Generator, nn
from torch.testing import assert_close

from cnnlab.chapters import ch05_shared as shared
from cnnlab.nets import Net, named
from cnnlab.techniques.patches import Crop, Patch, scan

RED, GREEN, BLUE = torch.eye(3).view(3, 3, 1, 1)


def patch(source: str, left: torch.Tensor, right: torch.Tensor, value: float = 1.0) -> Patch:
    image = torch.cat([left.expand(3, 128, 64), right.expand(3, 128, 64)], dim=2)[None]
    return Patch(Crop(source, image, 0, 0, 1), 0, 0, value, 0, 0, 128)


def test_the_half_that_the_other_patches_repeat_is_found() -> None:
    judge = Net(named(**{shared.FEATURES: nn.AvgPool2d(32)}), device="cpu")  # 4 x 4 colors
    nine = [patch("a", RED, GREEN), patch("b", RED, BLUE), patch("c", BLUE, RED)]
    others = [patch("d", GREEN, BLUE), patch("e", GREEN, GREEN), patch("f", BLUE, BLUE)]
    maps = shared.shared_maps(judge, nine, others)
    assert maps.shape == (3, 4, 4)
    assert maps[:2, :, :2].amin() > maps[:2, :, 2:].amax()
    assert maps[2, :, 2:].amin() > maps[2, :, :2].amax()


def test_a_patch_is_not_compared_with_its_own_photograph() -> None:
    judge = Net(named(**{shared.FEATURES: nn.AvgPool2d(64)}), device="cpu")
    others = [patch("c", GREEN, GREEN)]

    def first_map(second_source: str) -> torch.Tensor:
        nine = [patch("a", RED, RED), patch(second_source, RED, RED), patch("b", BLUE, BLUE)]
        return shared.shared_maps(judge, nine, others)[0]

    assert first_map("a").amax() < first_map("another").amin()


def test_energy_is_counted_where_it_lies() -> None:
    marked = shared.most_shared(torch.arange(16.0).view(1, 4, 4))
    assert_close(marked.sum(), torch.tensor(4))
    assert marked[0, 3].all()
    projection = torch.zeros(1, 3, 64, 64)
    projection[..., 48:, :] = -2
    projection[..., :16, :] = 1
    assert_close(shared.energy_inside([projection], marked), torch.tensor([0.8]))
    assert_close(shared.energy_inside([torch.ones(1, 3, 64, 64)], marked), torch.tensor([0.25]))


def test_covering_takes_what_the_neuron_saw_there() -> None:
    net = Net(named(mean=nn.AvgPool2d(128)), device="cpu")
    half = torch.tensor([[[True, False], [True, False]]])
    red = patch("a", RED, GREEN)
    assert_close(shared.left_when_covered(net, "mean", 0, [patch("a", RED, GREEN, 0.5)], half), 0.5)
    assert_close(red.crop.image, patch("a", RED, GREEN).crop.image)  # the crop itself is not painted


def test_other_channels_respond_at_the_same_position() -> None:
    net = Net(named(same=nn.Identity()), device="cpu")
    drawn = shared.other_channels(net, "same", 0, [patch("a", RED + GREEN, RED)] * 5, Generator().manual_seed(0))
    assert drawn == [1] * 5


def test_random_channels_have_nine_patches_and_a_seed() -> None:
    crops = [patch(str(number), RED * (number + 1) / 9, GREEN).crop for number in range(9)]
    scanned = scan(Net(named(same=nn.Identity()), device="cpu"), crops, ["same"], progress=False)
    assert sorted(shared.random_channels(scanned, "same", 5, seed=0)) == [0, 1]  # nothing is blue
    assert shared.random_channels(scanned, "same", 1, seed=3) == shared.random_channels(scanned, "same", 1, seed=3)


def test_wins_are_counted() -> None:
    rows = [{"own": 2.0, "other": 1.0, "third": 3.0}, {"own": 2.0, "other": 2.0, "third": 0.0}]
    assert (shared.wins(rows, "own", "other"), shared.wins(rows, "own", "other", "third")) == (1, 0)
