"""How the cost of activation maximization grows: `python -m benchmarks.scaling` draws build/scaling.png.

Seconds against pixels, steps and channels at once, ours and the floor, each on logarithmic axes: a slope of 1 is "twice
as much takes twice as long".
"""

import statistics
from functools import partial
from pathlib import Path

import torch
from matplotlib.figure import Figure

from benchmarks.measure import Work, gradients, interleaved
from cnnlab.descent import descend
from cnnlab.images import noise
from cnnlab.nets import Net
from cnnlab.objectives import channel
from cnnlab.parametrizations import pixels, spectrum
from cnnlab.steps import adam
from cnnlab.zoo.load import load_net

LAYER = "fire5"
SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1)
RANGES = {"pixels of a side": (96, 160, 224, 320, 448), "steps": (8, 16, 32, 64), "channels at once": (1, 2, 4, 8)}


def seconds(net: Net, size: int, steps: int, channels: int) -> dict[str, float]:
    """Median seconds of a run, from pixels, from the spectrum, and of its floor."""
    start = noise((channels, 3, size, size), torch.Generator().manual_seed(0))
    numbers, every = list(range(channels)), torch.arange(channels)

    def run(parametrization) -> torch.Tensor:  # type: ignore[no-untyped-def]
        objective = -channel(LAYER, numbers)
        return descend(
            net, objective, start, steps=steps, step=adam(0.05), parametrization=parametrization
        ).finish(progress=False)  # fmt: skip

    floor: Work = partial(gradients, net, LAYER, start, lambda a: -a[every, every].mean((1, 2)).sum(), steps)
    tasks: dict[str, Work] = {
        "floor": floor,
        "from pixels": lambda: run(pixels()),
        "from the spectrum": lambda: run(spectrum()),
    }
    return {name: statistics.median(times) for name, times in interleaved(tasks, repeats=3).items()}


def main() -> None:
    """Measure along each range, the others at 224 pixels, 16 steps and one channel, and draw."""
    net, figure = load_net("squeezenet", "cpu"), Figure(figsize=(10.5, 3.4), dpi=110, layout="constrained")
    axes = figure.subplots(1, 3, sharey=True)
    for axis, (label, values) in zip(axes, RANGES.items(), strict=True):
        found = []
        for value in values:
            settings = dict.fromkeys(RANGES, 0) | {"pixels of a side": 224, "steps": 16, "channels at once": 1}
            found.append(seconds(net, *(settings | {label: value}).values()))
            print(label, value, {name: round(time, 3) for name, time in found[-1].items()}, flush=True)
        for name in found[0]:
            axis.loglog(values, [times[name] for times in found], "o-", label=name, linewidth=2, markersize=5)
        axis.set(xlabel=label, xticks=values)
        axis.set_xticklabels(map(str, values))
        axis.minorticks_off()
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set(ylabel="seconds", yticks=SECONDS)
    axes[0].set_yticklabels([f"{value:g}" for value in SECONDS])
    axes[0].legend(frameon=False)
    Path("build").mkdir(exist_ok=True)
    figure.savefig("build/scaling.png")


if __name__ == "__main__":
    main()
