"""Attacks: FGSM and 40 steps of PGD, untargeted, on a batch of 8 photographs; peers from libraries that start alike."""

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec

import torch
from torch import Tensor

from benchmarks.measure import Task, difference, gradients
from cnnlab.adversarial import fgsm, pgd
from cnnlab.images import PHOTOS, photo
from cnnlab.nets import Net
from cnnlab.objectives import cross_entropy

EPS, RATE, STEPS, BATCH = 8 / 255, 2 / 255, 40, 8


def tasks(net: Net, size: int) -> Iterator[Task]:
    """The labels are the network's own; all start at the image itself, so that the results are equal."""
    images = torch.cat([photo(name, size) for name in PHOTOS[:BATCH]]).to(net.device)
    with torch.no_grad():
        labels = net(images).argmax(1)
    away = -cross_entropy(labels)
    work: dict[int, Callable[[], Tensor]] = {
        1: lambda: fgsm(net, away, images, EPS).finish(progress=False),
        STEPS: lambda: pgd(net, away, images, EPS, RATE, STEPS).finish(progress=False),
    }

    def floor(steps: int) -> Tensor:
        return gradients(
            net, "logits", images, lambda a: torch.nn.functional.cross_entropy(a, labels, reduction="sum"), steps
        )

    for steps, ours in work.items():
        peers: dict[str, Callable[[], Tensor]] = {}
        if find_spec("torchattacks"):
            peers["torchattacks"] = partial(with_torchattacks, net, images, labels, steps)
        if find_spec("foolbox") and find_spec("git"):
            peers["foolbox"] = partial(with_foolbox, net, images, labels, steps)
        differences = {name: partial(difference, ours, peer) for name, peer in peers.items()}
        name = "FGSM, batch of 8" if steps == 1 else f"PGD {steps}, batch of 8"
        yield Task(name, ours, partial(floor, steps), 1.10, peers, differences)


def with_torchattacks(net: Net, images: Tensor, labels: Tensor, steps: int) -> Tensor:
    """The same with torchattacks."""
    import torchattacks

    if steps == 1:
        return torchattacks.FGSM(net, EPS)(images, labels)
    return torchattacks.PGD(net, EPS, RATE, steps, random_start=False)(images, labels)


def with_foolbox(net: Net, images: Tensor, labels: Tensor, steps: int) -> Tensor:
    """The same with foolbox."""
    import foolbox

    model = foolbox.PyTorchModel(net.eval(), bounds=(0, 1), device=net.device)
    if steps == 1:
        attack = foolbox.attacks.LinfFastGradientAttack()
    else:
        attack = foolbox.attacks.LinfProjectedGradientDescentAttack(abs_stepsize=RATE, steps=steps, random_start=False)
    return attack.run(model, images, labels, epsilon=EPS)
