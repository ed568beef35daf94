"""Objectives: each equals its formula, scores every image by itself, and the algebra is that of numbers."""

import numpy as np
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
        (o.neuron("conv1", 1), ACTS["conv1"][:, 1, 6, 8]),  # 12 x 16: the center is the position behind the middle
        (o.neuron("conv2", 1, 4), ACTS["conv2"][:, 1, 4, 3]),
        (o.neuron("conv2", 1, x=6), ACTS["conv2"][:, 1, 2, 6]),
        (o.neuron("conv2", [3, 0, 0], [0, 4, 1], [6, 0, 2]), ACTS["conv2"][range(3), [3, 0, 0], [0, 4, 1], [6, 0, 2]]),
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
        (
            o.code("logits", 0.1 * ACTS["logits"].flip(0)),  # of each image its own, and shorter than 1
            ((ACTS["logits"] - 0.1 * ACTS["logits"].flip(0)) ** 2).sum(1)
            / ((0.1 * ACTS["logits"].flip(0)) ** 2).sum(1),
        ),
    ],
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
    for wrong in (
        lambda: a + 1, lambda: 1 + a, lambda: a - 1, lambda: a * a, lambda: "x" * a, lambda: a * torch.ones(2)
    ):  # fmt: skip
        with pytest.raises(TypeError):
            wrong()


def test_formulas_are_printed_as_one_would_write_them():
    a, tv = o.channel("fire5", 12), o.total_variation()
    assert repr(-a + 0.1 * tv) == "-mean fire5[12] + 0.1 TV(image)"
    assert repr(a - 2 * (a - 0.25 * tv)) == "mean fire5[12] - 2 mean fire5[12] + 0.5 TV(image)"
    assert repr(-(0.5 * o.pixel_norm(1))) == "-0.5 mean |image|^1"
    assert repr(o.channel("fire2", range(12))) == "mean fire2[0|1|..|11]"


@pytest.mark.parametrize(
    ("objective", "formula"),
    [
        (o.channel("relu1", [3, 1, 0, 2]), "mean relu1[3|1|0|2]"),
        (o.channel("relu1", range(5)), "mean relu1[0|1|..|4]"),
        (o.neuron("conv2", 1), "conv2[1, center]"), (o.neuron("conv2", 1, 3), "conv2[1, 3, center]"),
        (o.neuron("conv2", 1, x=3), "conv2[1, center, 3]"), (o.neuron("conv2", 1, [0, 4], 5), "conv2[1, 0|4, 5]"),
        (o.logit(3), "logits[3]"), (o.logit([3, 1], "fc"), "fc[3|1]"), (o.cross_entropy(2), "cross_entropy(2)"),
        (o.cross_entropy([0, 2]), "cross_entropy(labels)"), (o.energy("conv2"), "½|conv2|²"),
        (o.code("conv1", ACTS["conv1"]), "|conv1 - code|² / |code|²"),
        (o.channel_sums("conv2", torch.ones(1, 4)), "|sums conv2 - style|² / |style|²"),
        (o.total_variation(), "TV(image)"), (o.pixel_norm(), "mean |image|^1"),
        (o.pixel_norm(6, center=0.5), "mean |image - 0.5|^6"), (-1 * o.energy("a") - o.energy("b"), "-½|a|² - ½|b|²"),
        (0.5 * o.energy("a") + 0 * o.energy("b"), "0.5 ½|a|² + 0 ½|b|²"), (0 * o.energy("a"), "0 ½|a|²"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_every_objective_prints_its_formula(objective, formula):
    assert repr(objective) == formula


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


@pytest.mark.parametrize("two", [2, np.int64(2), np.uint8(2), torch.tensor(2), torch.tensor(2, dtype=torch.int16)])
def test_a_number_may_be_pythons_numpys_or_torchs(two):
    pairs = [
        (o.channel("relu1", two), o.channel("relu1", 2)), (o.logit(two), o.logit(2)),
        (o.neuron("conv2", two, two, two), o.neuron("conv2", 2, 2, 2)), (o.cross_entropy(two), o.cross_entropy(2)),
        (o.cross_entropy([0, two, 1]), o.cross_entropy(torch.tensor([0, 2, 1], dtype=torch.uint8))),
        (o.channel("relu1", np.array([1, 0, two])), o.channel("relu1", (1, 0, 2))),
        (o.neuron("conv2", [0, 1, two], y=np.array([1, 2, 3])), o.neuron("conv2", [0, 1, 2], y=[1, 2, 3])),
        (two * o.energy("relu1"), 2 * o.energy("relu1")),
        (np.float32(0.5) * o.energy("relu1"), 0.5 * o.energy("relu1")),
    ]  # fmt: skip
    for found, expected in pairs:
        assert torch.equal(score(found), score(expected))
        assert repr(found) == repr(expected)


def test_what_is_no_number_is_refused_when_the_objective_is_made():
    for wrong in (True, 1.0, "cat", None, [], [1, 2.0], torch.tensor([True]), np.eye(2)):
        for make in (o.logit, o.cross_entropy, lambda n: o.channel("relu1", n), lambda n: o.neuron("conv2", 1, 0, n)):
            if wrong is not None or make in (o.logit, o.cross_entropy):
                with pytest.raises(ValueError, match="must be .*whole number"):
                    make(wrong)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: o.cross_entropy(4), "class 4 is not in layer 'logits', which has classes 0 to 3"),
        (lambda: o.cross_entropy([0, -1, 2]), "class -1 is not in layer 'logits', which has classes 0 to 3"),
        (lambda: o.cross_entropy([0, 1]), "labels must be one class, or one per image: 2 for a batch of 3"),
        (lambda: o.logit(1000), "class 1000 is not in layer 'logits', which has classes 0 to 3"),
        (lambda: o.neuron("conv2", 1, [0, 1], 2), "y must be one number, or one per image: 2 for a batch of 3"),
        (lambda: o.channel_sums("logits", torch.ones(1, 4)), "activations of 'logits' must be feature maps"),
        (lambda: o.custom("mine", lambda image, _: image.mean()), r"score of mine must give .*\(3,\), not \(\)"),
        (lambda: o.custom("mine", lambda image, _: 0.5), r"score of mine must give .*\(3,\), not float"),
        (lambda: float("nan") * o.energy("relu1"), r"weight of ½\|relu1\|² must be finite, not nan"),
        (lambda: 1e200 * (1e200 * o.energy("relu1")), "must be finite, not inf"),
        (lambda: o.pixel_norm(-1), "p must be finite and positive"),
        (lambda: o.pixel_norm(0), "p must be finite and positive"),
        (lambda: o.pixel_norm(float("inf")), "p must be finite and positive"),
        (lambda: o.pixel_norm(1, float("nan")), "center finite, not 1.0 and nan"),
        (lambda: o.pixel_norm("1"), "^p must be a number"),
        (lambda: o.pixel_norm(1, "0"), "^center must be a number"),
        (lambda: o.channel("relu1", [0, -1, 0]), "channel -1 is not in layer 'relu1', which has channels 0 to 4"),
        (lambda: o.channel("relu1", "1"), "^number must be a whole number"),
        (lambda: o.neuron("conv2", 4), "channel 4 is not in layer 'conv2', which has channels 0 to 3"),
        (lambda: o.neuron("conv2", "1"), "^number must be a whole number"),
        (lambda: o.neuron("conv2", 1, "1"), "^y must be a whole number"),
        (lambda: o.neuron("conv2", 1, 1, "1"), "^x must be a whole number"),
        (lambda: o.logit("1"), "^index must be a whole number"),
        (lambda: o.cross_entropy("1"), "^labels must be a whole number"),
        (lambda: o.neuron("conv2", 1, -1, 2), r"y, x must lie in the 5 x 7 map of 'conv2', not \(-1, 2\)"),
        (lambda: o.neuron("conv2", 1, 5, 2), r"y, x must lie in the 5 x 7 map of 'conv2', not \(5, 2\)"),
        (lambda: o.neuron("conv2", 1, 2, -1), r"y, x must lie in the 5 x 7 map of 'conv2', not \(2, -1\)"),
        (lambda: o.neuron("conv2", 1, 2, [0, 7, 0]), r"y, x must lie in the 5 x 7 map of 'conv2', not \(2, 7\)"),
        (lambda: o.neuron("conv2", 1, 2, [0, 1]), "x must be one number, or one per image: 2 for a batch of 3"),
        (lambda: o.neuron("conv2", [0, 1], 2), "channel must be one number, or one per image: 2 for a batch of 3"),
        (lambda: o.logit([0, 1]), "class must be one number, or one per image: 2 for a batch of 3"),
        (lambda: o.cross_entropy([0, 7, 9]), "class 9 is not in layer 'logits', which has classes 0 to 3"),
        (lambda: o.neuron("logits", 0), r"layer 'logits' has no positions; use channel\('logits', ...\)"),
        (lambda: o.code("conv1", ACTS["conv1"][:2]), r"\(2, 5, 12, 16\), the image's is \(3, 5, 12, 16\)"),
        (lambda: o.custom("mine", lambda *_: torch.ones(2), "conv1"), r"score of mine must give .*\(3,\), not \(2,\)"),
        (lambda: o.code("conv1", torch.full((1, 5, 12, 16), torch.nan)), "target must be finite"),
        (lambda: o.code("conv1", "cat"), "target must be a tensor of activations, not str"),
    ],
)
def test_wrong_numbers_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        score(make())


def test_one_label_in_a_row_serves_the_whole_batch():
    assert torch.equal(score(o.cross_entropy([2])), score(o.cross_entropy(2)))


def test_targets_may_come_from_inference_mode_and_from_numpy():
    with torch.inference_mode():
        seen = NET.activations(IMAGE, ["conv1"])["conv1"]
        made = o.code("conv1", seen), o.channel_sums("conv1", seen.mean((2, 3))), o.cross_entropy(1)
    image = (IMAGE * 0.9).requires_grad_()
    for objective in made:
        (grad,) = torch.autograd.grad(objective.score(image, NET.run(image, objective.layers)).sum(), image)
        assert grad.abs().sum() > 0
    assert torch.equal(score(o.code("conv1", seen[:1].numpy())), score(o.code("conv1", seen[:1].double())))
    seen = seen.clone()
    kept = o.code("conv1", seen)
    seen.zero_()
    assert score(kept).max() == 0, "the objective has its own copy"


def test_an_image_of_one_pixel_has_no_variation():
    assert o.total_variation().score(torch.ones(2, 3, 1, 1), {}).tolist() == [0, 0]
    assert o.total_variation().score(torch.tensor([0.0, 1]).view(1, 1, 1, 2), {}).tolist() == [1]
    assert o.total_variation().score(torch.tensor([0.0, 1]).view(1, 1, 2, 1), {}).tolist() == [1]


def test_the_distance_from_a_code_of_zeros_is_a_number():
    dark = o.code("x", torch.zeros(1, 2, 3, 4))
    assert dark.score(IMAGE, {"x": torch.zeros(1, 2, 3, 4)}).item() == 0
    assert 1 < dark.score(IMAGE, {"x": torch.ones(1, 2, 3, 4)}).item() < float("inf")


def test_a_layer_may_have_units_instead_of_maps_and_the_precision_may_be_double():
    units = ACTS["logits"].double()
    acts = {"units": units, "maps": units[:, :, None, None]}
    for make in (
        lambda layer: o.channel(layer, 2), lambda layer: o.cross_entropy(1, layer),
        lambda layer: o.logit(2, layer), o.energy,
    ):  # fmt: skip
        found = [make(layer).score(IMAGE, acts) for layer in acts]
        assert torch.equal(*found)
        assert found[0].dtype == torch.float64
    assert o.code("units", ACTS["logits"]).score(IMAGE, acts).dtype == torch.float64
    assert o.code("units", units.float()).score(IMAGE, acts).tolist() == [0, 0, 0]
