"""What a run varies: pixels, the Fourier spectrum of decorrelated colors, or the weights of a net that paints.

The choice of parametrization decides how the pictures look. A parametrization takes the start image and gives
(variable, decode): the leaf tensor that the steps change, and the function that makes the image (B, C, H, W) in [0, 1]
from it.
"""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from cnnlab.images import frequencies
from cnnlab.inputs import integer, real

Parametrization = Callable[[Tensor], tuple[Tensor, Callable[[Tensor], Tensor]]]
# A square root of the covariance of natural images' colors, lucid's (Olah et al. 2017, "Feature visualization"). The
# rows are RGB. The columns are brightness, red against blue, green against magenta; the longest is made 1 long.
COLORS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]]) / 0.462


def pixels() -> Parametrization:
    """The image itself. Each step is followed by clipping to [0, 1]."""

    def parametrize(image: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        return image.detach().clone(memory_format=torch.channels_last), lambda variable: variable

    return parametrize


def spectrum(decay: float = 1.0) -> Parametrization:
    """Fourier coefficients, scaled by 1 / frequency**decay, of decorrelated colors, through a sigmoid.

    image = sigmoid(colors @ irfft2(variable / frequency**decay)). A step of equal size for every coefficient then
    changes an image the way photographs vary: coarse structure more than fine (Olah et al. 2017, "Preconditioning").
    The larger `decay`, the smoother the image; 0 is white; beyond 8 a ValueError. Chapter 04.
    """
    decay = real(decay, "decay")
    if not abs(decay) <= 8:  # NaN, too
        raise ValueError(f"decay must lie in [-8, 8], not {decay}")

    def parametrize(image: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        channels, height, width = image.shape[1:]
        scale = (frequencies(height, width) ** -decay).to(image)
        scale = scale / scale.square().mean().sqrt()  # white input keeps its variance
        scale = torch.stack([scale, scale], dim=-1)  # (H, W // 2 + 1, 2); broadcasting is 7 x slower
        colors = (COLORS if channels == 3 else torch.eye(channels)).to(image)
        inverse = torch.linalg.inv(colors)

        def decode(variable: Tensor) -> Tensor:  # (B, C, H, W // 2 + 1, 2) -> (B, C, H, W)
            planes = torch.fft.irfft2(torch.view_as_complex(variable * scale), s=(height, width), norm="ortho")
            return (colors @ planes.flatten(2)).view_as(planes).sigmoid()  # colors @ (B, 3, H W)

        squeezed = image.detach().clamp(0.01, 0.99).logit()  # at 0 and 1 the sigmoid has no inverse
        planes = torch.einsum("cr,brhw->bchw", inverse, squeezed)
        return torch.view_as_real(torch.fft.rfft2(planes, norm="ortho")) / scale, decode

    return parametrize


# A painting net's layers, (inputs, outputs): from |x|, y, the distance to the center and 1 to red, green and blue.
_PAINTER = ((4, 16), (17, 16), (17, 16), (17, 3))


def cppn(weights: Tensor) -> Parametrization:
    """The weights of a small net that paints: it gives the color of each position (a CPPN, Stanley 2007). Chapter 14.

    color(y, x) = sigmoid(W3 sin(W2 sin(W1 sin(W0 (|x|, y, r, 1))))), with a bias in each layer, y and x from -1 to 1
    and r the distance to the center. Pictures are smooth, left and right alike, and can be painted at any size.

    Args:
        weights: the start, (B, weights), as `cppn_weights` makes them. Of the image only the shape is used.
    """
    count = sum(inputs * outputs for inputs, outputs in _PAINTER)
    if not isinstance(weights, Tensor) or weights.ndim != 2 or weights.shape[1] != count:
        found = tuple(weights.shape) if isinstance(weights, Tensor) else type(weights).__name__
        raise ValueError(f"weights must be a tensor (B, {count}), as cppn_weights makes them, not {found}")

    def parametrize(image: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        if len(weights) != len(image) or image.shape[1] != 3:
            raise ValueError(f"image must be (B, 3, H, W), B = {len(weights)} as weights, not {tuple(image.shape)}")
        height, width = image.shape[2:]
        y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
        positions = torch.stack([x.abs(), y, torch.hypot(x, y), torch.ones_like(x)], dim=-1).view(-1, 4).to(image)

        def decode(variable: Tensor) -> Tensor:  # (B, weights) -> (B, 3, H, W)
            values = positions  # (H W, 4), then (B, H W, outputs)
            for number, layer in enumerate(variable.split([inputs * outputs for inputs, outputs in _PAINTER], dim=1)):
                matrix = layer.view(len(variable), *_PAINTER[number])
                values = values.sin() @ matrix[:, :-1] + matrix[:, -1:] if number else values @ matrix
            return values.sigmoid().transpose(1, 2).reshape(len(variable), 3, height, width)

        return weights.detach().to(image).clone(), decode

    return parametrize


def cppn_weights(count: int, generator: Generator) -> Tensor:
    """Random weights for `cppn`, normal, (count, weights)."""
    count, shares = integer(count, "count", 1), []
    for inputs, outputs in _PAINTER:
        spread = 10.0 if inputs == 4 else 1.5  # of the first layer: how many waves there are across the picture
        shares.append(spread / math.sqrt(inputs) * torch.randn(count, inputs * outputs, generator=generator))
    return torch.cat(shares, dim=1)
