"""Does a patch work on photographs and at positions it was not made with, and better than a picture of the thing?"""

from typing import Any

import torch
from torch import Generator, Tensor

from cnnlab.chapters.ch14_patches import WIDTH, seen_as, stick
from cnnlab.descent import descend
from cnnlab.images import resize
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.nets import Net
from cnnlab.objectives import cross_entropy
from cnnlab.steps import adam
from cnnlab.zoo.load import load_net

SEEDS = (0, 1, 2, 3, 4)
FULL = {"steps": 80, "batch": 6, "size": 224, "times": 4, "widths": (0.1, 0.2, 0.3, 0.36, 0.45, 0.55)}
TINY = {"steps": 1, "batch": 2, "size": 64, "times": 1, "widths": (0.36,)}
CATS = ("Egyptian cat", "tabby", "tiger cat")  # a patch must be the first; for the photograph of a cat all three count


def made(net: Net, scenes: Tensor, generator: Generator, steps: int, batch: int, moving: bool) -> Tensor:
    """Make a patch for the first of CATS, for these scenes; rounded to what a file holds."""

    def shown(patch: Tensor) -> Tensor:
        some = scenes[torch.randperm(len(scenes), generator=generator)[:batch]]
        return stick(patch, some, generator, moving=moving)

    start = 0.5 + 0.1 * torch.randn(1, 3, 64, 64, generator=generator)
    run = descend(
        net, cross_entropy(net.index(CATS[0])), start.clamp(0, 1), steps=steps, step=adam(0.1), transform=shown
    )
    return (255 * run.finish(progress=False)).round() / 255


def measure(seed: int, steps: int, batch: int, size: int, times: int, widths: tuple[float, ...]) -> dict[str, Any]:
    """Make patches with 8 photographs, test them on the other 7 (the cat is not among them): counts for each width."""
    net, second = load_net("squeezenet", device="cpu"), load_net("efficientnet_lite0", device="cpu")
    generator = Generator().manual_seed(seed)
    names = [name for name in PHOTOS if name != "cat"]
    mixed = [names[k] for k in torch.randperm(len(names), generator=generator).tolist()]
    scenes = torch.cat([photo(name, size) for name in mixed])
    known, unknown = scenes[:8], scenes[8:]
    patches = {
        "moved": made(net, known, generator, steps, batch, moving=True),
        "fixed": made(net, known, generator, steps, batch, moving=False),
        "cat": resize(photo("cat", 224), 64),
        "noise": torch.rand(1, 3, 64, 64, generator=generator),
    }

    def hits(name: str, asked: Net, width: float = WIDTH, of: Tensor = unknown, moving: bool = True) -> int:
        draws = Generator().manual_seed(seed)  # the same positions for all
        labels = CATS if name == "cat" else CATS[:1]
        repeats = times if moving else 1
        return sum(seen_as(asked, labels, stick(patches[name], of, draws, width, moving)) for _ in range(repeats))

    return {
        "tested on": mixed[8:], "tries": times * len(unknown),
        "hits": {name: [hits(name, net, width) for width in widths] for name in patches},
        "on known photographs": hits("moved", net, of=known), "known tries": times * len(known),
        "fixed, not moved": hits("fixed", net, moving=False), "photographs": len(unknown),
        "second net": {name: hits(name, second) for name in patches},
    }  # fmt: skip
