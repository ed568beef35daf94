"""The loop: what it computes, what it refuses, where transforms come in. Its steps are in test_steps.py."""

import warnings

import pytest
import torch
from torch import nn

from cnnlab.descent import descend, gradient, score
from cnnlab.images import gray, noise
from cnnlab.material.photos import photo
from cnnlab.nets import Net, named
from cnnlab.objectives import channel, code, custom, pixel_norm, total_variation
from cnnlab.parametrizations import cppn, cppn_weights, pixels, spectrum
from cnnlab.runs import Step
from cnnlab.steps import adam, lbfgs, plain, sign
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


def test_each_step_is_recorded_and_the_best_image_is_kept():
    """The steps overshoot: the images are 0.5, 0.52, 0.54, 0.52 and 0.54 everywhere, and the second is the best."""
    run = descend(NET, pixel_norm(2, center=0.525), gray((2, 3, 4, 4)), steps=4, step=sign(0.02))
    steps, images, bests = zip(*((step, run.image, run.best) for step in run), strict=True)
    values = [0.025**2, 0.005**2, 0.015**2, 0.005**2]
    for number, (step, value) in enumerate(zip(steps, values, strict=True), start=1):
        assert step == Step(number, 4, pytest.approx(value, rel=1e-3), ends_stage=number == 4)
    assert [image.mean().item() for image in images] == pytest.approx([0.52, 0.54, 0.52, 0.54])
    assert [image.mean().item() for image in bests] == pytest.approx([0.5, 0.52, 0.52, 0.52])


def test_a_step_rule_may_ask_for_the_objective_several_times():
    def twice(variable):
        def update(evaluate):
            for _ in range(2):
                evaluate()
                variable.detach().add_(0.03)

        return update

    run = descend(NET, pixel_norm(2, center=0.54), gray((1, 3, 4, 4)), steps=2, step=twice)
    run.finish(progress=False)
    assert run.values == pytest.approx([0.04**2, 0.02**2], rel=1e-3), "a step's value is that before it"
    assert run.best.mean().item() == pytest.approx(0.53)
    assert run.image.mean().item() == pytest.approx(0.62)


def test_the_default_step_is_adam_on_pixels():
    image = descend(NET, OBJECTIVE, START, steps=3).finish(progress=False)
    same = descend(NET, OBJECTIVE, START, steps=3, step=adam(0.05), parametrization=pixels()).finish(progress=False)
    assert torch.equal(image, same)


def test_two_runs_with_one_transform_are_equal_and_change_nothing_of_it():
    transform = jitter(3)
    runs = [descend(NET, OBJECTIVE, START, steps=3, transform=transform) for _ in range(2)]
    assert torch.equal(runs[0].finish(progress=False), runs[1].finish(progress=False))
    assert torch.equal(transform(START), jitter(3)(START))


def test_a_custom_gradient_that_is_not_finite_is_refused():
    root = custom("root", lambda image, _: image.sqrt().mean((1, 2, 3)))  # its gradient is infinite at 0
    log = custom("log", lambda image, _: image.mean((1, 2, 3)).log())
    black = torch.stack([torch.full((3, 4, 4), 0.5), torch.zeros(3, 4, 4)])
    assert score(NET, root, black)[1] == 0
    with pytest.raises(FloatingPointError, match=r"the gradient of root is not finite, its values are \[0.7\d*, 0.0\]"):
        gradient(NET, root, black)
    for compute in (score, gradient):
        with pytest.raises(FloatingPointError, match=r"log is .*\[-0.69\d*, -inf\]"):
            compute(NET, log, black)
    with pytest.raises(FloatingPointError, match="step 1 of 3: the objective log is -inf"):
        descend(NET, log, black, steps=3).finish(progress=False)


@pytest.mark.parametrize("parametrization", [spectrum(), cppn(cppn_weights(2, GENERATOR))], ids=["spectrum", "cppn"])
def test_a_last_update_that_is_not_finite_is_refused(parametrization):
    run = descend(NET, 1e30 * OBJECTIVE, START, steps=1, step=plain(1e30), parametrization=parametrization)
    with pytest.raises(FloatingPointError, match="step 1 of 1: the last update is not finite; take a smaller rate"):
        run.finish(progress=False)


def test_a_gradient_of_zero_is_warned_of_once_and_by_the_first_step_only():
    still = custom("still", lambda image, _: 0 * image.mean((1, 2, 3)))
    run = descend(NET, still, START, steps=3)
    with pytest.warns(UserWarning, match="the gradient of still is 0 everywhere, .* a ReLU that is off") as found:
        next(run)
    assert [warning.filename for warning in found] == [__file__], "it names the line that takes the step"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(run.finish(progress=False), START)
        calls = iter([1, 0, 0])
        later = custom("later", lambda image, _: next(calls) * image.mean((1, 2, 3)))
        descend(NET, later, START, steps=3, step=sign(0.01)).finish(progress=False)
        half = custom("half", lambda image, _: torch.tensor([0.0, 1.0]) * image.mean((1, 2, 3)))
        descend(NET, half, START, steps=1).finish(progress=False)


def test_a_net_in_float64_computes_all_in_float64():
    net = Net(NET.model, device="cpu").double()
    values, grad = gradient(net, OBJECTIVE, START)
    assert (values.dtype, grad.dtype, score(net, OBJECTIVE, START).dtype) == 3 * (torch.float64,)
    torch.testing.assert_close(grad.float(), gradient(NET, OBJECTIVE, START)[1])
    assert (
        score(net, total_variation(), START).dtype == gradient(net, total_variation(), START)[1].dtype == torch.float64
    )
    for parametrization in (pixels(), spectrum(), cppn(cppn_weights(2, GENERATOR))):
        for step in (adam(0.05), lbfgs()):
            run = descend(net, OBJECTIVE, START, steps=2, step=step, parametrization=parametrization)
            assert run.finish(progress=False).dtype == run.best.dtype == torch.float64


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_the_mode_of_the_caller_makes_no_difference(mode):
    expected = gradient(NET, OBJECTIVE, START)
    image = descend(NET, OBJECTIVE, START, steps=2).finish(progress=False)
    with mode():
        values, grad = gradient(NET, OBJECTIVE, START.clone())
        run = descend(NET, OBJECTIVE, START.clone(), steps=2)
        found = run.finish(progress=False)
    assert torch.equal(values, expected[0])
    assert torch.equal(grad, expected[1])
    assert torch.equal(found, image)
    assert not any(tensor.is_inference() or tensor.requires_grad for tensor in (values, grad, found, run.best))


def test_an_image_that_asks_for_a_gradient_gets_none():
    image = START.clone().requires_grad_()
    gradient(NET, OBJECTIVE, image)
    descend(NET, OBJECTIVE, image, steps=1).finish(progress=False)
    assert image.grad is None
    assert image.requires_grad
