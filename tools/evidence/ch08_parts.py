"""What does a ZF-net lose without some of its parts, and what does it gain if they are larger?"""

from typing import Any

from cnnlab.chapters.ch08_nets import crop_sets, scores, trained

SEEDS = (0, 1, 2, 3, 4)
FULL = {
    "crops": 200,
    "epochs": 6,
    "names": (
        "without conv3, conv4", "without fc6, fc7", "without all four", "without dropout", "fc6, fc7 a third",
        "fc6, fc7 threefold", "conv3 .. conv5 doubled", "both enlarged",
    ),
}  # fmt: skip
TINY = {"crops": 8, "epochs": 1, "names": FULL["names"]}


def measure(seed: int, crops: int, epochs: int, names: tuple[str, ...]) -> dict[str, Any]:
    """Train every net with the recipe of ch08_first_layers, which has the same net as it is."""
    train, held_out = crop_sets(crops)
    return {name: scores(trained(name, train, seed, epochs)[epochs], train, held_out) for name in names}
