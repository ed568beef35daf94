"""Feature-map inversion: the image whose code has one map alone, 60 evaluations from the spectrum."""

from collections.abc import Iterator

from torch import Tensor

from benchmarks.measure import Task, gradients, hook_and_adam
from cnnlab.descent import descend
from cnnlab.images import gray
from cnnlab.material.photos import photo
from cnnlab.nets import Net
from cnnlab.objectives import code
from cnnlab.parametrizations import spectrum
from cnnlab.steps import adam
from cnnlab.techniques.inversion import keep_channel

LAYER, CHANNEL, EVALUATIONS = "fire5", 12, 60


def tasks(net: Net, size: int) -> Iterator[Task]:
    """One map of fire5 of the cat."""
    image, start = photo("cat", size), gray((1, 3, size, size))
    target = keep_channel(net.activations(image, [LAYER])[LAYER], CHANNEL).detach()

    def distance(activations: Tensor) -> Tensor:
        return (activations - target).square().sum()

    yield Task(
        f"invert one map of {LAYER}",
        lambda: descend(
            net, code(LAYER, target), start, steps=EVALUATIONS, step=adam(0.08), parametrization=spectrum()
        ).finish(progress=False),
        lambda: gradients(net, LAYER, start, distance, EVALUATIONS),
        1.25,
        {"the whole network": hook_and_adam(net, LAYER, start, distance, EVALUATIONS, 0.08)},
    )
