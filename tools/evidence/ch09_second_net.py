"""On which layers of EfficientNet-Lite0 does a linear classifier do best, on the three tasks of ch09_probes?"""

from typing import Any

from cnnlab.chapters import ch09_probes as probes
from cnnlab.zoo.load import load_net

SEEDS = (0, 1, 2, 3, 4)
FULL = {"names": tuple(probes.TASKS)}
TINY = {"names": ("faces or not",)}


def measure(seed: int, names: tuple[str, ...]) -> dict[str, Any]:
    """Measure accuracies: task -> layer -> kind. The sets are those of ch09_probes."""
    net, found = load_net("efficientnet_lite0", device="cpu"), {}
    for name in names:
        task = probes.make_task(name, seed)
        found[name] = probes.probe(task, probes.features_of(net, task, probes.BLOCKS, 128))
    return {"tasks": found}
