"""What do a connected net and a small CNN lose if the pixels of all digits are in the same random order?"""

from typing import Any

from cnnlab.chapters.ch02_nets import NETS, best_of, shuffled, three_sets

SEEDS = (0, 1, 2, 3, 4)
FULL = {"rates": (0.01, 0.03), "epochs": 8}
TINY = {"rates": (0.003,), "epochs": 1}


def measure(seed: int, rates: tuple[float, ...], epochs: int) -> dict[str, Any]:
    """Train two nets with the recipe of ch02_widths, which has the same nets on digits in order."""
    sets = [shuffled(examples, seed) for examples in three_sets()]
    names = ("connected, 300", "small CNN, 8 and 16")
    return {"nets": {name: best_of(NETS[name], sets, seed, rates, epochs)[0] for name in names}}
