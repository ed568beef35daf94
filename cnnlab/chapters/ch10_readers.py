"""Readers of a code: a net that gives the photograph back, crops to train it, and what was measured of it.

Source: "Inverting visual representations with convolutional networks" (Dosovitskiy & Brox 2016). Chapter 10.
"""

import torch
from torch import Generator, Tensor, nn

from cnnlab.images import resize
from cnnlab.material.evidence import recorded
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.nets import named
from cnnlab.training import initialize
from cnnlab.zoo.checkpoints import load_checkpoint

SIZE, READ = 144, 128  # pixels of a photograph, and of its middle, which the codes from fire7 on cover: 8 x 8 x 16
CHECKPOINT = "decoder_{}.safetensors"
# Who reads the photographs of one group was trained on the three others.
GROUPS = (
    ("cat", "coffee", "china", "rocket"), ("astronaut", "brick", "moon", "motorcycle"),
    ("camera", "flower", "gravel", "hubble"), ("coins", "grass", "retina", "tissue"),
)  # fmt: skip


def crops_without(group: int, count: int, generator: Generator) -> Tensor:
    """Cut `count` squares out of each photograph that is not in the group, in turn: (count * 12, 3, 144, 144).

    A square has 0.3 to 1 of the shorter side. Half of them are mirrored, and the colors are stronger or weaker.
    """
    crops = []
    for image in [photo(name) for name in PHOTOS if name not in GROUPS[group]] * count:
        share, y, x, mirror, saturation, bright = torch.rand(6, generator=generator).tolist()
        side = int((0.3 + 0.7 * share) * min(image.shape[2:]))
        top, left = (int(at * (length - side)) for at, length in zip((y, x), image.shape[2:], strict=True))
        crop = resize(image[..., top : top + side, left : left + side], SIZE)
        crop = crop.flip(-1) if mirror < 0.5 else crop
        gray_crop = crop.mean(dim=1, keepdim=True)
        crops.append(((gray_crop + 1.5 * saturation * (crop - gray_crop)) * (0.7 + 0.5 * bright)).clamp(0, 1))
    return torch.cat(crops)


def decoder(channels: int, generator: Generator) -> nn.Sequential:
    """An untrained net from a code of 8 x 8 positions to an image: (B, channels, 8, 8) -> (B, 3, 128, 128)."""
    chain = named(
        norm=nn.BatchNorm2d(channels, affine=False), conv1=nn.Conv2d(channels, 64, 1), relu1=nn.ReLU(),
        conv2=nn.Conv2d(64, 64, 3, padding=1), relu2=nn.ReLU(), up1=nn.Upsample(scale_factor=2),
        conv3=nn.Conv2d(64, 48, 3, padding=1), relu3=nn.ReLU(), up2=nn.Upsample(scale_factor=2),
        conv4=nn.Conv2d(48, 48, 3, padding=1), relu4=nn.ReLU(),
        conv5=nn.Conv2d(48, 3 * 4 * 4, 1), shuffle=nn.PixelShuffle(4),  # 4 x 4 pixels for each of 32 x 32 positions
    )  # fmt: skip
    return initialize(chain, generator)


def trained_decoder(layer: str, channels: int) -> nn.Sequential:
    """The decoder for this layer of SqueezeNet, trained without the first group's photographs; `fire7` or `relu10`."""
    return load_checkpoint(decoder(channels, Generator()), CHECKPOINT.format(layer)).eval().requires_grad_(False)


def found_by_readers(layer: str) -> dict[str, tuple[Tensor, Tensor]]:
    """What the experiment ch10_readers found: reader -> PSNR, and whether its own photograph is the likest of 4, (16,).

    The likeness is the correlation of the 8 x 8 mean colors, each channel less its own mean.
    """
    groups = [group[layer] for group in recorded("ch10_readers")[: len(GROUPS)]]  # the last one reads a group again
    found = {}
    for reader in groups[0]:
        likeness = torch.tensor([group[reader]["layout"] for group in groups]).view(-1, 4, 4)
        own_first = likeness.argmax(dim=2) == torch.arange(4)
        found[reader] = torch.tensor([group[reader]["PSNR"] for group in groups]).flatten(), own_first.flatten()
    return found
