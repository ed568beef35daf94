"""Have the textures of deeper layers more colors and larger structures?"""

import torch
from torch import Generator, Tensor

from cnnlab.chapters.ch13_measures import livelier
from cnnlab.images import noise
from cnnlab.material.photos import photo
from cnnlab.techniques.inversion import lively_starts, textures
from cnnlab.zoo.load import load_net

SEEDS = (0, 1, 2, 3, 4)
FULL = {
    "photographs": ("china", "cat", "coffee", "rocket", "flower"),  # one per seed
    "layers": ("fire2", "fire3", "fire5", "fire7", "fire8"),
    "size": (96, 128),
    "filters": 5,
    "steps": 60,
}
TINY = FULL | {"size": (32, 40), "filters": 2, "steps": 1}


def measure(
    seed: int, photographs: tuple[str, ...], layers: tuple[str, ...], size: tuple[int, int], filters: int, steps: int
) -> dict[str, dict[str, list[float]]]:
    """Draw filters among the half of each layer that fires most, and grow their textures."""
    net, image, generator = load_net("squeezenet", device="cpu"), photo(photographs[seed], size), Generator()
    generator.manual_seed(seed)
    noises = noise((32, 3, *size), generator, std=0.05, decay=1)
    found = {}
    for layer in layers:
        lively = livelier(net, layer, [image, noises])
        chosen = [lively[number] for number in torch.randperm(len(lively), generator=generator)[:filters].tolist()]
        start = lively_starts(net, layer, chosen, image.shape, generator)
        grown = textures(net, image, layer, chosen, steps=steps, start=start).finish()
        found[layer] = {
            "colors": [round(colors(each), 1) for each in grown],
            "extent": [round(extent(each), 2) for each in grown],
        }
    return found


def colors(image: Tensor) -> float:
    """How many colors of 512 an image (3, H, W) has: e^H with the entropy H of the histogram."""
    bins = (image * 7.999).long()
    shares = torch.bincount((64 * bins[0] + 8 * bins[1] + bins[2]).flatten()) / image[0].numel()
    return float(torch.exp(torch.special.entr(shares).sum()))


def extent(image: Tensor) -> float:
    """The radius in pixels within which an image (3, H, W), moved, is like itself: autocorrelation above one half."""
    gray = image.mean(dim=0)
    alike = torch.fft.irfft2(torch.fft.rfft2(gray - gray.mean()).abs().square())
    return float(((alike > 0.5 * alike[0, 0]).sum() / torch.pi).sqrt())
