"""The sets and the nets that chapter 02 compares."""

import torch

from cnnlab import accuracy, mnist
from cnnlab.chapters.ch02_nets import NETS, best_of, shuffled, three_sets
from cnnlab.training import Examples


def test_three_sets_hold_every_digit_once_and_equally_often() -> None:
    sets = three_sets()
    assert [examples.labels.bincount().tolist() for examples in sets] == [[350] * 10, [50] * 10, [100] * 10]
    together = torch.cat([examples.images for examples in sets])
    torch.testing.assert_close(together, torch.cat([examples.images for examples in mnist()]))


def test_the_nets_have_the_sizes_that_the_chapter_names() -> None:
    sizes = [sum(parameter.numel() for parameter in build().parameters()) for build in NETS.values()]
    assert sizes == [79_510, 238_510, 795_010, 2_346, 5_258, 137_660]
    assert all(build()(torch.zeros(2, 1, 28, 28)).shape == (2, 10) for build in NETS.values())


def test_all_images_are_shuffled_in_the_same_order() -> None:
    images = torch.arange(2 * 6.0).view(2, 1, 2, 3)
    mixed = shuffled(Examples(images, torch.tensor([3, 4])), seed=1)
    assert not torch.equal(mixed.images, images)
    torch.testing.assert_close(mixed.images[1] - 6, mixed.images[0])
    assert sorted(mixed.images[0].flatten().tolist()) == list(range(6))
    assert mixed.labels.tolist() == [3, 4]


def test_the_validation_set_chooses_the_rate_and_frozen_layers_stay() -> None:
    sets = [Examples(examples.images[:200], examples.labels[:200]) for examples in three_sets()]
    build = NETS["small CNN, 4 and 8"]
    numbers, chain = best_of(build, sets, 0, (1e-7, 0.01), 1)
    assert numbers["rate"] == 0.01  # the other one learns nothing
    assert numbers["exam"] == round(accuracy(chain, sets[2]), 4)
    frozen, chain = best_of(build, sets, 0, (0.01,), 1, frozen=("conv1", "conv2"))
    again = best_of(build, sets, 0, (1e-7,), 1)[1]  # the first weights of the same seed, nearly
    torch.testing.assert_close(chain.conv2.weight, again.conv2.weight, atol=1e-4, rtol=0)
    assert frozen["parameters"] == 2_010
    assert numbers["parameters"] == 2_346
