"""HOG, histograms of oriented gradients, as a net: so that the loop can look for a picture with a given HOG.

Dalal & Triggs 2005, "Histograms of oriented gradients for human detection", in the form that scikit-image gives it:
`skimage.feature.hog(..., cells_per_block=(2, 2), block_norm="L2-Hys")`.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.nets import Net, named


def hog_net(orientations: int = 9, cell: int = 8) -> Net:
    """HOG as a chain of named layers, (B, C, H, W) in [0, 1] -> "hog" (B, 4 * orientations, rows - 1, columns - 1).

    Layers: "gradients" (B, 2, H, W), of each pixel the strongest colour's, down and right; "cells", the histograms
    (B, orientations, rows, columns) of cells of `cell` x `cell` pixels; "hog", 2 x 2 cells each normalised together.

    Args:
        orientations: bins from 0 to 180 degrees: light beside dark counts as dark beside light.
        cell: pixels; what does not fill a cell at the right and at the bottom is left out.
    """
    return Net(named(gradients=_Gradients(), cells=_Cells(orientations, cell), hog=_Blocks()), device="cpu")


class _Gradients(nn.Module):
    """Differences of the neighbours, down and right, 0 at the border: (B, C, H, W) -> (B, 2, H, W)."""

    def forward(self, image: Tensor) -> Tensor:
        down = F.pad(image[..., 2:, :] - image[..., :-2, :], (0, 0, 1, 1))
        right = F.pad(image[..., :, 2:] - image[..., :, :-2], (1, 1))
        both = torch.stack([down, right], dim=1)  # (B, 2, C, H, W)
        strongest = both.square().sum(1, keepdim=True).argmax(2, keepdim=True)  # (B, 1, 1, H, W)
        return both.gather(2, strongest.expand(-1, 2, -1, -1, -1))[:, :, 0]


class _Cells(nn.Module):
    """The mean strength of the gradients of each orientation: (B, 2, H, W) -> (B, orientations, rows, columns)."""

    def __init__(self, orientations: int, cell: int):
        super().__init__()
        self.orientations, self.cell = orientations, cell

    def forward(self, gradients: Tensor) -> Tensor:
        down, right = gradients.double().unbind(1)  # (B, H, W)
        flat = (down == 0) & (right == 0)  # there the strength has no derivative, and the angle none either
        right = torch.where(flat, 1.0, right)
        strength = torch.where(flat, 0.0, torch.hypot(down, right))
        angle = torch.atan2(down, right) * (self.orientations / math.pi) % self.orientations  # in bins
        bins = torch.arange(self.orientations, device=angle.device).view(-1, 1, 1)
        hard = (angle[:, None].floor() == bins).double()  # (B, orientations, H, W)
        # A step function has no slope: the value is the hard bin's, the slope that of sharing between the two nearest.
        away = (angle[:, None] - bins - 0.5 + self.orientations / 2) % self.orientations - self.orientations / 2
        shared = (1 - away.abs()).clamp(min=0)
        votes = strength[:, None] * (hard + shared - shared.detach())
        return F.avg_pool2d(votes, self.cell).float()


class _Blocks(nn.Module):
    """L2-Hys: each 2 x 2 cells scaled to length 1, cut at 0.2, scaled again: (B, n, h, w) -> (B, 4 n, h - 1, w - 1)."""

    def forward(self, cells: Tensor) -> Tensor:
        x = torch.cat([cells[..., :-1, :-1], cells[..., :-1, 1:], cells[..., 1:, :-1], cells[..., 1:, 1:]], dim=1)
        x = (x / (x.square().sum(1, keepdim=True) + 1e-10).sqrt()).clamp(max=0.2)
        return x / (x.square().sum(1, keepdim=True) + 1e-10).sqrt()


def draw_hog(cells: Tensor, cell: int = 8) -> Tensor:
    """Cells (B, orientations, h, w) as pictures (B, 1, cell h, cell w): a stroke for each orientation, along the edge.

    The edge runs across the gradient. Strokes are as bright as their share of the cell's length, so that faint and
    strong outlines look alike, as they do to the blocks.
    """
    count = cells.shape[1]
    angle = torch.arange(count) * (math.pi / count) + math.pi / (2 * count)  # of the gradient
    offset = torch.arange(cell) - (cell - 1) / 2
    across = offset[:, None] * angle.sin().view(-1, 1, 1) + offset * angle.cos().view(-1, 1, 1)  # (count, cell, cell)
    strokes = (1.2 - across.abs()).clamp(0, 1)
    shares = cells / cells.square().sum(1, keepdim=True).sqrt().clamp(min=1e-3)
    picture = torch.einsum("bnhw,nyx->bhywx", shares.cpu(), strokes)  # (B, h, cell, w, cell)
    return picture.flatten(3).flatten(1, 2)[:, None].clamp(0, 1)
