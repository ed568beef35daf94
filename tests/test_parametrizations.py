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
