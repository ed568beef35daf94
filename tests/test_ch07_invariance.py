"""Moved views equal slices, turns and resized images; distances equal their formula; figures show the values."""

import pytest
import torch
from torch import Generator, nn

from cnnlab import plots
from cnnlab.chapters.ch07_figures import show_depth, show_invariance, show_kept
from cnnlab.chapters.ch07_invariance import COINS, coins, distances, moved, pieces, pinwheel, yardstick
from cnnlab.images import resize
from cnnlab.material.photos import photo
from cnnlab.nets import Net, named


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


def test_the_yardstick_is_the_mean_of_the_distances() -> None:
    chain, generator = named(conv=nn.Conv2d(3, 2, 3), relu=nn.ReLU()), Generator().manual_seed(0)
    nn.init.uniform_(chain.conv.weight, generator=generator)  # all above 0, so that no image silences the ReLU
    net = Net(chain, device="cpu")
    images = torch.rand(4, 3, 8, 8, generator=generator)
    pairs = [distances(net, image[None], images, ["conv", "relu"]) for image in images]  # to itself: 0
    for layer, value in yardstick(net, images, ["conv", "relu"]).items():
        assert value == pytest.approx(sum(pair[layer].sum().item() for pair in pairs) / (4 * 3), rel=1e-4)


def test_a_quarter_turn_leaves_the_pinwheel() -> None:
    wheel = pinwheel(torch.rand(1, 3, 5, 5))
    assert wheel.shape == (1, 3, 10, 10)
    assert torch.equal(wheel, wheel.rot90(1, (2, 3)))


def test_coins_are_bright_in_the_middle_and_pieces_have_their_sizes() -> None:
    found, control = coins(), pieces(Generator().manual_seed(0))
    assert len(found) == len(control) == len(COINS) == 24
    for coin, piece in zip(found, control, strict=True):
        assert coin.shape == piece.shape
        side = coin.shape[-1]
        assert coin.shape == (1, 3, side, side)
        quarter = side // 4
        middle = coin[..., quarter:-quarter, quarter:-quarter].mean()
        corners = torch.stack([coin[..., y, x].mean() for y in (0, -1) for x in (0, -1)]).mean()
        assert middle > corners


def test_curves_and_bars_show_their_values() -> None:
    sizes = {"shift": [0.0, 1, 2], "scale": [1.0, 1.5]}
    values = {"shift": {"cat": torch.tensor([[0.0, 1, 3], [2.0, 1, 5]])}, "scale": {"cat": torch.tensor([[0.0, 5]])}}
    figure = show_invariance(sizes, "distance", values)
    assert [axis.lines[0].get_ydata().tolist() for axis in figure.axes] == [[1, 1, 4], [0, 5]]  # means
    assert [len(axis.collections) for axis in figure.axes] == [1, 0]  # one image has no band
    assert figure.axes[0].get_ylim()[1] >= 5  # nothing is cut off
    bars = plots.show_with_bars({"a": torch.rand(1, 1, 8, 8)}, {"cat": 0.25, "dog": 1.5}, before={"cat": 0.75}).axes[1]
    assert [bar.get_width() for bar in bars.patches] == [0.25, 1.5]
    assert bars.lines[0].get_xdata().tolist() == [0.75, 0.75]
    assert bars.get_xlim()[1] > 1.5


def test_depth_and_kept_labels_show_their_values() -> None:
    trained, random = torch.tensor([0.5, 0.2]), torch.tensor([[0.6, 0.3], [0.7, 0.1]])
    lines = show_depth(["pool1", "logits"], {"larger": trained}, {"larger": random}).axes[0].lines
    drawn = torch.stack([torch.as_tensor(line.get_ydata()) for line in lines])
    torch.testing.assert_close(drawn, torch.stack([*random, trained]))
    kept = torch.tensor([[True, False, True], [True, True, True]])
    axis = show_kept({"shift": [-6, 0, 6]}, {"shift": kept}, ["cat", "moon"]).axes[0]
    assert axis.images[0].get_array().tolist() == kept.float().tolist()
    assert axis.images[0].get_extent() == [-9, 9, 1.5, -0.5]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["cat", "moon"]
