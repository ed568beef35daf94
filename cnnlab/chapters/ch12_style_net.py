"""A net that paints any photograph in one style, in one forward pass; `tools/train_style_net.py` trained it."""

from torch import Tensor, nn

from cnnlab.nets import Normalize
from cnnlab.zoo.checkpoints import load_checkpoint

STYLE, CHECKPOINT = "swirls", "style_swirls.safetensors"
UNSEEN = ("astronaut", "cat", "china", "coffee", "rocket")  # photographs that it was not trained with


class _Added(nn.Sequential):
    def forward(self, maps: Tensor) -> Tensor:
        return maps + super().forward(maps)


def style_net() -> nn.Sequential:
    """(B, 3, H, W) -> what it paints, H and W multiples of 4 (after Johnson et al. 2016, Ulyanov et al. 2017)."""
    change = _Added(
        nn.PixelUnshuffle(2), *_layers(12, 24), *_layers(24, 48, stride=2),
        *(_Added(*_layers(48, 48), *_layers(48, 48)[:-1]) for _ in range(3)), nn.Upsample(scale_factor=2),
        *_layers(48, 32), nn.Conv2d(32, 12, 3, padding=1, padding_mode="reflect"), nn.PixelShuffle(2),
        nn.ReplicationPad2d(1), nn.AvgPool2d(2, 1), nn.AvgPool2d(2, 1),  # no checkerboard (Odena et al. 2016)
    )  # fmt: skip
    return nn.Sequential(Normalize((0.5,) * 3, (0.25,) * 3), change, nn.Sigmoid())


def _layers(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, padding_mode="reflect")
    return [convolution, nn.InstanceNorm2d(outputs, affine=True), nn.ReLU()]


def trained_style_net() -> nn.Sequential:
    """The net with the shipped weights, frozen."""
    return load_checkpoint(style_net(), CHECKPOINT).requires_grad_(False)
