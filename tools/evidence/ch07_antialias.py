"""Does a net that blurs before it subsamples answer more steadily when a digit moves by one pixel?"""

from typing import Any

from torch import Generator

from cnnlab.chapters.ch07_antialias import KINDS, digits_net
from cnnlab.material.digits import mnist
from cnnlab.training import accuracy, fit, logits_of

SEEDS = (0, 1, 2, 3, 4)
FULL = {"epochs": 8, "examples": 4000, "rate": 0.01}
TINY = {"epochs": 1, "examples": 64, "rate": 0.01}
PIXEL = ((1, 0), (-1, 0), (0, 1), (0, -1))


def measure(seed: int, epochs: int, examples: int, rate: float) -> dict[str, Any]:
    """Train each kind on the same digits; of the held-out ones, ask each again after a shift by one pixel.

    "changed" is the share of (digit, shift) whose label changes, "jump" the mean change of that label's probability.
    """
    train, held_out = mnist()
    train = type(train)(train.images[:examples], train.labels[:examples])
    found: dict[str, Any] = {}
    for kind in KINDS:
        generator = Generator().manual_seed(seed)
        chain = digits_net(kind, generator)
        fit(chain, train, epochs=epochs, generator=generator, rate=rate).finish(progress=False)
        before = logits_of(chain, held_out.images).softmax(1)
        label = before.argmax(1, keepdim=True)
        shifted = [logits_of(chain, held_out.images.roll(pixel, (2, 3))).softmax(1) for pixel in PIXEL]
        changed = [(chances.argmax(1, keepdim=True) != label).float().mean().item() for chances in shifted]
        jumps = [(chances - before).gather(1, label).abs().mean().item() for chances in shifted]
        found[kind] = {
            "accuracy": round(accuracy(chain, held_out), 4),
            "changed": round(sum(changed) / len(changed), 5),
            "jump": round(sum(jumps) / len(jumps), 5),
        }
    return found
