"""Activation maximization: one image from pixels and from the spectrum, and 12 channels side by side."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from benchmarks.measure import Task, Work, as_people_have_it, gradients, hook_and_adam
from cnnlab.descent import descend
from cnnlab.images import noise
from cnnlab.nets import Net
from cnnlab.objectives import channel
from cnnlab.parametrizations import Parametrization, pixels, spectrum
from cnnlab.steps import adam

STEPS, CHANNEL, CHANNELS = 64, 12, list(range(12))


def tasks(net: Net, size: int) -> Iterator[Task]:
    """From pixels and from the spectrum, at a middle and at the deepest fire module; then twelve channels at once."""
    start = noise((1, 3, size, size), torch.Generator().manual_seed(0))

    def maximize(layer: str, parametrization: Parametrization) -> Tensor:
        run = descend(
            net, -channel(layer, CHANNEL), start, steps=STEPS, step=adam(0.05), parametrization=parametrization
        )
        return run.finish(progress=False)

    def floor(layer: str) -> Tensor:
        return gradients(net, layer, start, lambda a: -a[:, CHANNEL].mean(), STEPS)

    for layer in ("fire5", "fire9"):
        yield Task(
            f"maximize {layer}, pixels",
            partial(maximize, layer, pixels()),
            partial(floor, layer),
            1.10,
            {"hook and Adam": hook_and_adam(net, layer, start, lambda a: -a[0, CHANNEL].mean(), STEPS, 0.05)},
        )
        yield Task(
            f"maximize {layer}, spectrum",
            partial(maximize, layer, spectrum()),
            partial(floor, layer),
            1.25,
            {"torch-lucent": work} if (work := lucent(net, layer, size)) else {},
        )

    images, every = start.repeat(len(CHANNELS), 1, 1, 1), torch.arange(len(CHANNELS))

    def several(start: Tensor, channels: int | list[int]) -> Tensor:
        return descend(net, -channel("fire5", channels), start, steps=8, step=adam(0.05)).finish(progress=False)

    yield Task(
        "maximize 12 channels of fire5",
        partial(several, images, CHANNELS),
        lambda: gradients(net, "fire5", images, lambda a: -a[every, every].mean((1, 2)).sum(), 8),
        1.10,
        {"12 single runs": lambda: [several(start, number) for number in CHANNELS]},
    )


def lucent(net: Net, layer: str, size: int) -> Work | None:
    """torch-lucent's render_vis without its default transforms; None where it is not installed."""
    try:
        from lucent.optvis import param, render
    except ImportError:
        return None
    chain = as_people_have_it(net)
    return lambda: render.render_vis(
        chain, f"{layer}:{CHANNEL}", lambda: param.image(size), transforms=[], thresholds=(STEPS,), preprocess=False,
        progress=False, show_image=False,
    )  # fmt: skip
