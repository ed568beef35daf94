"""Feature-map inversion: the image whose code has one map alone, 60 evaluations from the spectrum."""

from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.measure import Task, as_people_have_it, gradients
from cnnlab.codes import keep_channel
from cnnlab.descent import adam, descend
from cnnlab.images import gray, photo
from cnnlab.nets import Net
from cnnlab.objectives import code
from cnnlab.parametrizations import spectrum

LAYER, CHANNEL, EVALUATIONS = "fire5", 12, 60


def tasks(net: Net, size: int) -> Iterator[Task]:
    """One map of fire5 of the cat."""
    image, start = photo("cat", size), gray((1, 3, size, size))
    target = keep_channel(net.activations(image, [LAYER])[LAYER], CHANNEL).detach()
    chain = as_people_have_it(net)

    def plain() -> Tensor:
        """The whole network, a hook, all gradients, Adam on the pixels."""
        found: dict[str, Tensor] = {}
        handle = chain.get_submodule(LAYER).register_forward_hook(lambda *call: found.update(a=call[-1]))
        pixels = start.to(net.device, copy=True).requires_grad_()
        optimizer = torch.optim.Adam([pixels], lr=0.08)
        for _ in range(EVALUATIONS):
            optimizer.zero_grad()
            chain(pixels)
            (found["a"] - target).square().sum().backward()
            optimizer.step()
        handle.remove()
        return pixels.detach()

    yield Task(
        f"invert one map of {LAYER}",
        lambda: descend(
            net, code(LAYER, target), start, steps=EVALUATIONS, step=adam(0.08), parametrization=spectrum()
        ).finish(progress=False),
        lambda: gradients(net, LAYER, start, lambda a: (a - target).square().sum(), EVALUATIONS),
        1.25,
        {"the whole network": plain},
    )
