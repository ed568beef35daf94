"""Faces with a part hidden, and how alike the features of a net change then. Chapter 09."""

import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab._data import course_file
from cnnlab.images import resize
from cnnlab.nets import Net

PART = (5, 6)  # rows and columns of what is hidden, of the 25 of a face
PARTS = {"left eye": (6, 4), "right eye": (6, 12), "nose": (12, 8)}
SIDE, WIDE = 25, 35  # of a face and of the canvas, in pixels
LAST = (SIDE - PART[0], SIDE - PART[1])  # the last corner at which a part still lies in the face
DEPTHS = ("pool1", "fire3", "fire5", "fire7", "fire9", "conv10")  # of SqueezeNet


def faces_and_others() -> Tensor:
    """100 faces, gray and aligned, and then 100 patches without a face, from scikit-image: (200, 1, 25, 25)."""
    content = io.BytesIO(course_file("skimage/data/lfw_subset.npy"))
    return torch.from_numpy(np.load(content, allow_pickle=False)).float()[:, None]


def faces() -> Tensor:
    """The 100 faces that come with scikit-image, gray and aligned: (100, 1, 25, 25)."""
    return faces_and_others()[:100]


def hide(images: Tensor, corners: Tensor) -> Tensor:
    """Lay a rectangle of each image's mean gray over it; `corners` are top and left: (B, 1, H, W), (B, 2) -> same."""
    hidden = images.clone()
    for image, (top, left) in zip(hidden, corners.tolist(), strict=True):
        image[:, top : top + PART[0], left : left + PART[1]] = image.mean()
    return hidden


def random_corners(number: int, low: int, generator: Generator) -> Tensor:
    """Draw corners, (number, 2), with tops and lefts from `low` to the last ones that lie in a face at the top left."""
    return torch.stack([torch.randint(low, last + 1, (number,), generator=generator) for last in LAST], dim=1)


def part_corners(number: int) -> dict[str, Tensor]:
    """The corners of eyes and nose in so many aligned faces: part -> (number, 2)."""
    return {part: torch.tensor([corner] * number) for part, corner in PARTS.items()}


def with_controls(corners: Mapping[str, Tensor], low: int, generator: Generator) -> dict[str, Tensor]:
    """Add "random positions", another one in each image, and "one random position", the same in five images."""
    number = len(next(iter(corners.values())))
    once = random_corners(number // 5, low, generator).repeat_interleave(5, dim=0)
    return {**corners, "random positions": random_corners(number, low, generator), "one random position": once}


def on_canvas(images: Tensor, offsets: Tensor) -> Tensor:
    """Paste each face on a canvas of its mean gray; `offsets` are top and left: (B, 1, 25, 25) -> (B, 1, 35, 35)."""
    canvas = images.mean(dim=(2, 3), keepdim=True).expand(-1, -1, WIDE, WIDE).clone()
    for face, wide, (top, left) in zip(images, canvas, offsets.tolist(), strict=True):
        wide[:, top : top + SIDE, left : left + SIDE] = face
    return canvas


def equally_dark(images: Tensor, corner: tuple[int, int], generator: Generator) -> Tensor:
    """Find in each face a position that is as dark as its part at `corner`, and not near eyes or nose: -> (B, 2).

    It is one of the five that are closest in mean brightness, drawn at random, among those that share no pixel with
    the three parts.
    """
    means = F.avg_pool2d(images, PART, stride=1)[:, 0]  # (B, 21, 20), of the rectangle at each corner
    apart = (means - means[:, corner[0], corner[1]][:, None, None]).abs()
    for top, left in PARTS.values():
        apart[:, max(top - PART[0] + 1, 0) : top + PART[0], max(left - PART[1] + 1, 0) : left + PART[1]] = torch.inf
    closest = apart.flatten(1).topk(5, largest=False).indices
    chosen = closest[torch.arange(len(images)), torch.randint(5, (len(images),), generator=generator)]
    return torch.stack([chosen // means.shape[2], chosen % means.shape[2]], dim=1)


def shifted_faces(images: Tensor, generator: Generator) -> tuple[Tensor, dict[str, Tensor]]:
    """Faces at random offsets of a canvas, and the same with something hidden: what is hidden -> (B, 1, 35, 35).

    Eyes and nose move with the face, and so do the equally dark positions. The random positions are positions of the
    canvas that lie in every face.
    """
    offsets = torch.randint(0, WIDE - SIDE + 1, (len(images), 2), generator=generator)
    moving = {part: offsets + corners for part, corners in part_corners(len(images)).items()}
    corners = with_controls(moving, WIDE - SIDE, generator)
    for part, corner in PARTS.items():
        corners[f"as dark as the {part}"] = offsets + equally_dark(images, corner, generator)
    wide = on_canvas(images, offsets)
    return wide, {name: hide(wide, where) for name, where in corners.items()}


def features(net: Net, images: Tensor, means: bool) -> list[Tensor]:
    """A net's features in `DEPTHS` of gray images that are enlarged to 224 pixels; `means`: the means of the maps."""
    with torch.no_grad():
        found = net.activations(resize(images, 224).clamp(0, 1).expand(-1, 3, -1, -1), DEPTHS)
    return [found[layer].mean(dim=(2, 3)) if means else found[layer] for layer in DEPTHS]


def among_changed(changes: Tensor) -> float:
    """The share of differing signs among the features that change in at least one of two images: (B, ...) -> number.

    It is the mean over all pairs of the images.
    """
    signs = changes.flatten(1).sign()
    differ, changed = signs[:, None] != signs, (signs[:, None] != 0) | (signs != 0)  # (B, B, features)
    first, second = torch.triu_indices(len(signs), len(signs), 1)
    return float((differ.sum(2) / changed.sum(2).clamp(min=1))[first, second].mean())


def distances(
    measures: Sequence[Callable[[Tensor], float]], net: Net, whole: Tensor, hidden: Mapping[str, Tensor], means: bool
) -> list[dict[str, Tensor]]:
    """How differently features change in each group of five if something is hidden.

    A measure gets the changes of five images in one layer. The result has for each measure: what is hidden ->
    (layers, groups). With `means`, the features are the means of the maps.
    """
    found: list[dict[str, list[list[float]]]] = [{name: [] for name in hidden} for _ in measures]
    for group, five in enumerate(whole.split(5)):
        before = features(net, five, means)
        for name, images in hidden.items():
            now = features(net, images[5 * group : 5 * group + 5], means)
            changes = [x - changed for x, changed in zip(before, now, strict=True)]
            for measure, of in zip(measures, found, strict=True):
                of[name].append([measure(change) for change in changes])
    return [{name: torch.tensor(groups).T for name, groups in of.items()} for of in found]


def shifted_distances(net: Net, images: Tensor, generator: Generator) -> dict[str, dict[str, float]]:
    """The distance among what changes in faces at random offsets: what is hidden -> layer -> mean over the fives."""
    whole, hidden = shifted_faces(images, generator)
    (found,) = distances([among_changed], net, whole, hidden, means=True)
    return {name: dict(zip(DEPTHS, of.mean(dim=1).tolist(), strict=True)) for name, of in found.items()}


def by_kind(results: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, Tensor]:
    """Sort what `shifted_distances` found with several seeds: kind of what is hidden -> (seeds, layers).

    The same part and the equally dark positions are means over eyes and nose.
    """
    kinds = {
        "same part": list(PARTS), "equally dark positions": [f"as dark as the {part}" for part in PARTS],
        "one random position": ["one random position"], "random positions": ["random positions"],
    }  # fmt: skip
    return {
        kind: torch.tensor([[[of[name][layer] for layer in DEPTHS] for name in names] for of in results]).mean(dim=1)
        for kind, names in kinds.items()
    }
