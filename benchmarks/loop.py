"""What the loop costs above its floor: `python -m benchmarks.loop`.

The floor of an experiment is N x (forward of the truncated net + backward to the input alone), written out below and
nothing else. Both are measured in turn (A B A B ...) with the same net, start, steps and threads; the ratio of medians
is what counts: at most 1.10 from pixels, 1.25 from the spectrum.
"""

import json
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from cnnlab.descent import adam, descend
from cnnlab.images import noise
from cnnlab.nets import Net, load_net
from cnnlab.objectives import channel
from cnnlab.parametrizations import pixels, spectrum

LAYER, CHANNEL, STEPS, REPEATS = "fire5", 12, 32, 7


def floor(net: Net, image: Tensor) -> Tensor:
    """Forward of the truncated net and backward to the image, STEPS times; nothing is done with the gradient."""
    layers = [
        module for name, module in net.chain.named_children() if net.layers.index(name) <= net.layers.index(LAYER)
    ]
    image = image.to(net.device).contiguous(memory_format=torch.channels_last)
    for _ in range(STEPS):
        x = image.requires_grad_()
        for layer in layers:
            x = layer(x)
        (grad,) = torch.autograd.grad(-x[:, CHANNEL].mean((1, 2)).sum(), image)
    return grad


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call, accelerators included."""
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def interleaved(tasks: dict[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, float]:
    """Median seconds of each task, taken in turn after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for work in tasks.values():
        work()
    for _ in range(repeats):
        for name, work in tasks.items():
            times[name].append(seconds(work))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Print one row per image size and parametrization, and the same as JSON."""
    net, rows = load_net("squeezenet"), []
    for size in (224, 512):
        image = noise((1, 3, size, size), torch.Generator().manual_seed(0))

        def run(parametrization, image=image):
            return descend(
                net, -channel(LAYER, CHANNEL), image, steps=STEPS, step=adam(0.05), parametrization=parametrization
            ).finish(progress=False)

        medians = interleaved(
            {
                "floor": lambda image=image: floor(net, image.clone()),
                "pixels": lambda run=run: run(pixels()),
                "spectrum": lambda run=run: run(spectrum()),
            }
        )
        for name in ("pixels", "spectrum"):
            rows.append({"size": size, "from": name, "ms_per_step": 1000 * medians[name] / STEPS,
                         "over_floor": medians[name] / medians["floor"]})  # fmt: skip
            print("{size} px, {from:8}: {ms_per_step:6.1f} ms a step, {over_floor:.2f} x the floor".format(**rows[-1]))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
