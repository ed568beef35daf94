"""What a run varies: pixels, or the Fourier spectrum of decorrelated colours. It decides how the pictures look.

A parametrization takes the start image and gives (variable, decode): the leaf tensor that the steps change, and the
function that makes the image (B, C, H, W) in [0, 1] from it.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from cnnlab.images import frequencies

Parametrization = Callable[[Tensor], tuple[Tensor, Callable[[Tensor], Tensor]]]

# A square root of the covariance of natural images' colours, rows RGB (Olah et al. 2017, "Feature visualization"),
# scaled so that its largest column has norm 1. The columns: brightness, blue against yellow, green against magenta.
COLORS = torch.tensor([[0.56, 0.16, 0.09], [0.58, 0.00, -0.13], [0.58, -0.19, 0.05]])


def pixels() -> Parametrization:
    """The image itself. Each step is followed by clipping to [0, 1]."""

    def parametrize(image: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        return image.detach().clone(memory_format=torch.channels_last), lambda variable: variable

    return parametrize


def spectrum(decay: float = 1.0, margin: float = 0.01) -> Parametrization:
    """Fourier coefficients, scaled by 1 / frequency**decay, of decorrelated colours, through a sigmoid.

    image = sigmoid(colors @ irfft2(variable / frequency**decay)). A step of equal size for every coefficient then
    changes an image the way photographs vary: coarse structure more than fine (Olah et al. 2017, "Preconditioning").

    Args:
        decay: larger is smoother; 0 is white.
        margin: the start image is squeezed into [margin, 1 - margin], where the sigmoid has an inverse.
    """

    def parametrize(image: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        channels, height, width = image.shape[1:]
        scale = (frequencies(height, width) ** -decay).to(image.device)
        scale = scale[..., None] / scale.square().mean().sqrt()  # (H, W // 2 + 1, 1): white input keeps its variance
        colors = COLORS.to(image.device) if channels == 3 else torch.eye(channels, device=image.device)
        inverse = torch.linalg.inv(colors)

        def decode(variable: Tensor) -> Tensor:  # (B, C, H, W // 2 + 1, 2) -> (B, C, H, W)
            planes = torch.fft.irfft2(torch.view_as_complex(variable * scale), s=(height, width), norm="ortho")
            return (colors @ planes.flatten(2)).view_as(planes).sigmoid()  # colors @ (B, 3, H W)

        squeezed = image.detach().clamp(margin, 1 - margin).logit()
        planes = torch.einsum("cr,brhw->bchw", inverse, squeezed)
        return torch.view_as_real(torch.fft.rfft2(planes, norm="ortho")) / scale, decode

    return parametrize
