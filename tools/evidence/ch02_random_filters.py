"""How well does the lecture's CNN read digits if its convolutions stay random and only its dense layers learn?"""

from typing import Any

from cnnlab.chapters.ch02_nets import NETS, best_of, three_sets

SEEDS = (0, 1, 2, 3, 4)
FULL = {"rates": (0.01, 0.03), "epochs": 8}
TINY = {"rates": (0.003,), "epochs": 1}


def measure(seed: int, rates: tuple[float, ...], epochs: int) -> dict[str, Any]:
    """Train the dense layers with the recipe of ch02_widths, which has the same nets with learned filters."""
    return best_of(NETS["the lecture's CNN"], three_sets(), seed, rates, epochs, frozen=("conv1", "conv2"))[0]
