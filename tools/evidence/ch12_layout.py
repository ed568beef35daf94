"""Does a texture grown from a painting's style keep the painting's layout, and is it the border that keeps it?"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab import PAINTINGS, Net, adam, descend, jitter, load_net, noise, painting, resize, score, spectrum
from tools.train_style_net import in_the_style_of

SEEDS = (0, 1, 2, 3, 4)
FULL = {"paintings": len(PAINTINGS), "size": 144, "steps": 60}
TINY = {"paintings": 1, "size": 64, "steps": 2}


def layout(net: Net, images: Tensor, others: Tensor) -> list[float]:
    """The chapter's measure: the correlation of the maps of fire5, each without its mean and without the border."""
    maps = (net.activations(x, ["fire5"])["fire5"][..., 2:-2, 2:-2] for x in (images, others))
    one, other = (F.normalize((x - x.mean((2, 3), keepdim=True)).flatten(1), dim=1) for x in maps)
    return (one * other).sum(1).tolist()


def measure(seed: int, paintings: int, size: int, steps: int) -> dict[str, Any]:
    """Grow textures side by side, with the border and rolled at each step; a list per painting."""
    net = load_net("squeezenet", device="cpu")
    originals = torch.cat([painting(name, size) for name in PAINTINGS[:paintings]])
    objective = in_the_style_of(net, originals)
    start = noise((1, 3, size, size), Generator().manual_seed(seed), decay=1).expand_as(originals)
    found: dict[str, Any] = {"blurred": layout(net, originals, resize(resize(originals, size // 2), size))}
    for way, pixels in (("with the border", 0), ("rolled", size // 2)):
        transform = jitter(pixels, Generator().manual_seed(seed))
        run = descend(
            net, objective, start, steps=steps, step=adam(0.15), transform=transform, parametrization=spectrum()
        )
        grown = run.finish()
        found[way] = layout(net, originals, grown)
        found[f"{way}, displaced"] = layout(net, originals, grown.roll((size // 2, size // 2), dims=(2, 3)))
        found[f"{way}, style left"] = (score(net, objective, grown) / score(net, objective, start)).tolist()
    return found
