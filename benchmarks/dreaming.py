"""Deep Dream: four octaves of ten steps; one step on 2 megapixels, in tiles (`--memory` shows what these are for)."""

from collections.abc import Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.measure import Task, Work, as_people_have_it, gradients
from cnnlab.images import noise, resize
from cnnlab.material.photos import photo
from cnnlab.nets import Net
from cnnlab.objectives import energy
from cnnlab.techniques.dreaming import dream
from cnnlab.transforms import Transform, jitter

LAYER, OCTAVES, SCALE, STEPS = "fire7", 4, 1.4, 10


def tasks(net: Net, size: int) -> Iterator[Task]:
    """A dream of china; at the larger size one step on 1152 x 1736 pixels too."""
    image = photo("china", size)

    def half_squares(a: Tensor) -> Tensor:
        return 0.5 * a.square().sum()

    def floor() -> None:
        for side in sides(size):
            gradients(net, LAYER, resize(image, side), half_squares, STEPS)

    def ours(transform: Transform | None) -> Work:
        run = partial(dream, net, -energy(LAYER), image, octaves=OCTAVES, scale=SCALE, steps=STEPS, transform=transform)
        return lambda: run().finish(progress=False)

    yield Task(f"dream {LAYER}, 4 octaves, shifted", ours(jitter(size)), floor, 1.10)
    yield Task("the same, and softened", ours(None), floor, 1.10, {"hook-free tutorial": tutorial(net, image)})
    if size >= 512:
        large = noise((1, 3, 1152, 1736), torch.Generator().manual_seed(0))

        def one_step(tile: int) -> Tensor:
            return dream(net, -energy(LAYER), large, octaves=1, steps=1, tile=tile).finish(progress=False)

        yield Task(
            f"dream {LAYER}, 2 megapixels",
            lambda: one_step(640),
            lambda: gradients(net, LAYER, large, half_squares, 1),
            1.10,
            {"not in tiles": lambda: one_step(2000)},
        )


def sides(size: int) -> list[int]:
    """Of the octaves, the smallest first."""
    return [round(size / SCALE**k) for k in reversed(range(OCTAVES))]


def tutorial(net: Net, image: Tensor) -> Work:
    """The pattern that tutorials share: all gradients, the whole network, the gradient over its standard deviation."""
    chain = as_people_have_it(net)

    def work() -> Tensor:
        added = torch.zeros(1, 3, 1, 1)
        for side in sides(image.shape[-1]):
            base = resize(image, side)
            x = (base + F.interpolate(added, (side, side), mode="bicubic")).to(net.device)
            for _ in range(STEPS):
                x = x.detach().requires_grad_()
                a = found = x
                for name, layer in chain.named_children():
                    a = layer(a)
                    found = a if name == LAYER else found
                found.square().mean().backward()
                assert x.grad is not None
                x = (x + 0.01 * x.grad / (x.grad.std() + 1e-8)).clamp(0, 1)
                chain.zero_grad()
            added = x.detach().cpu() - base
        return x

    return work
