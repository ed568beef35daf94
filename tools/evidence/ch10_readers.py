"""Which of three readers gets a photograph back from a deep code: the loop, a linear one, or a trained decoder?"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from cnnlab.chapters.ch10_readers import GROUPS, READ, SIZE, crops_without, decoder
from cnnlab.images import center_crop, gray
from cnnlab.material.photos import photo
from cnnlab.techniques.inversion import invert
from cnnlab.zoo.load import load_net

# Seed n reads group n; the last one reads the first group again, with other crops.
SEEDS = (0, 1, 2, 3, 4)
FULL: dict[str, Any] = {"layers": ("fire7", "relu10"), "crops": 60, "epochs": 10, "steps": 200}
TINY = {"layers": ("fire7", "relu10"), "crops": 1, "epochs": 1, "steps": 2}


def measure(seed: int, layers: tuple[str, ...], crops: int, epochs: int, steps: int) -> dict[str, Any]:
    """Measure layer -> reader -> what `judged` measures, for the four photographs of the group."""
    net, generator = load_net("squeezenet", device="cpu"), Generator().manual_seed(seed)
    group = seed % len(GROUPS)
    photos, images = torch.cat([photo(name, SIZE) for name in GROUPS[group]]), crops_without(group, crops, generator)
    wanted = center_crop(photos, READ)
    found: dict[str, Any] = {}
    for layer in layers:
        codes = torch.cat([net.activations(part, [layer])[layer] for part in images.split(60)])
        target = net.activations(photos, [layer])[layer]
        pictures = {
            "trained": trained(codes, images, epochs, generator)(target).clamp(0, 1),
            "linear": read_linearly(codes, images, target),
            "loop": center_crop(invert(net, layer, target, gray(photos.shape), steps=steps).finish(False), READ),
            "own mean color": wanted.mean((2, 3), keepdim=True).expand_as(wanted),
            "gray": gray(wanted.shape),
        }
        found[layer] = {reader: judged(image, wanted) for reader, image in pictures.items()}
    return found


def trained(codes: Tensor, images: Tensor, epochs: int, generator: Generator, batch: int = 16) -> nn.Sequential:
    """Train a decoder on codes (N, channels, 8, 8) and their images, for the smallest mean squared error."""
    chain, wanted = decoder(codes.shape[1], generator), center_crop(images, READ)
    optimizer = torch.optim.Adam(chain.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=epochs * -(-len(codes) // batch))
    for _ in range(epochs):
        for chosen in torch.randperm(len(codes), generator=generator).split(batch):
            loss = F.mse_loss(chain(codes[chosen]), wanted[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return chain.eval().requires_grad_(False)


def judged(images: Tensor, photos: Tensor) -> dict[str, list]:
    """The PSNR of each image, and the correlation of its 8 x 8 colors with those of each photograph, 16 values."""
    psnr = -10 * (images - photos).square().mean((1, 2, 3)).log10()
    coarse, own = (F.avg_pool2d(batch - batch.mean((2, 3), keepdim=True), 16).flatten(1) for batch in (images, photos))
    layout = torch.cosine_similarity(coarse[:, None], own, dim=2)
    found = {"PSNR": psnr.tolist(), "layout": layout.flatten().tolist()}
    return {name: [round(value, 3) for value in values] for name, values in found.items()}


def read_linearly(codes: Tensor, images: Tensor, target: Tensor, ridge: float = 0.1) -> Tensor:
    """Read 16 x 16 pixels off each position of a code, by the least squares of the chapter: (B, 3, 128, 128)."""

    def rows(values: Tensor) -> Tensor:  # (B, channels, 8, 8) -> (B * 64, channels)
        return values.permute(0, 2, 3, 1).flatten(0, 2)

    known, wanted = F.pad(rows(codes), (0, 1), value=1.0), rows(F.pixel_unshuffle(center_crop(images, READ), 16))
    squares = known.T @ known
    penalty = ridge * squares.diagonal().mean() * torch.eye(len(squares))
    weights = torch.linalg.solve(squares + penalty, known.T @ wanted)
    read = (F.pad(rows(target), (0, 1), value=1.0) @ weights).unflatten(0, (-1, 8, 8)).permute(0, 3, 1, 2)
    return F.pixel_shuffle(read, 16).clamp(0, 1)
