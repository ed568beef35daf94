"""The loop: what it computes, what it refuses, where transforms come in. Its steps are in test_steps.py."""

import pytest
import torch
from torch import nn

from cnnlab.descent import descend, gradient, score
from cnnlab.images import gray, noise
from cnnlab.material.photos import photo
from cnnlab.nets import Net, named
from cnnlab.objectives import channel, code, custom, total_variation
from cnnlab.steps import adam, plain, sign
from cnnlab.transforms import jitter

torch.manual_seed(0)
NET = Net(named(conv1=nn.Conv2d(3, 6, 3), relu1=nn.ReLU(), conv2=nn.Conv2d(6, 4, 3, stride=2)), device="cpu")
GENERATOR = torch.Generator().manual_seed(1)
START = noise((2, 3, 17, 22), GENERATOR)
OBJECTIVE = -channel("conv2", 1) + 0.3 * total_variation()


def test_gradient_and_score_are_the_formula_and_its_derivative():
    image = START.clone().requires_grad_()
    x = NET.model(image)[:, 1].mean((1, 2))
    tv = image.diff(dim=2).abs().mean((1, 2, 3)) + image.diff(dim=3).abs().mean((1, 2, 3))
    values = -x + 0.3 * tv
    (expected,) = torch.autograd.grad(values.sum(), image)
    found, grad = gradient(NET, OBJECTIVE, START)
    torch.testing.assert_close(found, values.detach())
    torch.testing.assert_close(grad, expected)
    assert not found.requires_grad
    torch.testing.assert_close(score(NET, OBJECTIVE, START), values.detach())


def test_score_is_the_objectives_own_and_computes_no_graph():
    graphs = []

    def watched(image, activations):
        graphs.append(activations["conv2"].requires_grad)
        return activations["conv2"].flatten(1).mean(1) * image.mean()

    image = START.clone().requires_grad_()  # even if the image asks for a gradient
    objective = custom("watched", watched, "conv2") + channel("conv1", [2, 4])
    found = score(NET, objective, image)
    assert graphs == [False]
    assert found.shape == (2,)
    assert found.grad_fn is None
    assert not found.requires_grad
    assert torch.is_grad_enabled()
    expected = objective.score(image, NET.activations(image, ["conv1", "conv2"]))
    assert torch.equal(found, expected.detach())


def test_a_batch_is_as_good_as_single_runs():
    both = descend(NET, -channel("conv2", [1, 3]), START, steps=4, step=adam(0.05)).finish(progress=False)
    for i, number in enumerate([1, 3]):
        one = descend(NET, -channel("conv2", number), START[i : i + 1], steps=4, step=adam(0.05)).finish(progress=False)
        assert torch.allclose(both[i : i + 1], one, atol=1e-5)


def test_the_start_is_not_changed_and_the_image_stays_in_range():
    before = START.clone()
    image = descend(NET, OBJECTIVE, START, steps=3, step=plain(1e4)).finish(progress=False)
    assert torch.equal(START, before)
    assert image.min() == 0
    assert image.max() == 1


def test_nan_stops_the_run_and_names_the_step_and_the_custom():
    bad = custom("log of a negative number", lambda image, _: (image.mean((1, 2, 3)) - 0.48).log())
    with pytest.raises(FloatingPointError, match=r"step 2 of 9: the objective log of a negative number is nan"):
        descend(NET, bad, gray((1, 3, 4, 4)), steps=9, step=sign(0.05)).finish(progress=False)


def test_transforms_come_between_image_and_net():
    seen = []
    shift = custom("seen", lambda image, _: seen.append(image.detach()) or image.mean((1, 2, 3)))
    descend(NET, shift, START, steps=2, transform=jitter(3)).finish(progress=False)
    replay = jitter(3)
    assert torch.equal(seen[0], replay(START))


def test_inversion_of_a_code_finds_the_image_back():
    image = photo("cat", 24)
    target = NET.activations(image, ["conv1"])["conv1"]
    run = descend(NET, code("conv1", target), gray(image.shape), steps=150, step=adam(0.03))
    assert (run.finish(progress=False) - image).abs().mean() < 0.02
    assert run.values[-1] < 0.01 * run.values[0]
    assert (run.best - image).abs().mean() < 0.02


def test_bad_arguments_are_refused_before_the_first_step():
    with pytest.raises(ValueError, match="steps must be at least 1"):
        descend(NET, OBJECTIVE, START, steps=0)
    with pytest.raises(ValueError, match=r"values in \[0, 1\].*\[0, 255\]"):
        descend(NET, OBJECTIVE, torch.tensor([0.0, 255.0]).view(1, 1, 1, 2), steps=1)
    with pytest.raises(ValueError, match="unknown layer 'fc'"):
        descend(NET, channel("fc", 0), START, steps=1)
