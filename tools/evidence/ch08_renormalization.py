"""Do a few filters of the first layer dominate at the paper's scale, and does renormalizing keep them from it?"""

import math
from typing import Any

from cnnlab.chapters.ch08_nets import crop_sets, scores, trained_as_in_the_paper
from cnnlab.nets import weights_of
from cnnlab.zoo.zfnets import filter_rms

SEEDS = (0, 1, 2, 3, 4)
FULL = {"crops": 200, "epochs": 20}
TINY = {"crops": 8, "epochs": 1}


def measure(seed: int, crops: int, epochs: int) -> dict[str, Any]:
    """Train the same net with and without the rule; "four" is the share of the energy in the strongest 4 of 32."""
    train, held_out = crop_sets(crops)
    found = {}
    for name, radius in {"without the rule": math.inf, "with the rule": 0.1}.items():
        net = trained_as_in_the_paper(train, seed, epochs, radius)
        rms = filter_rms(weights_of(net.model, "conv1").detach()).sort(descending=True).values
        four = (rms[:4].square().sum() / rms.square().sum()).item()
        found[name] = scores(net, train, held_out) | {
            "four": round(four, 4),
            "rms": [round(x, 4) for x in rms.tolist()],
        }
    return found
