"""What chapter 01 measures on photographs: windows and their labels, coins and peaks, shifts, hidden surroundings."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from cnnlab.descent import gradient
from cnnlab.nets import Net
from cnnlab.objectives import custom
from cnnlab.techniques.patches import receptive_field


def windows(image: Tensor, size: int, rows: int = 5) -> Tensor:
    """Cut `rows` x `rows` evenly spread windows out of an image (1, C, H, W): (windows, C, size, size).

    Windows that lie at the same position count once.
    """
    tops, lefts = ([round(i * (side - size) / (rows - 1)) for i in range(rows)] for side in image.shape[-2:])
    return torch.cat([image[..., y : y + size, x : x + size] for y in sorted(set(tops)) for x in sorted(set(lefts))])


def best_classes(net: Net, images: Tensor, k: int = 1) -> Tensor:
    """Find the k most probable classes of each image (B, C, H, W), the best first: (B, k)."""
    with torch.no_grad():
        return torch.cat([net(batch).topk(k).indices.cpu() for batch in images.split(25)])


def coin_numbers(coins: np.ndarray) -> np.ndarray:
    """Number the coins of the photograph (H, W) by brightness: 1, 2 ... where a coin is, 0 on the ground between them.

    A pixel belongs to a coin if it is brighter than the ground, whose brightness rises and falls slowly.
    """
    ground = ndimage.gaussian_filter(ndimage.minimum_filter(coins, 31), 15)
    filled = ndimage.binary_fill_holes(coins - ground > 0.3)
    return ndimage.label(ndimage.binary_opening(filled, iterations=3))[0]


def strongest_peaks(response: np.ndarray, count: int, apart: int = 8) -> np.ndarray:
    """Find the largest peaks of a map (H, W): (count, 2), rows of y, x.

    A peak is the largest number within `apart` pixels above, below, left and right.
    """
    peaks = np.argwhere(response == ndimage.maximum_filter(response, 2 * apart + 1))
    return peaks[np.argsort(-response[tuple(peaks.T)], kind="stable")[:count]]


def shift_change(net: Net, scene: Tensor, layer: str, pixels: int, size: int = 256) -> float:
    """Measure how far a layer's maps are from moving with the picture: |maps of the moved view - moved maps| / |maps|.

    The views are size x size windows of the scene (1, C, H, W), the second one `pixels` further to the right. The maps
    are moved by the nearest whole number of neurons. Neurons that see the padding are left out.
    """
    field, step, start = receptive_field(net, layer)
    inside, neurons = slice(-(start // step), (size - field - start) // step + 1), round(pixels / step)
    with torch.no_grad():
        still, moved = (
            net.activations(scene[..., :size, x : x + size], [layer])[layer][..., inside, inside] for x in (0, pixels)
        )
    expected, found = still[..., neurons:], moved[..., : moved.shape[-1] - neurons]
    return float((found - expected).norm() / expected.norm())


def seen_alone(net: Net, images: Tensor, layer: str, channels: Sequence[int], size: int) -> Tensor:
    """Measure what is left of a neuron's activation if it sees one window alone: (channels, 2), in shares.

    The neuron is the strongest one of its channel in all images (B, C, H, W). First the size x size window around the
    middle of its receptive field is left, then, as a control, the window in the corner that is farthest from it. All
    other pixels get the image's mean color.
    """
    field, step, start = receptive_field(net, layer)
    with torch.no_grad():
        maps = net.activations(images, [layer])[layer]  # (B, channels, h, w)
        shares = []
        for number in channels:
            index, y, x = (int(i) for i in np.unravel_index(int(maps[:, number].argmax()), maps[:, number].shape))
            image, last = images[index : index + 1], images.shape[-1] - size
            own = [min(max(start + step * i + field // 2 - size // 2, 0), last) for i in (y, x)]
            views = image.mean(dim=(2, 3), keepdim=True).expand(2, -1, *image.shape[2:]).clone()
            for view, (top, left) in zip(views, (own, [0 if i > last / 2 else last for i in own]), strict=True):
                view[:, top : top + size, left : left + size] = image[0, :, top : top + size, left : left + size]
            shares.append(net.activations(views, [layer])[layer][:, number, y, x] / maps[index, number, y, x])
    return torch.stack(shares).cpu()


def middle_view(net: Net, layer: str, image: Tensor) -> tuple[int, int]:
    """Find the square that a layer's middle neuron sees in an image: (first pixel, side), the same for both axes."""
    size, step, start = receptive_field(net, layer)
    with torch.no_grad():
        neurons = net.activations(image, [layer])[layer].shape[-1]
    return start + step * (neurons // 2), size


def effective_field(net: Net, layer: str, images: Tensor) -> Tensor:
    """Map how much each pixel moves the layer's middle neurons: the mean size of the gradient over images, (H, W).

    Source: Luo et al. 2016, "Understanding the effective receptive field in deep convolutional neural networks".
    """

    def middle(_: Tensor, activations: dict[str, Tensor]) -> Tensor:
        a = activations[layer]
        return a[..., a.shape[2] // 2, a.shape[3] // 2].sum(dim=1)

    _, grad = gradient(net, custom(f"middle of {layer}", middle, layer), images)  # type: ignore[arg-type]
    return grad.abs().mean(dim=(0, 1)).cpu()
