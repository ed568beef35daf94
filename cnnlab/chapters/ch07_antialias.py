"""Subsampling without aliasing: blur first, then keep every second position (Zhang 2019). Chapter 07."""

from copy import deepcopy

import torch.nn.functional as F
from torch import Generator, Tensor, nn

from cnnlab.nets import Net, named
from cnnlab.training import initialize

KINDS = ("plain", "antialiased", "blurred input")


class BlurPool(nn.Module):
    """Blur with (1 2 1) / 4 along rows and columns, then keep every `stride`-th position: (B, C, H, W) -> smaller.

    Two averages over 2 x 2 neighbors are this blur. Beyond its border the input is mirrored.
    Source: Zhang 2019, "Making convolutional networks shift-invariant again".
    """

    def __init__(self, stride: int = 2):
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), 2, 1), 2, self.stride)


def antialiased(net: Net) -> Net:
    """SqueezeNet with a `BlurPool` wherever it keeps only every second position; its weights stay as they are.

    The first convolution and the poolings compute all positions. The blur stands behind the ReLU or the pooling.
    """
    chain = deepcopy(net.model)
    chain.conv1[1].stride = (1, 1)
    chain.relu1 = nn.Sequential(chain.relu1, BlurPool())
    for name in ("pool1", "pool3", "pool5"):
        setattr(chain, name, nn.Sequential(nn.MaxPool2d(3, stride=1), BlurPool()))
    return Net(chain, labels=net.labels, device=str(net.device))


def digits_net(kind: str, generator: Generator) -> nn.Sequential:
    """A small untrained CNN for digits that ends, as SqueezeNet does, in a mean over all positions.

    Args:
        kind: "plain", with max pooling of 2 x 2; "antialiased", with a `BlurPool` in each pooling; "blurred input", the
            plain net behind the same blur of the digit, which keeps all positions.
        generator: where the first weights come from.

    Raises ValueError for another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")

    def pool() -> nn.Module:
        return nn.Sequential(nn.MaxPool2d(2, stride=1), BlurPool()) if kind == "antialiased" else nn.MaxPool2d(2)

    chain = named(
        blur=BlurPool(stride=1) if kind == "blurred input" else nn.Identity(),
        conv1=nn.Conv2d(1, 8, 3, padding=1),
        relu1=nn.ReLU(),
        pool1=pool(),
        conv2=nn.Conv2d(8, 16, 3, padding=1),
        relu2=nn.ReLU(),
        pool2=pool(),
        conv3=nn.Conv2d(16, 32, 3, padding=1),
        relu3=nn.ReLU(),
        mean=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        logits=nn.Linear(32, 10),
    )
    return initialize(chain, generator)
