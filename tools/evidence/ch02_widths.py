"""Do wide connected nets read digits as well as CNNs? Each net has the rate that is best on the validation set."""

from typing import Any

from cnnlab.chapters.ch02_nets import NETS, best_of, three_sets
from cnnlab.training import logits_of

SEEDS = (0, 1, 2, 3, 4)
FULL = {"rates": (0.01, 0.03), "epochs": 8}
TINY = {"rates": (0.003,), "epochs": 1}


def measure(seed: int, rates: tuple[float, ...], epochs: int) -> dict[str, Any]:
    """Train every net; also give the mistakes of the lecture's CNN in the exam, as pairs (digit, answer)."""
    sets = three_sets()
    exam = sets[2]
    nets = {}
    for name, build in NETS.items():
        nets[name], chain = best_of(build, sets, seed, rates, epochs)
    found = logits_of(chain, exam.images).argmax(dim=1)  # the last net is the lecture's CNN
    wrong = found != exam.labels
    pairs = zip(exam.labels[wrong].tolist(), found[wrong].tolist(), strict=True)
    return {"nets": nets, "mistakes": [list(pair) for pair in pairs]}
