"""The loop: equal to loops written out, interruptible, projected, loud about NaN."""

import pytest
import torch
from torch import nn

from cnnlab import descent as d
from cnnlab.images import gray, noise, photo
from cnnlab.nets import Net, named
from cnnlab.objectives import channel, objective, pixel_norm, total_variation
from cnnlab.octaves import grow, in_stages, stage_images, zoom
from cnnlab.parametrizations import pixels, spectrum
from cnnlab.steps import adam, jitter, l2_ball, lbfgs, linf_ball, normalized, plain, sign

torch.manual_seed(0)
NET = Net(named(conv1=nn.Conv2d(3, 6, 3), relu1=nn.ReLU(), conv2=nn.Conv2d(6, 4, 3, stride=2)), device="cpu")
GENERATOR = torch.Generator().manual_seed(1)
START = noise((2, 3, 17, 22), GENERATOR)
OBJECTIVE = -channel("conv2", 1) + 0.3 * total_variation()


def value_and_grad(image):
    image = image.clone().requires_grad_()
    x = NET.chain(image)[:, 1].mean((1, 2))
    tv = image.diff(dim=2).abs().mean((1, 2, 3)) + image.diff(dim=3).abs().mean((1, 2, 3))
    values = -x + 0.3 * tv
    return values.detach(), torch.autograd.grad(values.sum(), image)[0]


def test_gradient_is_autograds():
    for found, expected in zip(d.gradient(NET, OBJECTIVE, START), value_and_grad(START), strict=True):
        assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("step", "rule"),
    [
        (plain(0.5), lambda g: 0.5 * g),
        (sign(0.01), lambda g: 0.01 * g.sign()),
        (normalized(0.02), lambda g: 0.02 * g / g.abs().mean((1, 2, 3), keepdim=True)),
    ],
)
def test_first_order_steps_equal_the_loop_written_out(step, rule):
    image, values = START.clone(), []
    for _ in range(5):
        value, grad = value_and_grad(image)
        values.append(value.mean().item())
        image = (image - rule(grad)).clamp(0, 1)
    run = d.descend(NET, OBJECTIVE, START, steps=5, step=step)
    assert torch.allclose(run.finish(progress=False), image, atol=1e-5)
    assert run.values == pytest.approx(values, abs=1e-6)


def test_adam_is_torchs_with_clipping():
    image = START.clone().requires_grad_()
    optimizer = torch.optim.Adam([image], lr=0.03)
    for _ in range(6):
        image.grad = value_and_grad(image.detach())[1]
        optimizer.step()
        image.data.clamp_(0, 1)
    found = d.descend(NET, OBJECTIVE, START, steps=6, step=adam(0.03)).finish(progress=False)
    assert torch.allclose(found, image, atol=1e-5)


def test_lbfgs_stepped_is_lbfgs_in_one_go():
    target = 0.4 + 0.2 * torch.rand(1, 3, 9, 9, generator=GENERATOR)  # far from the clipping
    scale = torch.linspace(1, 4, 9)
    bowl = objective("bowl", lambda image, _: (scale * (image - target)).square().sum((1, 2, 3)))
    start = gray((1, 3, 9, 9))
    variable = start.clone().requires_grad_()
    reference = torch.optim.LBFGS([variable], 0.5, max_iter=12, history_size=10, tolerance_grad=0, tolerance_change=0)

    def closure():
        reference.zero_grad()
        loss = bowl.score(variable, {}).sum()
        loss.backward()
        return loss

    reference.step(closure)
    run = d.descend(NET, bowl, start, steps=12, step=lbfgs(0.5))
    assert torch.allclose(run.finish(progress=False), variable, atol=1e-4)
    assert run.values[-1] < 0.01 * run.values[0]


def test_a_batch_is_as_good_as_single_runs():
    both = d.descend(NET, -channel("conv2", [1, 3]), START, steps=4, step=adam(0.05)).finish(progress=False)
    for i, number in enumerate([1, 3]):
        one = d.descend(NET, -channel("conv2", number), START[i : i + 1], steps=4, step=adam(0.05)).finish(
            progress=False
        )
        assert torch.allclose(both[i : i + 1], one, atol=1e-5)


def test_projections_keep_the_image_in_the_ball():
    eps = 0.02
    image = d.descend(NET, OBJECTIVE, START, steps=8, step=sign(0.01), project=linf_ball(START, eps)).finish(False)
    assert (image - START).abs().max().item() == pytest.approx(eps, abs=1e-6)
    image = d.descend(NET, OBJECTIVE, START, steps=8, step=plain(9.0), project=l2_ball(START, 0.5)).finish(False)
    lengths = (image - START).flatten(1).norm(dim=1)
    assert (lengths <= 0.5 + 1e-5).all()
    assert (lengths > 0.4).all()
    with pytest.raises(ValueError, match="project moves pixels"):
        d.descend(NET, OBJECTIVE, START, steps=1, project=linf_ball(START, eps), parametrization=spectrum())


def test_the_start_is_not_changed_and_the_image_stays_in_range():
    before = START.clone()
    image = d.descend(NET, OBJECTIVE, START, steps=3, step=plain(1e4)).finish(progress=False)
    assert torch.equal(START, before)
    assert image.min() == 0
    assert image.max() == 1


def test_leaving_a_run_keeps_the_image_so_far():
    run = d.descend(NET, OBJECTIVE, START, steps=50, step=sign(0.01))
    assert torch.equal(run.image, START)
    assert len(run) == 50
    for step in run:
        if step.number == 7:
            break
    seven = d.descend(NET, OBJECTIVE, START, steps=7, step=sign(0.01)).finish(progress=False)
    assert torch.equal(run.image, seven)
    assert len(run.values) == 7


def test_ctrl_c_gives_the_best_image_so_far():
    """A bowl around grey, steps that overshoot at the third: interrupted there, the image before it is given back."""
    calls = []

    def score(image, _):
        calls.append(image.detach().clone())
        if len(calls) == 4:
            raise KeyboardInterrupt
        return (
            (image.mean((1, 2, 3)) - 0.4).square()
            if len(calls) < 3
            else image.mean((1, 2, 3)) * 0 + 1 + image.sum() * 0
        )

    run = d.descend(NET, objective("bowl", score), gray((1, 3, 4, 4)), steps=9, step=plain(10.0))
    assert torch.equal(run.finish(progress=False), calls[1])


@pytest.mark.parametrize("parametrization", [pixels(), spectrum()], ids=["pixels", "spectrum"])
def test_the_best_image_is_the_one_with_the_lowest_value(parametrization):
    """Steps that overshoot: the best is what the net saw at the lowest value, and stays so while the run goes on."""
    objective = pixel_norm(2, center=0.4)
    run = d.descend(NET, objective, START[:1], steps=12, step=adam(0.9), parametrization=parametrization)
    lowest, kept = float("inf"), []
    for step in run:
        lowest = min(lowest, step.value)
        assert objective.score(step.best, {}).item() == pytest.approx(lowest, rel=1e-4)
        kept.append((step.best, step.best.clone()))
    assert run.values != sorted(run.values, reverse=True)
    assert all(torch.equal(best, copy) for best, copy in kept)


def test_nan_stops_the_run_and_names_the_step_and_the_objective():
    bad = objective("log of a negative number", lambda image, _: (image.mean((1, 2, 3)) - 0.48).log())
    with pytest.raises(FloatingPointError, match=r"step 2 of 9: the objective log of a negative number is nan"):
        d.descend(NET, bad, gray((1, 3, 4, 4)), steps=9, step=sign(0.05)).finish(progress=False)


def test_bad_arguments_are_refused_before_the_first_step():
    with pytest.raises(ValueError, match="steps must be at least 1"):
        d.descend(NET, OBJECTIVE, START, steps=0)
    with pytest.raises(ValueError, match=r"values in \[0, 1\].*\[0, 255\]"):
        d.descend(NET, OBJECTIVE, torch.tensor([0.0, 255.0]).view(1, 1, 1, 2), steps=1)
    for not_an_image in (torch.full((1, 1, 2, 2), torch.nan), torch.zeros(1, 1, 0, 2), torch.zeros(1, 2, 2)):
        with pytest.raises(ValueError, match=r"image must be \(B, C, H, W\)"):
            d.descend(NET, OBJECTIVE, not_an_image, steps=1)
    with pytest.raises(ValueError, match="unknown layer 'fc'"):
        d.descend(NET, channel("fc", 0), START, steps=1)


def test_transforms_come_between_image_and_net():
    seen = []
    shift = objective("seen", lambda image, _: seen.append(image.detach()) or image.mean((1, 2, 3)))
    d.descend(NET, shift, START, steps=2, transform=jitter(3)).finish(progress=False)
    replay = jitter(3)
    assert torch.equal(seen[0], replay(START))


@pytest.mark.parametrize("shape", [(1, 3, 32, 48), (2, 3, 15, 21), (1, 1, 28, 28)])
def test_the_spectrum_starts_at_its_image_and_every_step_stays_in_range(shape):
    image = noise(shape, GENERATOR, std=0.2, decay=1)
    variable, decode = spectrum()(image)
    assert torch.allclose(decode(variable), image.clamp(0.01, 0.99), atol=1e-4)
    wild = decode(variable + 100 * torch.randn(variable.shape, generator=GENERATOR))
    assert wild.min() >= 0
    assert wild.max() <= 1


def test_the_spectrum_is_the_formula_written_out():
    height, width = 12, 16
    variable = torch.randn(1, 3, height, width // 2 + 1, 2, generator=GENERATOR)
    _, decode = spectrum(decay=1.5)(gray((1, 3, height, width)))
    from cnnlab.parametrizations import COLORS

    frequency = torch.tensor([[max((fy**2 + fx**2) ** 0.5, 1 / 16) for fx in torch.fft.rfftfreq(width).tolist()]
                              for fy in torch.fft.fftfreq(height).tolist()])  # fmt: skip
    scale = frequency**-1.5
    scale = scale / (scale**2).mean().sqrt()
    planes = torch.fft.irfft2(
        torch.complex(variable[..., 0], variable[..., 1]) * scale, s=(height, width), norm="ortho"
    )
    expected = torch.sigmoid(torch.stack([sum(COLORS[r, c] * planes[:, c] for c in range(3)) for r in range(3)], 1))
    assert torch.allclose(decode(variable), expected, atol=1e-5)


def test_equal_steps_in_the_spectrum_change_coarse_structure_more():
    def slope(parametrization):
        run = d.descend(
            NET,
            -channel("conv2", 2),
            gray((1, 3, 64, 64)),
            steps=20,
            step=adam(0.02),
            parametrization=parametrization,
        )
        change = torch.fft.rfft2(run.finish(progress=False) - 0.5).abs().mean((0, 1))
        return (change[1:6, 1:6].mean() / change[20:32, 20:32].mean()).item()

    assert slope(spectrum()) > 4 * slope(pixels())


def test_growing_is_descent_enlarged_and_descended_again():
    def stage(image, octave):
        return d.descend(NET, OBJECTIVE, image, steps=2, step=sign(0.01))

    run = grow(stage, START, octaves=3, scale=1.5)
    assert len(run) == 6
    steps = [(step.number, step.total, step.stage, tuple(step.image.shape[-2:])) for step in run]
    assert steps == [(n, 6, (n - 1) // 2, [(17, 22), (26, 33), (38, 50)][(n - 1) // 2]) for n in range(1, 7)]


def test_a_zoom_keeps_its_size_and_changes_what_it_looks_for():
    asked = []

    def stage(image, frame):
        asked.append(frame)
        return d.descend(NET, -channel("conv2", frame % 4), image, steps=1, step=sign(0.01))

    frames = list(stage_images(zoom(stage, START, frames=4, scale=1.2)))
    assert asked == [0, 1, 2, 3]
    assert {frame.shape for frame in frames} == {START.shape}
    with pytest.raises(ValueError, match="at least 1"):
        in_stages(stage, START, 0, lambda image, _: image)


def test_inversion_of_a_code_finds_the_image_back():
    from cnnlab.objectives import code

    image = photo("cat", 24)
    target = NET.activations(image, ["conv1"])["conv1"]
    run = d.descend(NET, code("conv1", target), gray(image.shape), steps=150, step=adam(0.03))
    assert (run.finish(progress=False) - image).abs().mean() < 0.02
    assert run.values[-1] < 0.01 * run.values[0]
    assert pixel_norm(2).score(run.best, {}).item() > 0
