"""Moved views equal slices, turns and resized images; distances equal their formula; figures show the values."""

import pytest
import torch
from torch import nn

from cnnlab import plots
from cnnlab.chapters.ch06_figures import show_heat
from cnnlab.chapters.ch07_figures import show_invariance
from cnnlab.chapters.ch07_invariance import distances, moved, untrained
from cnnlab.images import resize
from cnnlab.material.photos import photo
from cnnlab.nets import Net, named, weights_of


def test_unmoved_is_the_middle_square() -> None:
    image = torch.rand(1, 3, 32, 48)
    assert torch.allclose(moved(image, size=32), image[..., 8:40], atol=1e-6)


def test_shifts_are_rows() -> None:
    image = torch.rand(1, 3, 48, 32)  # upright: what lies above the middle square comes into view
    assert torch.allclose(moved(image, shift=5, size=32), image[..., 3:35, :], atol=1e-6)
    assert torch.allclose(moved(image, shift=-8, size=32), image[..., 16:48, :], atol=1e-6)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_counterclockwise(quarters: int) -> None:
    image = torch.rand(1, 3, 32, 32)
    turned = moved(image, degrees=90 * quarters, size=32)
    assert torch.allclose(turned, image.rot90(quarters, (2, 3)), atol=1e-4)


def test_scale_enlarges_about_the_middle() -> None:
    image = photo("cat", 128)
    twice = moved(image, scale=2, size=128)
    assert (twice - resize(image[..., 32:96, 32:96], 128)).abs().mean() < 0.02
    with pytest.raises(ValueError, match="scale must be positive"):
        moved(image, scale=0)


def test_distances_are_relative_to_the_image() -> None:
    net = Net(named(conv=nn.Conv2d(1, 2, 1, bias=False), relu=nn.ReLU()), device="cpu")
    image = torch.rand(1, 1, 4, 5) / 3
    result = distances(net, image, torch.cat([image, 0 * image, 3 * image]), ["conv", "relu"])
    assert torch.allclose(result["conv"], torch.tensor([0.0, 1, 2]), atol=1e-6)  # linear
    assert set(result) == {"conv", "relu"}


def test_the_untrained_net_is_the_same_chain_with_other_weights() -> None:
    net = Net(named(conv=nn.Conv2d(3, 4, 3), relu=nn.ReLU()), device="cpu")
    other = untrained(net)
    assert other.layers == net.layers
    assert not torch.equal(weights_of(other.model, "conv"), weights_of(net.model, "conv"))
    assert torch.equal(weights_of(other.model, "conv"), weights_of(untrained(net).model, "conv"))


def test_heat_lies_where_the_patch_was() -> None:
    values = torch.rand(5, 5)
    figure = show_heat(
        {"noise": torch.rand(1, 3, 64, 64)}, [values], patch=32, stride=8, boxes={"noise": (8, 10, 40, 50)}
    )
    photograph, heat = figure.axes[:2]
    left, right, bottom, top = heat.images[0].get_extent()
    assert (left, right, top, bottom) == (12, 52, 12, 52)  # centers at 16, 24 ... 48
    assert heat.get_xlim() == (0, 64)
    assert photograph.patches[0].get_bbox().bounds == (10, 8, 40, 32)


def test_curves_and_bars_show_their_values() -> None:
    sizes = {"shift": [0.0, 1, 2], "scale": [1.0, 1.5]}
    values = {"shift": {"cat": torch.tensor([0.0, 1, 3])}, "scale": {"cat": torch.tensor([0.0, 5])}}
    figure = show_invariance(sizes, {"distance": values})
    assert [axis.lines[0].get_ydata().tolist() for axis in figure.axes] == [[0, 1, 3], [0, 5]]
    assert figure.axes[0].get_ylim()[1] >= 5  # nothing is cut off
    bars = plots.show_with_bars({"a": torch.rand(1, 1, 8, 8)}, {"cat": 0.25, "dog": 1.5}, before={"cat": 0.75}).axes[1]
    assert [bar.get_width() for bar in bars.patches] == [0.25, 1.5]
    assert bars.lines[0].get_xdata().tolist() == [0.75, 0.75]
    assert bars.get_xlim()[1] > 1.5
