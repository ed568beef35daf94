"""Occlusion: what becomes of an objective when a patch of the image is covered, at every place (Zeiler & Fergus, 4.2).

A small patch changes a small part of each feature map. So the image is run once, and for every place of the patch only
the part that it can reach is calculated again, layer by layer: the same numbers, in less time.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab._torchvision import torchvision
from cnnlab.nets import Net, Normalize
from cnnlab.objectives import Objective

Fire = torchvision.models.squeezenet.Fire
POINTWISE = (nn.ReLU, nn.Dropout, nn.Identity, nn.BatchNorm2d, Normalize)  # each output from its own place alone


@dataclass(frozen=True)
class Region:
    """The part of the activations that patches change, one rectangle for each place of the patch.

    Attributes:
        clean: activations without a patch, (1, C, H, W).
        changed: activations inside the rectangles, (B, C, h, w).
        tops, lefts: where the rectangles begin, (B,); they lie inside the map.
    """

    clean: Tensor
    changed: Tensor
    tops: Tensor
    lefts: Tensor


def places(image: Tensor, patch: int, stride: int) -> tuple[list[int], list[int]]:
    """Where the patch begins: its tops and its lefts, in pixels, at every `stride` that fits into the image.

    Raises:
        ValueError: for a patch larger than the image, or a patch or stride below 1.
    """
    if not 1 <= patch <= min(image.shape[-2:]):
        raise ValueError(f"patch must be 1 to {min(image.shape[-2:])} pixels for this image, not {patch}")
    if stride < 1:
        raise ValueError(f"stride must be at least 1 pixel, not {stride}")
    height, width = image.shape[-2:]
    return list(range(0, height - patch + 1, stride)), list(range(0, width - patch + 1, stride))


def cover(image: Tensor, top: int, left: int, patch: int, fill: float = 0.5) -> Tensor:
    """The image (B, C, H, W) with a square of `patch` pixels set to `fill`."""
    covered = image.clone()
    covered[..., top : top + patch, left : left + patch] = fill
    return covered


def occlusion(
    net: Net, image: Tensor, objective: Objective, *, patch: int = 32, stride: int = 8, fill: float = 0.5,
    batch: int = 25, progress: bool = True,
) -> Tensor:  # fmt: skip
    """The objective with the patch at every place, as a map (rows, columns).

    The numbers are those of running every covered image through the net (up to rounding). Convolutions, max and average
    pooling, fire modules and pointwise layers are calculated only where the patch reaches; from the first other layer on
    (global pooling, dense layers) whole.

    Args:
        net: the network.
        image: one image, (1, C, H, W).
        objective: what to measure; of layers only.
        patch: the square's side, pixels.
        stride: from one place to the next, pixels.
        fill: its brightness; 0.5 is the paper's grey.
        batch: places at a time.
        progress: whether to show a bar.

    Raises:
        ValueError: for more than one image, an objective of the image itself, or a patch that does not fit.
    """
    from tqdm.auto import tqdm

    if len(image) != 1:
        raise ValueError(f"image must be a single one (1, C, H, W), not a batch of {len(image)}")
    if not all(term.layers for term in objective.terms):
        raise ValueError(f"objective must be of layers only, not of the image: {objective}")
    net.activations(image, objective.layers)  # raises the errors that name what is wrong
    rows, columns = places(image, patch, stride)
    tops, lefts = (grid.flatten() for grid in torch.meshgrid(torch.tensor(rows), torch.tensor(columns), indexing="ij"))
    image = image.to(net.device).contiguous(memory_format=torch.channels_last)
    values = []
    for some in tqdm(torch.arange(len(tops)).split(batch), "covering", leave=False, disable=not progress):
        changed = torch.full((len(some), image.shape[1], patch, patch), fill, device=net.device)
        region = Region(image, changed, tops[some].to(net.device), lefts[some].to(net.device))
        with torch.inference_mode():
            values.append(objective.score(image, _activations(net, region, objective.layers)).cpu())
    return torch.cat(values).view(len(rows), len(columns))


def _activations(net: Net, region: Region, layers: frozenset[str]) -> dict[str, Tensor]:
    """As `net.activations`, for all the covered images of the region."""
    captured: dict[str, Tensor] = {}
    state: Region | Tensor = region
    for name, module in net.chain.named_children():
        if len(captured) == len(layers):
            break
        state = _through(module, state)
        if name in layers:
            captured[name] = _whole(state)
    return captured


def _through(module: nn.Module, state: Region | Tensor) -> Region | Tensor:
    """One module further: a region as long as that is possible, else whole activations (B, ...)."""
    if isinstance(module, nn.Sequential):
        for part in module:
            state = _through(part, state)
        return state
    if isinstance(state, Tensor):
        return module(state)
    if isinstance(module, POINTWISE):
        return replace(state, clean=module(state.clean), changed=module(state.changed))
    if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) and _is_plain(module):
        return _slide(module, state)
    if isinstance(module, Fire):
        squeezed = _through(module.squeeze_activation, _through(module.squeeze, state))
        right = _through(module.expand3x3_activation, _through(module.expand3x3, squeezed))
        assert isinstance(squeezed, Region)
        assert isinstance(right, Region)
        inside = replace(squeezed, changed=_cut(squeezed, right.tops, right.lefts, right.changed.shape[2:]),
                         tops=right.tops, lefts=right.lefts)  # fmt: skip
        left = _through(module.expand1x1_activation, _through(module.expand1x1, inside))
        assert isinstance(left, Region)
        return replace(
            right, clean=torch.cat([left.clean, right.clean], 1), changed=torch.cat([left.changed, right.changed], 1)
        )
    return module(_whole(state))


def _slide(module: nn.Module, region: Region) -> Region:
    """A convolution or pooling, calculated for the outputs whose window meets a rectangle."""
    (ky, kx), (sy, sx), (py, px) = _windows(module)
    clean = module(region.clean)
    height, width = region.changed.shape[2:]
    tops, h = _reached(region.tops, height, ky, sy, py, clean.shape[2])
    lefts, w = _reached(region.lefts, width, kx, sx, px, clean.shape[3])
    outside = -torch.inf if isinstance(module, nn.MaxPool2d) else 0.0
    size = ((h - 1) * sy + ky, (w - 1) * sx + kx)
    windows = _cut(region, tops * sy - py, lefts * sx - px, size, outside)  # (B, C, *size), the frame included
    if isinstance(module, nn.Conv2d):
        changed = F.conv2d(windows, module.weight, module.bias, module.stride, groups=module.groups)
    else:
        pool = F.max_pool2d if isinstance(module, nn.MaxPool2d) else F.avg_pool2d
        changed = pool(windows, (ky, kx), (sy, sx))
    return Region(clean, changed, tops, lefts)


def _reached(start: Tensor, length: int, kernel: int, stride: int, padding: int, total: int) -> tuple[Tensor, int]:
    """Along one side: the first output that each stretch of inputs reaches, and for how many outputs (the most of all).

    Output o reads the inputs o * stride - padding ... + kernel - 1.
    """
    first = (-((kernel - 1 - padding - start) // stride)).clamp(min=0, max=total - 1)
    last = ((start + length - 1 + padding) // stride).clamp(max=total - 1)
    count = max(int((last - first).max()) + 1, 1)
    return first.clamp(max=total - count), count


def _cut(region: Region, tops: Tensor, lefts: Tensor, size: tuple[int, int], outside: float = 0.0) -> Tensor:
    """Windows (B, C, *size) of the covered images' activations, `outside` beyond the map's border."""
    height, width = region.clean.shape[2:]
    rows = tops[:, None] + torch.arange(size[0], device=tops.device)  # (B, size[0])
    columns = lefts[:, None] + torch.arange(size[1], device=tops.device)
    clean = region.clean[0].permute(1, 2, 0)  # (H, W, C): channels_last makes each place one stretch of memory
    windows = clean[rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]]  # (B, *size, C)
    beyond = ((rows < 0) | (rows >= height))[:, :, None] | ((columns < 0) | (columns >= width))[:, None, :]
    if beyond.any():
        windows[beyond] = outside
    changed = region.changed.permute(0, 2, 3, 1)  # (B, h, w, C)
    for window, piece, dy, dx in zip(
        windows, changed, (region.tops - tops).tolist(), (region.lefts - lefts).tolist(), strict=True
    ):  # the rectangle may stick out of the window where no output reads it
        y, x = max(dy, 0), max(dx, 0)
        piece = piece[y - dy : size[0] - dy, x - dx : size[1] - dx]
        window[y : y + piece.shape[0], x : x + piece.shape[1]] = piece
    return windows.permute(0, 3, 1, 2)


def _whole(state: Region | Tensor) -> Tensor:
    """All activations of the covered images, (B, ...)."""
    if isinstance(state, Tensor):
        return state
    zeros = torch.zeros_like(state.tops)
    return _cut(state, zeros, zeros, state.clean.shape[2:])


def _windows(module: nn.Module) -> tuple[tuple[int, int], ...]:
    """Kernel, stride and padding, each as (rows, columns)."""
    values = (module.kernel_size, module.stride, module.padding)
    return tuple((v, v) if isinstance(v, int) else tuple(v) for v in values)  # type: ignore[arg-type, misc]


def _is_plain(module: nn.Module) -> bool:
    """Whether it reads windows without holes, with zeros (a pooling: nothing) outside."""
    dilated = getattr(module, "dilation", 1) not in (1, (1, 1)) or getattr(module, "padding_mode", "zeros") != "zeros"
    averaged = isinstance(module, nn.AvgPool2d) and (module.ceil_mode or module.padding not in (0, (0, 0)))
    return not dilated and not averaged and not isinstance(module.padding, str)
