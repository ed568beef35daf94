"""What a dream costs above its floor, and how much memory a large one takes: `python -m benchmarks.dream`.

The floor is, at each octave's size, N x (forward of the truncated net + backward to the image alone), written out below
and nothing else. The usual pattern of tutorials is measured too: gradients of all the parameters made and thrown away,
contiguous memory, the whole network run, the gradient divided by its standard deviation. All three are taken in turn
(A B C A B C ...) on the same photograph, sizes, steps and threads; the ratio of the medians counts: at most 1.10 over
the floor. Peak memory is that of a process of its own, less what it holds when the net and the image are loaded.
"""

import json
import resource
import subprocess
import sys

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.loop import interleaved
from cnnlab.dreaming import dream
from cnnlab.images import noise, photo, resize
from cnnlab.nets import Net, load_net
from cnnlab.objectives import energy

LAYER, OCTAVES, SCALE, STEPS, REPEATS = "fire7", 4, 1.4, 10, 7


def sizes(image: Tensor) -> list[tuple[int, int]]:
    """The octaves' sizes, the smallest first."""
    height, width = image.shape[-2:]
    return [(round(height / SCALE**k), round(width / SCALE**k)) for k in reversed(range(OCTAVES))]


def floor(net: Net, image: Tensor) -> None:
    """Forward of the truncated net and backward to the image, at each size; nothing is done with the gradient."""
    layers = list(net.chain)[: net.layers.index(LAYER) + 1]
    for size in sizes(image):
        x = resize(image, size).contiguous(memory_format=torch.channels_last).requires_grad_()
        for _ in range(STEPS):
            a = x
            for layer in layers:
                a = layer(a)
            torch.autograd.grad(a, x, grad_outputs=a.detach())


def tutorial(net: Net, image: Tensor) -> Tensor:
    """The pattern that most tutorials share; `net` is trainable and contiguous, and is run to its end."""
    added = torch.zeros_like(resize(image, sizes(image)[0]))
    for size in sizes(image):
        base = resize(image, size)
        x = (base + F.interpolate(added, size, mode="bicubic")).clamp(0, 1)
        for _ in range(STEPS):
            x = x.detach().requires_grad_()
            captured, a = {}, x
            for name, layer in net.chain.named_children():
                captured[name] = a = layer(a)
            loss = 0.5 * captured[LAYER].square().sum()
            loss.backward()
            assert x.grad is not None
            x = (x + 0.01 * x.grad / (x.grad.std() + 1e-8)).clamp(0, 1)
            net.chain.zero_grad()
        added = x.detach() - base
    return x


def peak(height: int, width: int, tile: int) -> float:
    """MiB that one step at this size takes beyond the loaded net and image, in a process of its own."""
    code = f"from benchmarks.dream import one_large_step; print(one_large_step({height}, {width}, {tile}))"
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def one_large_step(height: int, width: int, tile: int) -> float:
    """Take a small step, then one of this size: by how many MiB it raises the largest memory of this process."""
    net, image = load_net("squeezenet", device="cpu"), noise((1, 3, height, width), torch.Generator().manual_seed(0))
    dream(net, -energy(LAYER), resize(image, 64), octaves=1, steps=1).finish(progress=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    dream(net, -energy(LAYER), image, octaves=1, steps=1, tile=tile).finish(progress=False)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main() -> None:
    """Print the ratios for a few sizes and the peak memory of 2 megapixels, and the same as JSON."""
    net, rows = load_net("squeezenet", device="cpu"), []
    trainable = load_net("squeezenet", device="cpu")
    trainable.chain.requires_grad_(True).to(memory_format=torch.contiguous_format)
    for size in ((224, 224), (384, 576)):
        image = photo("china", size)
        medians = interleaved(
            {
                "floor": lambda image=image: floor(net, image),
                "dream": lambda image=image: dream(
                    net, -energy(LAYER), image, octaves=OCTAVES, scale=SCALE, steps=STEPS
                ).finish(progress=False),
                "tutorial": lambda image=image: tutorial(trainable, image),
            },
            REPEATS,
        )
        rows.append({"size": size, "dream_s": medians["dream"], "over_floor": medians["dream"] / medians["floor"],
                     "tutorial_over_floor": medians["tutorial"] / medians["floor"]})  # fmt: skip
        print(
            "{size}: {dream_s:.2f} s, {over_floor:.2f} x the floor (tutorial {tutorial_over_floor:.2f} x)".format(
                **rows[-1]
            )
        )
    for tile in (256, 640, 2000):
        rows.append({"megapixels": 2.0, "tile": tile, "peak_MiB": peak(1152, 1736, tile)})
        print("{megapixels} megapixels in tiles of {tile}: {peak_MiB:.0f} MiB".format(**rows[-1]))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
