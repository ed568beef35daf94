"""On which layers does a linear classifier do best, on three tasks, after training and before it?"""

from typing import Any

from torch import Generator

from cnnlab.chapters import ch09_probes as probes
from cnnlab.material.photos import PHOTOS
from cnnlab.nets import Net
from cnnlab.zoo.load import load_net, untrained
from cnnlab.zoo.zfnets import trained_zfnet, zfnet

SEEDS = (0, 1, 2, 3, 4)
FULL = {"names": tuple(probes.TASKS), "numbers": (1, 2, 5, 10)}
TINY = {"names": ("faces or not",), "numbers": (1,)}


def measure(seed: int, names: tuple[str, ...], numbers: tuple[int, ...]) -> dict[str, Any]:
    """Measure accuracies. "nets": net -> task -> layer -> kind; "few": layer -> with so many images of each class.

    Our ZF-net, and SqueezeNet with few images, answer the first task alone.
    """
    tasks = {name: probes.make_task(name, seed) for name in names}
    first, stages, nets = tasks[names[0]], probes.STAGES, {}
    squeezenet = load_net("squeezenet", device="cpu")
    random = untrained(squeezenet, Generator().manual_seed(seed))
    for name, net in {"SqueezeNet": squeezenet, "SqueezeNet, untrained": random}.items():
        nets[name] = {
            each: probes.probe(task, probes.features_of(net, task, stages, 128)) for each, task in tasks.items()
        }
    for name, net in {"ZF-net": trained_zfnet(), "ZF-net, untrained": untrained_zfnet(seed)}.items():
        nets[name] = {names[0]: probes.probe(first, probes.features_of(net, first, probes.OWN, 64))}
    features, few = probes.features_of(squeezenet, first, stages, 128), {}
    for layer in features.learn:
        found = [probes.tuned_on(first, features, layer, "softmax", number) for number in numbers]
        few[layer] = [probes.judged(classifier, first, features, layer) for classifier in found]
    return {"nets": nets, "few": few}


def untrained_zfnet(seed: int) -> Net:
    return Net(zfnet(Generator().manual_seed(seed)), PHOTOS)
