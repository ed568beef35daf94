"""Objectives: each equals its formula, scores every image by itself, and the algebra is that of numbers."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnlab import objectives as o
from cnnlab.nets import Net, named

torch.manual_seed(0)
HEAD = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
CHAIN = named(conv1=nn.Conv2d(3, 5, 3), relu1=nn.ReLU(), conv2=nn.Conv2d(5, 4, 3, stride=2), logits=HEAD)
NET = Net(CHAIN, device="cpu")
IMAGE = torch.rand(3, 3, 14, 18)
ACTS = NET.activations(IMAGE, NET.layers)


def score(objective):
    assert set(objective.layers) <= set(NET.layers)
    return objective.score(IMAGE, NET.activations(IMAGE, objective.layers))


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        (o.channel("relu1", 2), ACTS["relu1"][:, 2].mean((1, 2))),
        (o.channel("logits", [3, 0, 1]), ACTS["logits"][torch.arange(3), torch.tensor([3, 0, 1])]),
        (o.channel("relu1", [4, 0, 2]), torch.stack([ACTS["relu1"][i, c].mean() for i, c in enumerate([4, 0, 2])])),
        (o.neuron("conv2", 1, 3, 5), ACTS["conv2"][:, 1, 3, 5]),
        (o.neuron("conv2", 1), ACTS["conv2"][:, 1, 2, 3]),
        (o.logit(3), ACTS["logits"][:, 3]),
        (o.logit([3, 0, 1]), ACTS["logits"][range(3), [3, 0, 1]]),
        (o.cross_entropy(2), F.cross_entropy(ACTS["logits"], torch.tensor([2, 2, 2]), reduction="none")),
        (o.cross_entropy([0, 1, 2]), F.cross_entropy(ACTS["logits"], torch.arange(3), reduction="none")),
        (o.energy("conv2"), 0.5 * (ACTS["conv2"] ** 2).sum((1, 2, 3))),
        (o.pixel_norm(1), IMAGE.mean((1, 2, 3))),
        (o.pixel_norm(4, center=0.5), ((IMAGE - 0.5) ** 4).mean((1, 2, 3))),
        (o.total_variation(), (IMAGE.diff(dim=2).abs().mean((1, 2, 3)) + IMAGE.diff(dim=3).abs().mean((1, 2, 3)))),
        (
            o.code("conv1", ACTS["conv1"][:1]),
            ((ACTS["conv1"] - ACTS["conv1"][:1]) ** 2).sum((1, 2, 3)) / (ACTS["conv1"][0] ** 2).sum(),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, o.Objective) else "",
)
def test_each_objective_is_its_formula_for_every_image(objective, expected):
    assert torch.allclose(score(objective), expected, atol=1e-6)


def test_channel_sums_are_means_over_the_positions():
    target = torch.rand(1, 4)
    sums = torch.stack([ACTS["conv2"][:, k].flatten(1).sum(1) / ACTS["conv2"][0, k].numel() for k in range(4)], 1)
    expected = ((sums - target) ** 2).sum(1) / (target**2).sum()
    assert torch.allclose(score(o.channel_sums("conv2", target)), expected, rtol=1e-4)
    with pytest.raises(ValueError, match="has shape \\(1, 5\\), the image's is \\(3, 4\\)"):
        score(o.channel_sums("conv2", torch.rand(1, 5)))


def test_the_gradient_of_the_energy_is_the_activation_itself():
    a = torch.rand(2, 4, 5, 6, requires_grad=True)
    (grad,) = torch.autograd.grad(o.energy("x").score(IMAGE, {"x": a}).sum(), a)
    assert torch.equal(grad, a)


def test_the_algebra_is_that_of_numbers():
    a, b = o.channel("relu1", 1), o.total_variation()
    va, vb = score(a), score(b)
    for combined, expected in [
        (a + b, va + vb), (a - b, va - vb), (-a, -va), (3 * a, 3 * va),
        (a * 0.5 - 2 * (a - b), 0.5 * va - 2 * (va - vb)),
        (sum([a, b, a]), 2 * va + vb),
    ]:  # fmt: skip
        assert torch.allclose(score(combined), expected, atol=1e-6)
    assert (a + b).layers == {"relu1"}
    for wrong in (lambda: a + 1, lambda: a * a, lambda: "x" * a):
        with pytest.raises(TypeError):
            wrong()


def test_formulas_are_printed_as_one_would_write_them():
    a, tv = o.channel("fire5", 12), o.total_variation()
    assert repr(-a + 0.1 * tv) == "-mean fire5[12] + 0.1 TV(image)"
    assert repr(a - 2 * (a - 0.25 * tv)) == "mean fire5[12] - 2 mean fire5[12] + 0.5 TV(image)"
    assert repr(-(0.5 * o.pixel_norm(1))) == "-0.5 mean |image|^1"
    assert repr(o.channel("fire2", range(12))) == "mean fire2[0|1|..|11]"


def test_an_objective_of_ones_own():
    mine = o.custom("brightness", lambda image, _: image.mean((1, 2, 3)))
    assert torch.allclose(score(2 * mine), 2 * IMAGE.mean((1, 2, 3)))
    assert repr(2 * mine) == "2 brightness"


def test_errors_name_what_would_be_right():
    with pytest.raises(ValueError, match="channel 5 is not in layer 'relu1', which has channels 0 to 4"):
        score(o.channel("relu1", 5))
    with pytest.raises(ValueError, match="one number, or one per image: 2 for a batch of 3"):
        score(o.channel("relu1", [1, 2]))
    with pytest.raises(ValueError, match="5 x 7 map of 'conv2'"):
        score(o.neuron("conv2", 0, 5, 0))
    with pytest.raises(ValueError, match="has no positions"):
        score(o.neuron("logits", 0))
    with pytest.raises(ValueError, match="target of 'conv1' has shape"):
        score(o.code("conv1", torch.zeros(1, 5, 3, 3)))
