"""What a run varies: the spectrum against its formula, and what it changes in a picture."""

import math

import pytest
import torch
from torch import nn

from cnnlab.descent import descend
from cnnlab.images import gray, noise
from cnnlab.nets import Net, named
from cnnlab.objectives import channel, cross_entropy
from cnnlab.parametrizations import COLORS, cppn, cppn_weights, pixels, spectrum
from cnnlab.steps import adam

torch.manual_seed(0)
NET = Net(named(conv1=nn.Conv2d(3, 6, 3), relu1=nn.ReLU(), conv2=nn.Conv2d(6, 4, 3, stride=2)), device="cpu")
GENERATOR = torch.Generator().manual_seed(1)


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
        run = descend(
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


def test_a_painted_picture_is_the_formula_at_each_position():
    weights = cppn_weights(2, GENERATOR)
    variable, paint = cppn(weights)(gray((2, 3, 5, 7)))
    assert torch.equal(variable, weights)
    y, x = -1 + 2 * 1 / 4, -1 + 2 * 2 / 6  # row 1 of 5, column 2 of 7
    values = torch.tensor([abs(x), y, math.hypot(x, y), 1.0]) @ weights[1, :64].view(4, 16)
    for first, outputs in ((64, 16), (336, 16), (608, 3)):
        matrix = weights[1, first : first + 17 * outputs].view(17, outputs)
        values = values.sin() @ matrix[:16] + matrix[16]
    assert torch.allclose(paint(weights)[1, :, 1, 2], values.sigmoid(), atol=1e-5)
    assert torch.allclose(paint(weights), paint(weights).flip(3), atol=1e-5)  # left and right alike
    with pytest.raises(ValueError, match="B = 2 as weights"):
        cppn(weights)(gray((1, 3, 8, 8)))


def test_painting_follows_an_objective():
    torch.manual_seed(3)
    chain = named(conv1=nn.Conv2d(3, 8, 3), relu1=nn.ReLU(), flat=nn.Flatten(), logits=nn.Linear(8 * 10 * 14, 5))
    paint = cppn(cppn_weights(2, torch.Generator().manual_seed(0)))
    net = Net(chain, device="cpu")
    run = descend(net, cross_entropy([0, 3]), gray((2, 3, 12, 16)), steps=30, parametrization=paint)
    run.finish(progress=False)
    assert run.values[-1] < 0.5 * run.values[0]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_image_of_any_number_of_channels_has_a_spectrum(channels):
    image = torch.rand(2, channels, 9, 10, generator=GENERATOR)
    variable, decode = spectrum()(image)
    assert variable.shape == (2, channels, 9, 6, 2)
    assert decode(variable).shape == image.shape
    torch.testing.assert_close(decode(variable), image.clamp(0.01, 0.99), atol=1e-5, rtol=0)
    changed = variable.clone()
    changed[0, 0, 0, 0] += 1  # one coefficient of one image
    moved = (decode(changed) - decode(variable)).abs().amax((2, 3)) > 1e-4
    assert moved.tolist() == [[channel == 0 or channels == 3 for channel in range(channels)], [False] * channels]


def test_a_spectrum_has_a_decay_of_1_unless_told_and_of_8_at_most():
    image = noise((1, 3, 9, 10), GENERATOR)
    assert torch.equal(spectrum()(image)[0], spectrum(1)(image)[0])
    for most in (-8, 8):
        assert spectrum(most)(image)[0].isfinite().all()
    for wrong in (-8.5, 8.5, float("nan")):
        with pytest.raises(ValueError, match=rf"decay must lie in \[-8, 8\], not {wrong}"):
            spectrum(wrong)
    with pytest.raises(ValueError, match="^decay must be a number"):
        spectrum("1")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_variable_is_a_leaf_of_its_own_in_the_images_precision(dtype):
    image = noise((2, 3, 8, 10), GENERATOR).to(dtype).requires_grad_()
    weights = cppn_weights(2, GENERATOR).requires_grad_()
    for parametrization in (pixels(), spectrum(), cppn(weights)):
        variable, decode = parametrization(image)
        assert not variable.requires_grad
        assert (variable.dtype, decode(variable).dtype) == (dtype, dtype)
        assert decode(variable).shape == image.shape
        before = image.detach().clone(), weights.detach().clone()
        variable.zero_()
        assert torch.equal(image, before[0])
        assert torch.equal(weights, before[1])


def test_weights_of_a_painting_are_normal_and_as_many_as_it_has():
    weights = cppn_weights(3, torch.Generator().manual_seed(4))
    again, shares = torch.Generator().manual_seed(4), []
    for inputs, outputs, spread in (
        (4, 16, 10 / 2),
        (17, 16, 1.5 / 17**0.5),
        (17, 16, 1.5 / 17**0.5),
        (17, 3, 1.5 / 17**0.5),
    ):
        shares.append(spread * torch.randn(3, inputs * outputs, generator=again))
    torch.testing.assert_close(weights, torch.cat(shares, 1))
    assert cppn_weights(1, GENERATOR).shape == (1, 659)
    with pytest.raises(ValueError, match="^count must be at least 1, not 0"):
        cppn_weights(0, GENERATOR)
    for wrong, found in (
        (weights[0], r"\(659,\)"),
        (weights[:, 1:], r"\(3, 658\)"),
        (weights[None], r"\(1, 3, 659\)"),
        (3, "int"),
    ):
        with pytest.raises(ValueError, match=rf"weights must be a tensor \(B, 659\), .* not {found}"):
            cppn(wrong)
    with pytest.raises(ValueError, match=r"image must be \(B, 3, H, W\), .* not \(3, 1, 8, 8\)"):
        cppn(weights)(gray((3, 1, 8, 8)))
