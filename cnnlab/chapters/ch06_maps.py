"""Where a label is, by each method of chapter 06, and how well a map agrees with the outline of a thing."""

import torch
import torch.nn.functional as F
from scipy.stats import rankdata
from torch import Generator, Tensor

from cnnlab.chapters.ch06_things import moved
from cnnlab.descent import score
from cnnlab.nets import Net
from cnnlab.objectives import Objective, custom, logit
from cnnlab.techniques.attribution import grad_cam, integrated_gradients, rise, saliency, smooth_grad
from cnnlab.techniques.occlusion import occlusion_map
from cnnlab.techniques.relu_rules import guided

CELL = 8  # pixels: maps are compared as means over squares of this size
CONTROLS = ("edges", "center")  # maps that no net has made


def probability(number: int) -> Objective:
    """The probability of a label, as an objective."""
    return custom(f"p({number})", lambda _, a: a["logits"].flatten(1).softmax(1)[:, number], "logits")


def spread(drops: Tensor, patch: int, stride: int) -> Tensor:
    """At each pixel the mean drop of all patches that cover it: (rows, columns) -> (H, W); elsewhere the mean drop."""
    ones = torch.ones(1, 1, patch, patch)
    sums, counts = (
        F.conv_transpose2d(v[None, None], ones, stride=stride)[0, 0] for v in (drops, torch.ones_like(drops))
    )
    return torch.where(counts > 0, sums / counts.clamp(min=1), drops.mean())


def mean_drop(net: Net, image: Tensor, asked: Objective, patch: int = 32) -> Tensor:
    """The mean drop of the objective over the patches that cover a pixel, every 16 pixels: (1, C, H, W) -> (H, W)."""
    covered = occlusion_map(net, image, asked, patch=patch, stride=16, progress=False)
    return spread(score(net, asked, image).cpu() - covered, patch, 16)


def edges(image: Tensor) -> Tensor:
    """How fast the brightness changes at each pixel: (1, C, H, W) -> (H, W). A map that knows nothing of the net."""
    return torch.stack(torch.gradient(image[0].mean(0))).norm(dim=0)


def center(image: Tensor) -> Tensor:
    """A map that is largest in the middle, and knows neither the net nor the image: (1, C, H, W) -> (H, W)."""
    y, x = (torch.arange(size) - (size - 1) / 2 for size in image.shape[2:])
    return -(y[:, None] ** 2 + x**2).sqrt()


def fixed_maps(net: Net, number: int, image: Tensor, asked: Objective, steps: int) -> dict[str, Tensor]:
    """The maps (H, W) of the methods without chance: what speaks for label `number`.

    Occlusion measures `asked`, the label's probability or logit. The other methods take the gradient of the logit.
    """
    value = logit(number)
    cam = grad_cam(net, value, image, "fire9")[None]
    return {
        "occlusion": mean_drop(net, image, asked),
        "saliency": saliency(net, value, image)[0].cpu(),
        "integrated gradients": integrated_gradients(net, value, image, steps=steps)[0].sum(0).cpu(),
        "guided backprop": saliency(guided(net), value, image)[0].cpu(),
        "Grad-CAM": F.interpolate(cam, image.shape[2:], mode="bilinear")[0, 0].cpu(),
        "edges": edges(image),
        "center": center(image),
    }


def random_maps(
    net: Net, number: int, image: Tensor, asked: Objective, generator: Generator, samples: int, masks: int
) -> dict[str, Tensor]:
    """The maps (H, W) of the methods that draw noise or masks; RISE measures `asked`."""
    return {
        "SmoothGrad": smooth_grad(net, logit(number), image, generator, samples=samples)[0].cpu(),
        "RISE": rise(net, asked, image, generator, masks=masks),
    }


def cells(heat: Tensor) -> Tensor:
    """Means over squares of 8 pixels: (H, W) -> (H / 8, W / 8). So a map does not lose for being grainy."""
    return F.avg_pool2d(heat[None, None].float(), CELL)[0, 0]


def agreement(heat: Tensor, mask: Tensor) -> float:
    """The chance that a cell of the thing is hotter than another cell: 1 is perfect, 0.5 is chance. (H, W), twice."""
    ranks, inside = _ranks(heat, mask)
    count = int(inside.sum())
    return float((ranks[inside].mean() - (count + 1) / 2) / (inside.numel() - count))


def outlines_beaten(heat: Tensor, mask: Tensor) -> float:
    """The share of all moved outlines that agree less with the map; what leaves at one side comes back at the other."""
    ranks, inside = _ranks(heat, mask)
    sums = (ranks * moved(inside, step=1)).sum((1, 2))
    return float((sums < sums[0] - 1e-6).float().mean())


def likeness(heat: Tensor, other: Tensor) -> float:
    """The rank correlation of two maps' cells: 1 if both have the same order, 0 for chance or if one is constant."""
    ranks = torch.stack([torch.from_numpy(rankdata(cells(values).flatten().numpy())) for values in (heat, other)])
    return float(torch.corrcoef(ranks)[0, 1].nan_to_num(0))


def _ranks(heat: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    values = cells(heat)
    return torch.from_numpy(rankdata(values.numpy())).view_as(values), cells(mask) > 0.5
