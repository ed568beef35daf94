"""Attribution: which pixels a value of the net hangs on, by gradients and by random masks. Chapter 06.

    heat = grad_cam(net, logit(net.index("tabby")), photo("cat", 224), "fire9")

Each function explains the objective's value as it is: `logit(k)` is what speaks for class k. `occlusion_map`
(techniques/occlusion) covers one patch after the other and belongs to the same family.
"""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.descent import gradient
from cnnlab.inputs import as_floats, as_image, integer, real
from cnnlab.nets import Net
from cnnlab.objectives import Objective

BATCH = 25  # images that run through the net at a time


def saliency(net: Net, objective: Objective, image: Tensor) -> Tensor:
    """The largest absolute gradient of the three colors at each pixel, max_c |d f / d x_c|: (B, C, H, W) -> (B, H, W).

    Source: Simonyan et al. 2013, "Deep inside convolutional networks", section 3. Chapter 06.
    """
    return gradient(net, objective, image)[1].abs().amax(1)


def smooth_grad(
    net: Net, objective: Objective, image: Tensor, generator: Generator, *, std: float = 0.15, samples: int = 50
) -> Tensor:
    """Saliency of the mean gradient over noisy copies of the image: (B, C, H, W) -> (B, H, W).

    max_c |mean_i d f(x + n_i) / d x_c|, where n_i is Gaussian noise with the standard deviation `std`, in pixel units.
    Source: Smilkov et al. 2017, "SmoothGrad: removing noise by adding noise", section 3. Chapter 06.
    """
    image, std, samples = as_image(image), real(std, "std"), integer(samples, "samples", 1)
    if not 0 <= std <= 10:
        raise ValueError(f"std must be in pixel units, 0 to 10, not {std}")
    total = torch.zeros_like(image).to(net.device, net.dtype)
    for _ in range(samples):
        noise = std * torch.randn(image.shape, generator=generator)
        total += _gradient(net, objective, image + noise.to(image))
    return (total / samples).abs().amax(1)


def integrated_gradients(
    net: Net, objective: Objective, image: Tensor, *, baseline: Tensor | None = None, steps: int = 50
) -> Tensor:
    """Gradients summed on the straight way from a baseline to the image: (B, C, H, W) -> (B, C, H, W).

    (x - x') * mean_i d f(x' + a_i (x - x')) / d x with the middles a_i = (i + 1/2) / steps. Completeness: the sum over
    all pixels is f(x) - f(x'), up to the error of the sum. The baseline x' is black unless given, (1, C, H, W) or one
    per image. Source: Sundararajan et al. 2017, "Axiomatic attribution for deep networks", section 3. Chapter 06.
    """
    image, steps = as_image(image), integer(steps, "steps", 1)
    start = torch.zeros_like(image) if baseline is None else as_image(baseline).to(image)
    if start.shape[1:] != image.shape[1:] or len(start) not in (1, len(image)):
        raise ValueError(f"baseline must have the image's shape {tuple(image.shape)}, not {tuple(start.shape)}")
    way = image - start
    total = torch.zeros_like(image).to(net.device, net.dtype)
    for number in range(steps):
        total += _gradient(net, objective, start + (number + 0.5) / steps * way)
    return way.to(total) * total / steps


def grad_cam(net: Net, objective: Objective, image: Tensor, layer: str) -> Tensor:
    """A layer's feature maps, weighted by their mean gradients: (B, C, H, W) -> (B, h, w), the layer's size.

    max(0, sum_k w_k a_k) with w_k = mean over the positions of d f / d a_k. Raises ValueError if the layer has no
    positions, or the objective does not depend on it. Source: Selvaraju et al. 2017, "Grad-CAM", section 3. Chapter 06.
    """
    with torch.inference_mode(False), torch.enable_grad():
        image = as_image(image).detach().clone().requires_grad_()
        activations = net.run(image, {layer, *objective.layers})
        values, maps = objective.score(image, activations), activations[layer]
        if maps.ndim != 4:
            raise ValueError(f"layer {layer!r} has no positions: choose one with feature maps")
        (grad,) = torch.autograd.grad(values.sum(), maps, allow_unused=True)
    if grad is None:
        raise ValueError(f"the objective {objective} does not depend on layer {layer!r}: choose a layer before it")
    weights = grad.mean((2, 3), keepdim=True)  # (B, channels, 1, 1)
    return (weights * maps.detach()).sum(1).clamp(min=0)


def rise(
    net: Net, objective: Objective, image: Tensor, generator: Generator, *, masks: int = 1000, grid: int = 7,
    keep: float = 0.5,
) -> Tensor:  # fmt: skip
    """The mean of random masks, weighted by the value under each: (1, C, H, W) -> (H, W).

    1 / (keep N) sum_i f(x * m_i) m_i. A mask m_i is a random 0/1 pattern of `grid` x `grid` cells, 1 with the
    probability `keep`, enlarged bilinearly and shifted at random by less than a cell. f should be a probability, as of
    `custom("p", lambda image, a: a["logits"].flatten(1).softmax(1)[:, k], "logits")`.
    Source: Petsiuk et al. 2018, "RISE: randomized input sampling for explanation", section 3. Chapter 06.
    """
    image, masks, grid, keep = as_image(image), integer(masks, "masks", 1), integer(grid, "grid", 2), real(keep, "keep")
    if len(image) != 1:
        raise ValueError(f"image must be a single one (1, C, H, W), not a batch of {len(image)}")
    if not 0 < keep < 1:
        raise ValueError(f"keep must be a share between 0 and 1, not {keep}")
    height, width = image.shape[2:]
    cell = -(-height // grid), -(-width // grid)
    total = torch.zeros(height, width, dtype=net.dtype)
    for some in torch.arange(masks).split(BATCH):
        cells = (torch.rand((len(some), 1, grid + 1, grid + 1), generator=generator) < keep).float()
        large = F.interpolate(cells, ((grid + 1) * cell[0], (grid + 1) * cell[1]), mode="bilinear")
        downs, rights = (torch.randint(size, (len(some),), generator=generator).tolist() for size in cell)
        mask = torch.stack([m[:, y : y + height, x : x + width] for m, y, x in zip(large, downs, rights, strict=True)])
        with torch.no_grad():  # mask: (batch, 1, H, W)
            covered = image * mask.to(image)
            values = objective.score(covered, net.run(covered, objective.layers))  # (batch,)
        total += (values.cpu()[:, None, None] * mask[:, 0]).sum(0)
    return total / (keep * masks)


def deletion(
    net: Net, objective: Objective, image: Tensor, heat: Tensor, background: Tensor, *, steps: int = 28
) -> Tensor:
    """The objective's value while the hottest pixels are replaced first: (1, C, H, W), (H, W) -> (steps + 1,).

    Value i has the hottest i / steps of the pixels taken from the background, (1, C, H, W). With image and background
    exchanged it is the insertion curve. A low mean for deletion, and a high one for insertion, speak for the heat map.
    Source: Petsiuk et al. 2018, "RISE", section 4.1. Chapter 06.
    """
    image, background, steps = as_image(image), as_image(background), integer(steps, "steps", 1)
    if image.shape != background.shape or len(image) != 1 or heat.shape != image.shape[2:]:
        shapes = f"{tuple(image.shape)}, {tuple(background.shape)} and {tuple(heat.shape)}"
        raise ValueError(f"image, background and heat must be (1, C, H, W), the same, and (H, W), not {shapes}")
    order = heat.flatten().argsort(descending=True, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device)
    gone = rank.view(heat.shape)[None] < (torch.arange(steps + 1) * len(order) / steps).view(-1, 1, 1).to(rank.device)
    values = []
    with torch.no_grad():
        for part in gone.split(BATCH):  # (batch, H, W)
            mixed = torch.where(part[:, None].to(image.device), background, image)
            values.append(objective.score(mixed, net.run(mixed, objective.layers)))
    return torch.cat(values)


def _gradient(net: Net, objective: Objective, image: Tensor) -> Tensor:
    """The objective's gradient with respect to an image that may leave [0, 1]: (B, C, H, W), the same."""
    with torch.inference_mode(False), torch.enable_grad():
        image = as_floats(image).detach().to(net.device, net.dtype).clone().requires_grad_()
        (grad,) = torch.autograd.grad(objective.score(image, net.run(image, objective.layers)).sum(), image)
    return grad
