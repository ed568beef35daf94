"""Runs in stages: each starts where the one before ended, changed; the run owns the image of its present stage."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cnnlab.descent import descend
from cnnlab.images import resize
from cnnlab.nets import Net, named
from cnnlab.objectives import channel, custom, energy
from cnnlab.steps import normalized, plain, sign
from cnnlab.techniques.stages import carry, grow, in_stages, stage_images, zoom


def picture(height: int, width: int) -> torch.Tensor:
    return 0.2 + 0.6 * torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def net() -> Net:
    torch.manual_seed(3)
    return Net(named(conv1=nn.Conv2d(3, 8, 3, padding=1), relu1=nn.ReLU()), device="cpu")


def test_growing_is_descent_enlarged_and_descended_again(net):
    start, objective = picture(17, 22), -channel("conv1", 2)

    def stage(image, octave):
        return descend(net, objective, image, steps=2, step=sign(0.01))

    run = grow(stage, start, octaves=3, scale=1.5)
    assert len(run) == 6
    assert torch.equal(run.image, start)
    steps = [(step.number, step.total, step.stage, tuple(run.image.shape[-2:])) for step in run]
    assert steps == [(n, 6, (n - 1) // 2, [(17, 22), (26, 33), (38, 50)][(n - 1) // 2]) for n in range(1, 7)]
    image = start
    for size in ((17, 22), (26, 33), (38, 50)):
        last = stage(resize(image, size), 0)
        image = last.finish(progress=False)
    assert torch.equal(run.image, image)
    assert torch.equal(run.best, last.best)


def test_a_zoom_keeps_its_size_and_changes_what_it_looks_for(net):
    asked, start = [], picture(17, 22)

    def stage(image, frame):
        asked.append(frame)
        return descend(net, -channel("conv1", frame % 4), image, steps=1, step=sign(0.01))

    frames = list(stage_images(zoom(stage, start, frames=4, scale=1.2)))
    assert asked == [0, 1, 2, 3]
    assert {frame.shape for frame in frames} == {start.shape}
    with pytest.raises(ValueError, match="at least 1"):
        in_stages(stage, start, 0, lambda image, _: image)


def test_a_run_of_stages_can_be_a_stage(net):
    def stage(image, _):
        return grow(lambda small, _: descend(net, -energy("relu1"), small, steps=3), image, octaves=2, scale=1.5)

    run = zoom(stage, picture(16, 20), frames=2)
    assert [(step.number, step.stage, step.ends_stage) for step in run] == [
        (number, (number - 1) // 6, number % 6 == 0) for number in range(1, 13)
    ]


def test_a_stage_begins_with_the_photograph_and_what_was_added(net):
    image, starts = picture(45, 60), []

    def stage(start, octave):
        starts.append(start.clone())
        return descend(net, -energy("relu1"), start, steps=3, step=normalized(0.02))

    ends = list(stage_images(carry(stage, image, octaves=3, scale=1.5)))
    small = [resize(image, size) for size in ((20, 27), (30, 40), (45, 60))]
    assert torch.equal(starts[0], small[0])
    for k in (1, 2):
        added = F.interpolate(ends[k - 1] - small[k - 1], tuple(small[k].shape[-2:]), mode="bicubic")
        assert torch.allclose(starts[k], (small[k] + added).clamp(0, 1), atol=1e-6)
    assert ends[-1].shape == image.shape


def test_stages_that_add_nothing_give_the_photograph_back(net):
    image = picture(40, 56)
    run = carry(lambda start, _: descend(net, energy("relu1"), start, steps=2, step=plain(0)), image, 4, 1.4)
    assert torch.equal(run.finish(progress=False), image)


def test_an_error_names_the_octave_and_its_size(net):
    narrow = Net(named(conv1=nn.Conv2d(3, 8, 5)), device="cpu")

    def stage(image, _):
        return descend(narrow, -energy("conv1"), image, steps=1)

    with pytest.raises(ValueError, match=r"octave 1 of 4, 4 x 5 pixels: image \(1, 3, 4, 5\) does not fit this net"):
        carry(stage, picture(32, 40), octaves=4, scale=2).finish(progress=False)
    with pytest.raises(ValueError, match="octave 1 of 9 would be smaller than 1 pixel: take fewer octaves"):
        carry(stage, picture(32, 40), octaves=9, scale=2)
    with pytest.raises(ValueError, match="octave 3 of 9, 4 x 4 pixels: image"):
        grow(stage, picture(16, 16), octaves=9, scale=0.5).finish(progress=False)
    for wrong in (0.7, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="scale must be at least 1 and finite"):
            zoom(stage, picture(16, 20), scale=wrong)
    with pytest.raises(ValueError, match="number of frames must be a whole number"):
        zoom(stage, picture(16, 20), frames=2.5)


def test_an_error_in_a_later_stage_keeps_its_kind(net):
    def stage(image, number):
        objective = custom("broken", lambda image, _: image.mean((1, 2, 3)) * (torch.nan if number else 1))
        return descend(net, objective, image, steps=2, step=sign(0.01))

    run = in_stages(stage, picture(8, 9), 3, lambda image, _: image)
    with pytest.raises(
        FloatingPointError, match="stage 2 of 3, 8 x 9 pixels: step 1 of 2: the objective broken is nan"
    ):
        run.finish(progress=False)
    assert len(run.values) == 2
