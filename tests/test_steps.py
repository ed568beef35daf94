"""Step rules equal loops written out, and projections keep the image in their set."""

import numpy as np
import pytest
import torch
from torch import nn

from cnnlab.descent import descend
from cnnlab.images import gray, noise
from cnnlab.nets import Net, named
from cnnlab.objectives import channel, custom, total_variation
from cnnlab.parametrizations import cppn, cppn_weights, pixels, spectrum
from cnnlab.steps import adam, l2_ball, lbfgs, linf_ball, normalized, plain, sign

torch.manual_seed(0)
NET = Net(named(conv1=nn.Conv2d(3, 6, 3), relu1=nn.ReLU(), conv2=nn.Conv2d(6, 4, 3, stride=2)), device="cpu")
GENERATOR = torch.Generator().manual_seed(1)
START = noise((2, 3, 17, 22), GENERATOR)
OBJECTIVE = -channel("conv2", 1) + 0.3 * total_variation()


def value_and_grad(image):
    image = image.clone().requires_grad_()
    x = NET.model(image)[:, 1].mean((1, 2))
    tv = image.diff(dim=2).abs().mean((1, 2, 3)) + image.diff(dim=3).abs().mean((1, 2, 3))
    values = -x + 0.3 * tv
    return values.detach(), torch.autograd.grad(values.sum(), image)[0]


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
    run = descend(NET, OBJECTIVE, START, steps=5, step=step)
    assert torch.allclose(run.finish(progress=False), image, atol=1e-5)
    assert run.values == pytest.approx(values, abs=1e-6)


def test_adam_is_torchs_with_clipping():
    image = START.clone().requires_grad_()
    optimizer = torch.optim.Adam([image], lr=0.03)
    for _ in range(6):
        image.grad = value_and_grad(image.detach())[1]
        optimizer.step()
        image.data.clamp_(0, 1)
    found = descend(NET, OBJECTIVE, START, steps=6, step=adam(0.03)).finish(progress=False)
    assert torch.allclose(found, image, atol=1e-5)


@pytest.mark.parametrize("parametrization", [pixels(), spectrum(), cppn(cppn_weights(2, GENERATOR))])
@pytest.mark.parametrize("size", [(17, 22), (8, 8)])
def test_adam_moves_every_number_of_the_variable_by_its_own_gradient(parametrization, size):
    """PyTorch's fused loop takes memory as it lies: variable, gradient and means must be laid out alike."""
    start = noise((2, 3, *size), torch.Generator().manual_seed(2))
    variable, decode = parametrization(start)
    variable = variable.contiguous().requires_grad_()
    optimizer = torch.optim.Adam([variable], lr=0.01, foreach=False, fused=False)
    for _ in range(4):
        image = decode(variable)
        optimizer.zero_grad()
        OBJECTIVE.score(image, NET.activations(image, ["conv2"])).sum().backward()
        optimizer.step()
    run = descend(NET, OBJECTIVE, start, steps=4, step=adam(0.01), parametrization=parametrization)
    torch.testing.assert_close(run.finish(progress=False), decode(variable).detach().clamp(0, 1), atol=2e-4, rtol=0)


@pytest.mark.parametrize("steps", [2, 20])  # far from the end, and more than L-BFGS remembers
def test_lbfgs_stepped_is_lbfgs_in_one_go(steps):
    target = 0.4 + 0.2 * torch.rand(1, 3, 9, 9, generator=GENERATOR)  # far from the clipping
    scale = torch.linspace(1, 9, 9)
    seen = []
    bowl = custom("bowl", lambda image, _: seen.append(1) or (scale * (image - target)).square().sum((1, 2, 3)))
    start = gray((1, 3, 9, 9))
    variable = start.clone().requires_grad_()
    reference = torch.optim.LBFGS([variable], 0.5, steps, 99, tolerance_grad=0, tolerance_change=0, history_size=10)

    def closure():
        reference.zero_grad()
        loss = bowl.score(variable, {}).sum()
        loss.backward()
        return loss

    reference.step(closure)
    seen.clear()
    run = descend(NET, bowl, start, steps=steps, step=lbfgs(0.5))
    torch.testing.assert_close(run.finish(progress=False), variable.detach(), atol=1e-6, rtol=0)
    assert len(seen) == steps, "a step is one gradient"
    assert run.values[-1] < (0.9 if steps == 2 else 0.01) * run.values[0]
    one, same = (descend(NET, bowl, start, steps=3, step=step).finish(progress=False) for step in (lbfgs(), lbfgs(1.0)))
    assert torch.equal(one, same)


def test_projections_keep_the_image_in_the_ball():
    eps = 0.02
    image = descend(NET, OBJECTIVE, START, steps=8, step=sign(0.01), project=linf_ball(START, eps)).finish(False)
    assert (image - START).abs().max().item() == pytest.approx(eps, abs=1e-6)
    image = descend(NET, OBJECTIVE, START, steps=8, step=plain(9.0), project=l2_ball(START, 0.5)).finish(False)
    lengths = (image - START).flatten(1).norm(dim=1)
    assert (lengths <= 0.5 + 1e-5).all()
    assert (lengths > 0.4).all()
    with pytest.raises(ValueError, match="project moves pixels"):
        descend(NET, OBJECTIVE, START, steps=1, project=linf_ball(START, eps), parametrization=spectrum())


@pytest.mark.parametrize("rule", [plain, sign, normalized, adam, lbfgs])
def test_a_rate_is_finite_and_not_negative(rule):
    for wrong in (float("nan"), float("inf"), -0.1):
        with pytest.raises(ValueError, match="rate must be finite and at least 0"):
            rule(wrong)
    assert callable(rule(np.float32(0.1)))
    assert callable(rule(torch.tensor(0.1)))


def test_a_ball_has_a_radius_in_pixel_units_and_the_images_shape():
    center = torch.full((1, 3, 4, 4), 0.5)
    with pytest.raises(ValueError, match=r"eps must be in \[0, 1\], as pixels are, not 8; did you mean 8/255\?"):
        linf_ball(center, 8)
    for wrong in (-0.1, float("nan"), 1e9):
        with pytest.raises(ValueError, match=r"eps must be in \[0, 1\]"):
            linf_ball(center, wrong)
    for wrong in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="eps must be finite and at least 0"):
            l2_ball(center, wrong)
    for ball in (linf_ball(center, 0.1), l2_ball(center, 8)):
        assert ball(center.repeat(2, 1, 1, 1)).shape == (2, 3, 4, 4)
        with pytest.raises(ValueError, match=r"center must have the image's shape \(1, 3, 5, 4\)"):
            ball(torch.zeros(1, 3, 5, 4))
    for ball in (linf_ball(center.repeat(2, 1, 1, 1), 0.1), l2_ball(center.repeat(2, 1, 1, 1), 8)):
        for batch in (1, 3):
            with pytest.raises(
                ValueError, match=rf"center must have the image's shape \({batch}, 3, 4, 4\), not \(2, "
            ):
                ball(center.repeat(batch, 1, 1, 1))


def test_a_step_is_zero_where_the_gradient_is_zero():
    """Not NaN, where a rule divides by its size; the other image of the batch moves, and so does one alone."""
    flat = custom("flat", lambda image, _: image.mean((1, 2, 3)) * torch.tensor([0.0, 1.0]))
    for rule in (plain, sign, normalized, adam, lbfgs):
        image = descend(NET, flat, START, steps=1, step=rule(0.01)).finish(progress=False)
        assert torch.equal(image[:1], START[:1])
        assert (image[1] < START[1]).all()
        bright = custom("bright", lambda image, _: image.mean((1, 2, 3)))
        assert torch.equal(descend(NET, bright, START[1:], steps=1, step=rule(0.01)).finish(progress=False), image[1:])


def test_projections_are_their_formulas_for_each_image_of_the_batch():
    offset = torch.randn(START.shape, generator=GENERATOR)
    offset = offset / offset.flatten(1).norm(dim=1).view(2, 1, 1, 1)  # 1 long
    image = START + torch.tensor([0.2, 3.0]).view(2, 1, 1, 1) * offset
    found = l2_ball(START, 0.5)(image)
    torch.testing.assert_close(found[0], image[0])  # inside
    torch.testing.assert_close(found[1], START[1] + 0.5 * offset[1])
    assert torch.equal(l2_ball(START, 0)(START), START)
    torch.testing.assert_close(l2_ball(START, 0)(image), START)
    found = linf_ball(START, 0.01)(image)
    torch.testing.assert_close(found, torch.maximum(torch.minimum(image, START + 0.01), START - 0.01))
    assert linf_ball(START.double(), 1)(START).dtype == torch.float32
