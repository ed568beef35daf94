"""Runs: an iterator of steps that owns the image, can be left at any step, and keeps the best."""

import pytest
import torch
from torch import nn

from cnnlab.descent import descend
from cnnlab.images import gray, noise
from cnnlab.nets import Net, named
from cnnlab.objectives import channel, custom, pixel_norm, total_variation
from cnnlab.parametrizations import cppn, cppn_weights, pixels, spectrum
from cnnlab.runs import Run, Step
from cnnlab.steps import adam, lbfgs, plain, sign

torch.manual_seed(0)
NET = Net(named(conv1=nn.Conv2d(3, 6, 3), relu1=nn.ReLU(), conv2=nn.Conv2d(6, 4, 3, stride=2)), device="cpu")
GENERATOR = torch.Generator().manual_seed(1)
START = noise((2, 3, 17, 22), GENERATOR)
OBJECTIVE = -channel("conv2", 1) + 0.3 * total_variation()


def test_leaving_a_run_keeps_the_image_so_far():
    run = descend(NET, OBJECTIVE, START, steps=50, step=sign(0.01))
    assert torch.equal(run.image, START)
    assert len(run) == 50
    for step in run:
        if step.number == 7:
            break
    seven = descend(NET, OBJECTIVE, START, steps=7, step=sign(0.01)).finish(progress=False)
    assert torch.equal(run.image, seven)
    assert len(run.values) == 7


@pytest.mark.parametrize("step", [sign(0.01), adam(0.05), lbfgs(0.5)], ids=["sign", "adam", "lbfgs"])
@pytest.mark.parametrize(
    "parametrization", [pixels(), spectrum(), cppn(cppn_weights(2, GENERATOR))], ids=["pixels", "spectrum", "cppn"]
)
def test_an_image_taken_from_a_run_is_not_changed_by_later_steps(step, parametrization):
    run = descend(NET, OBJECTIVE, START, steps=4, step=step, parametrization=parametrization)
    taken = [(run.image, run.image.clone())]
    for _ in run:
        taken.append((run.image, run.image.clone()))
    assert all(torch.equal(image, copy) for image, copy in taken)
    assert not any(torch.equal(before[0], after[0]) for before, after in zip(taken, taken[1:], strict=False))
    taken[-1][0].zero_()  # and whoever changes it does not change the run
    assert torch.equal(run.image, taken[-1][1])
    assert not run.image.requires_grad


def test_a_run_records_its_steps():
    images = iter(torch.rand(4, 1, 1, 2, 2))
    shown = [next(images)]

    def steps():
        for number in (1, 2, 3):
            shown[0] = next(images)
            yield Step(number, 3, 1.0 / number, ends_stage=number == 3)

    run = Run(steps(), 3, image=lambda: shown[0])
    assert (len(run), run.last, run.values) == (3, None, [])
    assert next(run) == run.last == Step(1, 3, 1.0)
    assert [step.number for step in run] == [2, 3]
    assert run.values == pytest.approx([1, 1 / 2, 1 / 3])
    assert run.last.ends_stage
    assert run.image is run.best is shown[0]  # without a function of its own, the best is the present image
    assert run.finish(progress=False) is shown[0]  # nothing is left to do


def test_ctrl_c_gives_the_best_image_so_far():
    """The third step sees a far worse image than the second, and the fourth is interrupted."""
    seen = []

    def interrupted(image, _):
        seen.append(image.detach().clone())
        if len(seen) == 4:
            raise KeyboardInterrupt
        distance = (image.mean((1, 2, 3)) - 0.4).square()
        return distance if len(seen) < 3 else distance + 1

    run = descend(NET, custom("interrupted", interrupted), gray((1, 3, 4, 4)), steps=9, step=plain(10.0))
    assert torch.equal(run.finish(progress=False), seen[1])
    assert (run.last.number, len(run.values)) == (3, 3)
    assert not torch.equal(run.image, run.best)


@pytest.mark.parametrize("parametrization", [pixels(), spectrum()], ids=["pixels", "spectrum"])
def test_the_best_image_is_the_one_with_the_lowest_value(parametrization):
    """Steps that overshoot: the best is what the net saw at the lowest value, and stays so while the run goes on."""
    objective = pixel_norm(2, center=0.4)
    run = descend(NET, objective, START[:1], steps=12, step=adam(0.9), parametrization=parametrization)
    lowest, kept = float("inf"), []
    for step in run:
        lowest = min(lowest, step.value)
        assert objective.score(run.best, {}).item() == pytest.approx(lowest, rel=1e-4)
        kept.append((run.best, run.best.clone()))
    assert run.values != sorted(run.values, reverse=True)
    assert all(torch.equal(best, copy) for best, copy in kept)
