"""What does adversarial training change, with five different first weights?

For an ordinary and a hardened net of each seed: how many digits are read as they are, attacked and turned. Chapter 15.
"""

from typing import Any

import torch
from torch import Generator, Tensor

from cnnlab.chapters.ch15_attacks import margin, small_chain
from cnnlab.material.digits import affine, mnist
from cnnlab.nets import Net
from cnnlab.objectives import cross_entropy
from cnnlab.techniques.adversarial import pgd
from cnnlab.training import Examples, accuracy, fit

SEEDS = (0, 1, 2, 3, 4)
FULL = {"epochs": 8, "eps": 0.2, "digits": 300, "steps": 60}
TINY = {"epochs": 1, "eps": 0.2, "digits": 10, "steps": 2}


def measure(seed: int, epochs: int, eps: float, digits: int, steps: int) -> dict[str, Any]:
    """Train both nets of a seed, with the same first weights, and measure them."""
    train, held_out = mnist()
    few = Examples(held_out.images[:digits], held_out.labels[:digits])
    result = {}
    for name, size in {"ordinary": 0.0, "hardened": eps}.items():
        net = small_cnn(train, Generator().manual_seed(seed), epochs, size)
        result[name] = {
            "clean": accuracy(net.model, held_out),
            "attacked": standing(net, few, eps, (cross_entropy,), (None,), 20),
            "attacked by all": standing(net, few, eps, (cross_entropy, lambda k: -margin(k)), (None, 0, 1), steps),
            "turned": accuracy(net.model, turned(few)),
        }
    return result


def turned(examples: Examples) -> Examples:
    """Turn, resize, move and shear the digits, as chapter 15 does."""
    changed = affine(examples.images, Generator().manual_seed(0), degrees=30, scale=0.25, shift=3, shear=0.4)
    return Examples(changed, examples.labels)


def standing(net: Net, examples: Examples, eps: float, losses: Any, starts: Any, steps: int) -> float:
    """The share of the examples that no attack fools, of all losses from all starts (None, or the seed of one)."""
    right = torch.ones(len(examples.labels), dtype=torch.bool)
    for loss in losses:
        for seed in starts:
            start = None if seed is None else Generator().manual_seed(seed)
            run = pgd(net, -loss(examples.labels), examples.images, eps, steps=steps, generator=start)
            right &= net(run.finish(progress=False)).argmax(1) == examples.labels
    return right.float().mean().item()


def small_cnn(examples: Examples, generator: Generator, epochs: int, eps: float = 0.0) -> Net:
    """Train the small CNN on the examples; with an eps, on the worst case that four steps of PGD find."""
    chain = small_chain(generator)

    def worst_case(images: Tensor, labels: Tensor) -> Tensor:
        net = Net(chain, device="cpu")  # a copy of the net as it is now
        return pgd(net, -cross_entropy(labels), images, eps, steps=4, generator=generator).finish(progress=False)

    run = fit(chain, examples, epochs=epochs, generator=generator, perturb=worst_case if eps else None)
    run.finish(progress=False)
    return Net(chain, "0123456789", device="cpu")
