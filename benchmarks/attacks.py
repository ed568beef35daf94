"""FGSM and PGD above their floor, and beside torchattacks and foolbox: `python -m benchmarks.attacks`.

SqueezeNet, 224 pixels, a batch of 8, FGSM and 40 steps of PGD. The floor is the gradients alone, written out below. The
two libraries are no part of the course: install them into an environment of their own beside the package (torchattacks
pins an old requests: `pip install --no-deps`); without one its lines are left out. Where all three start at the image
their results are compared. The times are taken in turn; the ratio of medians counts: at most 1.10 to the floor.
"""

import json
import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.loop import interleaved
from cnnlab.adversarial import fgsm, pgd
from cnnlab.images import PHOTOS, photo
from cnnlab.nets import Net, load_net
from cnnlab.objectives import cross_entropy

EPS, RATE, STEPS, REPEATS = 8 / 255, 2 / 255, 40, 3


def floor(net: Net, images: Tensor, labels: Tensor, steps: int) -> Tensor:
    """Forward and backward to the image, `steps` times; nothing is done with the gradient."""
    images = images.contiguous(memory_format=torch.channels_last).requires_grad_()
    for _ in range(steps):
        x = images
        for layer in net.chain:
            x = layer(x)
        (grad,) = torch.autograd.grad(F.cross_entropy(x, labels, reduction="sum"), images)
    return grad


def peers(net: Net, images: Tensor, labels: Tensor) -> dict[str, Callable[[], Tensor]]:
    """The attacks of the libraries that are installed here."""
    tasks: dict[str, Callable[[], Tensor]] = {}
    try:
        import torchattacks
    except ImportError:
        print("torchattacks is not installed here")
    else:
        theirs = torchattacks.PGD(net, EPS, RATE, STEPS, random_start=False)
        tasks["FGSM, torchattacks"] = lambda: torchattacks.FGSM(net, EPS)(images, labels)
        tasks["PGD, torchattacks"] = lambda: theirs(images, labels)
    try:
        import foolbox
    except ImportError:
        print("foolbox is not installed here")
    else:
        model = foolbox.PyTorchModel(net, bounds=(0, 1), device="cpu")
        sign_step = foolbox.attacks.LinfFastGradientAttack()
        projected = foolbox.attacks.LinfProjectedGradientDescentAttack(
            abs_stepsize=RATE, steps=STEPS, random_start=False
        )
        tasks["FGSM, foolbox"] = lambda: sign_step.run(model, images, labels, epsilon=EPS)
        tasks["PGD, foolbox"] = lambda: projected.run(model, images, labels, epsilon=EPS)
    return tasks


def main() -> None:
    """Print one row per attack, and the same as JSON."""
    net = load_net("squeezenet", "cpu")
    images = torch.cat([photo(name, 224) for name in PHOTOS[:8]])
    with torch.no_grad():
        labels = net(images).argmax(1)
    away = -cross_entropy(labels)
    ours: dict[str, Callable[[], Tensor]] = {
        "FGSM, cnnlab": lambda: fgsm(net, away, images, EPS).finish(progress=False),
        "PGD, cnnlab": lambda: pgd(net, away, images, EPS, RATE, STEPS).finish(progress=False),
    }
    others = peers(net, images, labels)
    for name, work in others.items():
        difference = (ours[name.split(",")[0] + ", cnnlab"]() - work()).abs().max()
        print(f"largest difference to {name}: {difference:.1e}")
    floors = {"FGSM": lambda: floor(net, images, labels, 1), "PGD": lambda: floor(net, images, labels, STEPS)}
    medians = interleaved({**floors, **ours, **others}, int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS)
    rows = [
        {"attack": name, "s": s, "over_floor": s / medians[name.split(",")[0]]}
        for name, s in medians.items()
        if name not in floors
    ]
    for row in rows:
        print("{attack:18} {s:7.3f} s  {over_floor:.2f} x the floor".format(**row))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
