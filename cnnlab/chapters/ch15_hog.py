"""HOG, histograms of oriented gradients, as a net: the loop can then look for an image with a given HOG.

Source: Dalal & Triggs 2005, "Histograms of oriented gradients for human detection", in the form of scikit-image:
`skimage.feature.hog(..., cells_per_block=(2, 2), block_norm="L2-Hys")`.
"""

import math

import torch
import torch.nn.functional as F
from skimage.feature import hog
from torch import Tensor, nn

from cnnlab.nets import Net, named

CELL = 8  # pixels along a side of a cell


def hog_net(orientations: int = 9) -> Net:
    """Build HOG as a net, (B, C, H, W) in [0, 1] -> "hog" (B, 4 * orientations, H // 8 - 1, W // 8 - 1).

    Its layers are "gradients" (B, 2, H, W): down and right, each pixel's from its strongest color; "cells"
    (B, orientations, H // 8, W // 8): the histograms of cells of 8 x 8 pixels; and "hog": each 2 x 2 cells are
    normalized together. Pixels at the right and at the bottom that do not fill a cell are left out.

    The `orientations` are bins from 0 to 180 degrees: a bright-to-dark edge counts as a dark-to-bright one.
    """
    return Net(named(gradients=_Gradients(), cells=_Cells(orientations), hog=_Blocks()), device="cpu")


class _Gradients(nn.Module):
    """The difference of the two neighbors, down and right; it is 0 at the border: (B, C, H, W) -> (B, 2, H, W)."""

    def forward(self, image: Tensor) -> Tensor:
        down = F.pad(image[..., 2:, :] - image[..., :-2, :], (0, 0, 1, 1))
        right = F.pad(image[..., :, 2:] - image[..., :, :-2], (1, 1))
        both = torch.stack([down, right], dim=1)  # (B, 2, C, H, W)
        strongest = both.square().sum(1, keepdim=True).argmax(2, keepdim=True)  # (B, 1, 1, H, W)
        return both.gather(2, strongest.expand(-1, 2, -1, -1, -1))[:, :, 0]


class _Cells(nn.Module):
    """The mean strength of the gradients of each orientation: (B, 2, H, W) -> (B, orientations, rows, columns)."""

    def __init__(self, orientations: int):
        super().__init__()
        self.orientations = orientations

    def forward(self, gradients: Tensor) -> Tensor:
        down, right = gradients.double().unbind(1)  # (B, H, W)
        flat = (down == 0) & (right == 0)  # there the strength and the angle have no derivative
        right = torch.where(flat, 1.0, right)
        strength = torch.where(flat, 0.0, torch.hypot(down, right))
        angle = torch.atan2(down, right) * (self.orientations / math.pi) % self.orientations  # in bins
        bins = torch.arange(self.orientations, device=angle.device).view(-1, 1, 1)
        hard = (angle[:, None].floor() == bins).double()  # (B, orientations, H, W)
        # Binning has no gradient. Forward, each pixel votes for one bin; backward, we use the gradient of a vote shared
        # between the two nearest bins (a straight-through estimator).
        away = (angle[:, None] - bins - 0.5 + self.orientations / 2) % self.orientations - self.orientations / 2
        shared = (1 - away.abs()).clamp(min=0)
        votes = strength[:, None] * (hard + shared - shared.detach())
        return F.avg_pool2d(votes, CELL).to(gradients)


class _Blocks(nn.Module):
    """L2-Hys: scale each 2 x 2 cells to length 1, cut at 0.2, scale again: (B, n, h, w) -> (B, 4 n, h - 1, w - 1)."""

    def forward(self, cells: Tensor) -> Tensor:
        x = torch.cat([cells[..., :-1, :-1], cells[..., :-1, 1:], cells[..., 1:, :-1], cells[..., 1:, 1:]], dim=1)
        x = (x / (x.square().sum(1, keepdim=True) + 1e-10).sqrt()).clamp(max=0.2)
        return x / (x.square().sum(1, keepdim=True) + 1e-10).sqrt()


def scikit_image_hog(image: Tensor) -> Tensor:
    """Compute HOG with scikit-image, in the order of `hog_net`: (1, C, H, W) -> (1, 36, rows, columns)."""
    blocks = hog(image[0].numpy(), 9, (8, 8), (2, 2), "L2-Hys", channel_axis=0, feature_vector=False)
    return torch.from_numpy(blocks).permute(2, 3, 4, 0, 1).flatten(0, 2)[None]  # from (rows, columns, 2, 2, 9)


def hog_sheet(cells: Tensor) -> Tensor:
    """Turn cells (B, orientations, h, w) into images (B, 1, 8 h, 8 w): each orientation is a stroke along the edge.

    A stroke's brightness is its share of the cell's length. So weak and strong outlines look alike, as they do to the
    blocks; `skimage.feature.hog(visualize=True)` does not do that.
    """
    count = cells.shape[1]
    angle = torch.arange(count) * (math.pi / count) + math.pi / (2 * count)  # of the gradient
    offset = torch.arange(CELL) - (CELL - 1) / 2
    across = offset[:, None] * angle.sin().view(-1, 1, 1) + offset * angle.cos().view(-1, 1, 1)  # (count, 8, 8)
    strokes = (1.2 - across.abs()).clamp(0, 1)
    shares = cells / cells.square().sum(1, keepdim=True).sqrt().clamp(min=1e-3)
    picture = torch.einsum("bnhw,nyx->bhywx", shares.cpu(), strokes)  # (B, h, 8, w, 8)
    return picture.flatten(3).flatten(1, 2)[:, None].clamp(0, 1)
