"""What chapter 04 compares: sizes of structures, images from small and large starts, clusters on a grid."""

import pytest
import torch
from torch import Generator, nn

from cnnlab import Net, channel, gradient, initialize, named
from cnnlab.chapters import ch04_atlas, ch04_growing as growing, ch04_statistics as statistics
from cnnlab.techniques.patches import Crop


def tiny() -> Net:
    chain = named(conv=nn.Conv2d(3, 6, 3, padding=1), relu=nn.ReLU())
    return Net(initialize(chain, Generator().manual_seed(0)), device="cpu")


def stripes(side: int, cycles: int) -> torch.Tensor:
    row = 0.5 + 0.4 * torch.cos(2 * torch.pi * cycles * torch.arange(side) / side)
    return row.expand(1, 3, side, side)


def test_a_wave_has_its_length_and_its_contrast() -> None:
    assert growing.wavelength(stripes(60, 6)).item() == pytest.approx(10, rel=1e-3)
    assert statistics.fine_contrast(stripes(60, 6), 0.09) == pytest.approx(0.4 / 2**0.5, rel=0.02)
    assert statistics.fine_contrast(stripes(60, 6), 0.11) == pytest.approx(0, abs=1e-4)


def test_five_images_have_one_size_and_excite_the_channel_more_than_noise() -> None:
    net, generator = tiny(), Generator().manual_seed(0)
    start = torch.full((1, 3, 64, 64), 0.5)
    number = growing.awake_channel(net, "relu", start, generator)
    images = growing.five_images(net, "relu", number, 3, generator)
    assert list(images) == ["grown", *statistics.LARGE]
    assert {image.shape for image in images.values()} == {(1, 3, 77, 77)}
    shaken = growing.shaken_activations(net, "relu", number, images)
    assert all(value > 0 for value in shaken.values())


def test_the_grown_image_must_win_against_all_that_are_named() -> None:
    each = [statistics.compared("wavelength", [name]) for name in statistics.LARGE]
    assert statistics.compared("wavelength") == [all(wins) for wins in zip(*each, strict=True)]


def test_shares_differ_if_their_intervals_do_not_overlap() -> None:
    assert statistics.differ(0.8, 0.2, 20)
    assert statistics.differ(0.2, 0.8, 20)
    assert not statistics.differ(0.6, 0.4, 20)


def test_clusters_are_found_and_laid_out_in_order() -> None:
    centers = torch.tensor([[0.0, 0.0], [0.0, 1.0], [5.0, 0.0], [5.0, 1.0]])
    vectors = centers.repeat_interleave(10, dim=0) + 0.01 * torch.randn(40, 2, generator=Generator().manual_seed(0))
    found, cluster = ch04_atlas.cluster_on_grid(vectors, 2, 2)
    assert cluster.unflatten(0, (4, 10)).unique(dim=1).shape == (4, 1)
    assert torch.allclose(found[cluster], vectors, atol=0.1)
    columns = found.unflatten(0, (2, 2))[..., 0]  # the first component runs from left to right
    assert (columns[:, 1] - columns[:, 0]).sign().unique().numel() == 1
    assert (columns[:, 1] - columns[:, 0]).abs().min() > 4


def test_a_direction_of_one_channel_is_like_the_channel() -> None:
    net, image = tiny(), torch.rand(2, 3, 8, 8, generator=Generator().manual_seed(0))
    along = ch04_atlas.toward("relu", torch.eye(6)[[1, 1]])
    value, grad = gradient(net, along, image)
    assert (value > 0).all()
    assert (value < gradient(net, channel("relu", 1), image)[0]).all()
    assert grad.abs().sum() > 0


def test_vectors_come_with_the_patch_around_them() -> None:
    net = Net(named(same=nn.Identity()), device="cpu")
    image = torch.rand(1, 3, 20, 20, generator=Generator().manual_seed(0))
    heard = ch04_atlas.listen(net, "same", [Crop("a", image, 0, 0, 1)], 5, 7, Generator().manual_seed(0))
    assert heard.patches.shape == (5, 3, 7, 7)
    middles = nn.functional.normalize(heard.patches[:, :, 3, 3], dim=1)
    assert torch.allclose(heard.vectors, middles, atol=1e-6)


def test_own_examples_are_found_and_others_are_not() -> None:
    examples = torch.eye(5)
    assert ch04_atlas.own_first(examples + 1, examples).all()
    assert not ch04_atlas.own_first(examples.roll(1, 0), examples).any()
