"""What a microscope's pictures take, as a multiple of the floor: `python -m benchmarks.microscope` (a minute).

The floor is the bare forward and backward passes of the same batches at the same sizes, as deep as the layer, in one
thread as in a worker; no spectrum, no shaking, no step, no copy.
"""

import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from cnnlab.material.photos import photo
from cnnlab.microscope import recipe
from cnnlab.nets import Net
from cnnlab.zoo.load import load_net

LAYERS, SIZE, BATCH, REPEATS = ("relu1", "fire3", "fire5", "fire7", "fire9", "logits"), 128, 8, 5


def pictures(net: Net, views: recipe.Views, photograph: Tensor, layer: str) -> None:
    """Make the pictures and textures of eight channels."""
    channels = list(range(8, 8 + BATCH))
    recipe.portraits(net, views, layer, channels, SIZE)
    if layer != net.layers[-1]:
        recipe.texture_sheets(net, views, layer, channels, photograph)


def floor(net: Net, layer: str) -> None:
    """Run as many passes as they take."""
    grown = [round(SIZE // 2 * recipe.SCALE**octave) for octave in range(recipe.OCTAVES)]
    _passes(net, layer, 2 * BATCH, grown, recipe.STEPS)
    _passes(net, layer, BATCH, grown, recipe.STEPS)
    if layer != net.layers[-1]:
        _passes(net, layer, BATCH, [round(SIZE * share) for share in recipe.TEXTURE_SIZES], recipe.TEXTURE_STEPS)


def _passes(net: Net, layer: str, batch: int, sides: list[int], count: int) -> None:
    program = net.graph.program(frozenset([layer]))
    for side in sides:
        image = torch.rand(batch, 3, side, side).contiguous(memory_format=torch.channels_last).requires_grad_()
        for _ in range(count):
            image.grad = None
            program(image)[layer].mean().backward()


def best_of(work: Callable[[], None]) -> float:
    """The shortest of some runs, in seconds."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print a table: seconds for eight channels of a layer, and the ratio to the floor."""
    torch.set_num_threads(1)
    net, photograph = load_net("squeezenet", "cpu"), photo("cat", SIZE)
    views = recipe.Views(net)
    rows = [
        (name, best_of(partial(pictures, net, views, photograph, name)), best_of(partial(floor, net, name)))
        for name in LAYERS
    ]
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    for name, took, least in rows:
        print(f"{name:8} {took:5.2f} s   {took / least:4.2f} of the floor")


if __name__ == "__main__":
    main()
