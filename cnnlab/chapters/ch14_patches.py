"""An adversarial patch: stuck onto photographs at random, as a transform of the loop, and tested. Chapter 14."""

import math

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.nets import Net

WIDTH = 0.36  # of the patch, as a share of the photograph's width; the area is 13 % of the photograph's
DEGREES, GROW, LIGHT = 20, 1.3, 0.2  # how much it is turned, resized (a factor) and made lighter or darker, at most


def stick(
    patch: Tensor, scenes: Tensor, generator: Generator, width: float = WIDTH, moving: bool = True
) -> Tensor:  # fmt: skip
    """Cover a part of each scene by the patch: at random positions, turned, resized, in another light.

    Args:
        patch: (1, 3, h, h) in [0, 1]; gradients flow back to it.
        scenes: square photographs (B, 3, H, H).
        generator: draws what happens on each scene.
        width: of the patch, as a share of the scene's width, before it is resized.
        moving: if False, the patch is upright in the middle of each scene, and nothing is random.
    """
    number = len(scenes)
    turn, grow, light, x, y = (2 * torch.rand((5, number), generator=generator) - 1) * moving
    turn, half = math.radians(DEGREES) * turn, width * GROW**grow
    room = (1 - half * (turn.cos() + turn.sin().abs())).clamp(min=0)  # how far the center may move
    x, y, across, down = x * room, y * room, turn.cos() / half, turn.sin() / half
    rows = [torch.stack([across, down, -across * x - down * y]), torch.stack([-down, across, down * x - across * y])]
    grid = F.affine_grid(torch.stack(rows).permute(2, 0, 1).to(scenes), list(scenes.shape), align_corners=False)
    shaded = (patch * (1 + LIGHT * light.view(-1, 1, 1, 1))).clamp(0, 1)
    placed = F.grid_sample(F.pad(shaded, (0, 0, 0, 0, 0, 1), value=1.0), grid, align_corners=False)
    return scenes * (1 - placed[:, 3:]) + placed[:, :3]  # the fourth channel is 1 where the patch is


def seen_as(net: Net, labels: tuple[str, ...], images: Tensor) -> int:
    """Count the images that the net gives one of these labels."""
    with torch.no_grad():
        found = torch.cat([net(part).argmax(1) for part in images.split(16)])
    return int(torch.isin(found, torch.tensor([net.index(label) for label in labels])).sum())
