"""An activation atlas in small: clusters of what a layer says about photographs, laid out on a grid. Chapter 04.

Source: Carter et al. 2019, "Activation atlas".
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from torch import Generator, Tensor

from cnnlab.nets import Net
from cnnlab.objectives import Activations, Objective, custom
from cnnlab.techniques.patches import Crop, receptive_field


class Heard(NamedTuple):
    """Activation vectors of one layer at random positions of crops.

    Attributes:
        vectors: (N, channels), each with norm 1.
        patches: what lies in the middle of what the N neurons see, (N, 3, side, side).
    """

    vectors: Tensor
    patches: Tensor


def listen(net: Net, layer: str, crops: Sequence[Crop], each: int, side: int, generator: Generator) -> Heard:
    """Take the activation vectors of `each` random positions of every crop, and squares of `side` pixels around them.

    The positions are so far from the border of the crop that the square lies inside.
    """
    size, step, start = receptive_field(net, layer)
    vectors, patches = [], []
    for crop in crops:
        maps = net.activations(crop.image, [layer])[layer][0]  # (channels, h, w)
        length = crop.image.shape[-1]
        corners = [start + step * i + (size - side) // 2 for i in range(maps.shape[1])]  # of the squares
        inside = [i for i, corner in enumerate(corners) if 0 <= corner <= length - side]
        for number in torch.randperm(len(inside) ** 2, generator=generator)[:each].tolist():
            y, x = inside[number // len(inside)], inside[number % len(inside)]
            vectors.append(maps[:, y, x])
            patches.append(crop.image[..., corners[y] : corners[y] + side, corners[x] : corners[x] + side])
    return Heard(F.normalize(torch.stack(vectors), dim=1), torch.cat(patches))


def cluster_on_grid(vectors: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Find rows * columns clusters (k-means) and lay them out: related ones lie near each other.

    The plane is that of the centers' first two principal components. Each axis is replaced by ranks, so that the
    centers fill the grid, and each center gets a cell of its own, at the smallest sum of squared distances.

    Returns:
        The centers (rows * columns, channels), cell by cell, and the cell of each vector, (N,).
    """
    found = KMeans(rows * columns, n_init=4, random_state=0).fit(vectors.double().numpy())
    centers = torch.from_numpy(found.cluster_centers_).float()
    plane = torch.linalg.svd(centers - centers.mean(dim=0), full_matrices=False)[0][:, :2]
    ranks = plane.argsort(dim=0).argsort(dim=0) / (len(centers) - 1)  # (cells, 2), from 0 to 1
    cells = torch.cartesian_prod(torch.linspace(0, 1, rows), torch.linspace(0, 1, columns))
    _, center_of_cell = linear_sum_assignment(torch.cdist(cells, ranks[:, [1, 0]]).square().numpy())
    order = torch.from_numpy(center_of_cell)
    return centers[order], order.argsort()[torch.from_numpy(found.labels_).long()]


def toward(layer: str, directions: Tensor) -> Objective:
    """How far image i goes toward direction i: the mean of a . d times the cosine of a and d, over all positions.

    The factor keeps the other directions small. `directions` is (B, channels), each with norm 1.
    """

    def score(_: Tensor, activations: Activations) -> Tensor:
        maps = activations[layer]  # (B, channels, h, w)
        along = torch.einsum("bchw,bc->bhw", maps, directions.to(maps))
        cosine = along / maps.norm(dim=1).clamp(min=1e-6)
        return (along * cosine.clamp(min=0.1)).mean(dim=(1, 2))

    return custom(f"toward {len(directions)} directions of {layer}", score, layer)


def own_first(pictures: Tensor, examples: Tensor) -> Tensor:
    """Say for each picture whether its own example is the most similar of all: two times (B, channels) -> (B,), bool.

    What all pictures share, and what all examples share, is taken away before.
    """
    first, second = (F.normalize(x - x.mean(dim=0), dim=1) for x in (pictures, examples))
    return (first @ second.T).argmax(dim=1) == torch.arange(len(pictures))
