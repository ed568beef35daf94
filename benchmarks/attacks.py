"""Attacks: FGSM and 40 steps of PGD, untargeted, on a batch of 8 photographs.

Libraries attack any model: they are timed on the network as torchvision gives it, as people use them, and their results
compared on the very same network, where they must be equal.
"""

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from benchmarks.measure import Task, as_people_have_it, difference, gradients
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.nets import Net
from cnnlab.objectives import cross_entropy
from cnnlab.techniques.adversarial import fgsm, pgd

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

    attacks = {"torchattacks": with_torchattacks} if find_spec("torchattacks") else {}
    attacks |= {"foolbox": with_foolbox} if find_spec("foolbox") and find_spec("git") else {}
    usual = as_people_have_it(net).eval()
    for steps, ours in work.items():
        peers: dict[str, Callable[[], Tensor]] = {}
        differences: dict[str, Callable[[], float]] = {}
        for name, attack in attacks.items():
            peers[name] = partial(attack, usual, images, labels, steps)
            differences[name] = partial(difference, ours, partial(attack, net, images, labels, steps))
        name = "FGSM, batch of 8" if steps == 1 else f"PGD {steps}, batch of 8"
        yield Task(name, ours, partial(floor, steps), 1.10, peers, differences)


def with_torchattacks(model: nn.Module, images: Tensor, labels: Tensor, steps: int) -> Tensor:
    """The same with torchattacks."""
    import torchattacks

    if steps == 1:
        return torchattacks.FGSM(model, EPS)(images, labels)
    return torchattacks.PGD(model, EPS, RATE, steps, random_start=False)(images, labels)


def with_foolbox(model: nn.Module, images: Tensor, labels: Tensor, steps: int) -> Tensor:
    """The same with foolbox."""
    import foolbox

    bounded = foolbox.PyTorchModel(model.eval(), bounds=(0, 1), device=images.device)
    if steps == 1:
        attack = foolbox.attacks.LinfFastGradientAttack()
    else:
        attack = foolbox.attacks.LinfProjectedGradientDescentAttack(abs_stepsize=RATE, steps=steps, random_start=False)
    return attack.run(bounded, images, labels, epsilon=EPS)
