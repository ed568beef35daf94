"""Which maps show what the answer depends on: seven methods, judged by outlines, by deletion, and by random nets.

Nine things in seven photographs have outlines that were drawn before any map was computed. Deletion and insertion need
no outline: they are measured in all photographs whose first label has a probability of at least 0.3. A random net has
the same layers and no training; it explains the label that it gives. Chapter 06.
"""

from functools import cache
from typing import Any

from torch import Generator, Tensor

from cnnlab.chapters.ch06_maps import CONTROLS, agreement, fixed_maps, likeness, probability, random_maps
from cnnlab.chapters.ch06_things import OUTLINES, SIZE, thing_mask
from cnnlab.images import gray
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.nets import Net
from cnnlab.objectives import logit
from cnnlab.techniques.attribution import deletion
from cnnlab.transforms import blur
from cnnlab.zoo.load import load_net, untrained

SEEDS = (1, 2, 3, 4, 5)
FULL = {"things": 9, "sure": 0.3, "samples": 20, "masks": 300, "steps": 14}
TINY = {"things": 1, "sure": 0.95, "samples": 1, "masks": 2, "steps": 1}


@cache
def trained() -> Net:
    """The net that is explained."""
    return load_net("squeezenet", device="cpu")


def cases(things: int, sure: float) -> list[tuple[str, str]]:
    """Photographs and labels: the things with outlines, then the first labels that the net is sure of."""
    first = {name: trained().predict(photo(name, SIZE), 1)[0] for name in PHOTOS}
    answers = [(name, said.label) for name, said in first.items() if said.probability >= sure]
    return list(dict.fromkeys([*list(OUTLINES)[:things], *answers]))


@cache
def fixed(name: str, label: str, samples: int) -> dict[str, Tensor]:
    """The maps without chance: the same for every seed."""
    number = trained().index(label)
    return fixed_maps(trained(), number, photo(name, SIZE), probability(number), samples)


@cache
def curves(name: str, label: str, samples: int, steps: int) -> dict[str, tuple[float, float]]:
    """The deletion and insertion of the maps without chance."""
    return {method: judged(name, label, heat, steps) for method, heat in fixed(name, label, samples).items()}


def judged(name: str, label: str, heat: Tensor, steps: int) -> tuple[float, float]:
    """The mean probability while the hottest pixels turn gray, and while they come into a blurred photograph."""
    image, value = photo(name, SIZE), probability(trained().index(label))
    gone = deletion(trained(), value, image, heat, gray(image.shape), steps=steps)
    come = deletion(trained(), value, blur(image, 8), heat, image, steps=steps)
    return gone.mean().item(), come.mean().item()


def measure(seed: int, things: int, sure: float, samples: int, masks: int, steps: int) -> dict[str, Any]:
    """For each method and case: agreement with the outline, deletion, insertion; the same maps of a random net."""
    generator = Generator().manual_seed(seed)
    net = untrained(trained(), generator)
    result: dict[str, dict[str, dict[str, float]]] = {
        kind: {} for kind in ("agreement", "deletion", "insertion", "untrained", "likeness")
    }

    def note(kind: str, method: str, case: str, value: float) -> None:
        result[kind].setdefault(method, {})[case] = round(value, 3)

    for name, label in cases(things, sure):
        image, case = photo(name, SIZE), f"{name}: {label}"
        number = trained().index(label)
        random = random_maps(trained(), number, image, probability(number), generator, samples, masks)
        maps = fixed(name, label, samples) | random
        if trained().predict(image, 1)[0].label == label:
            known = curves(name, label, samples, steps)
            for method, heat in maps.items():
                gone, come = known[method] if method in known else judged(name, label, heat, steps)
                note("deletion", method, case, gone)
                note("insertion", method, case, come)
        if (name, label) not in OUTLINES:
            continue
        mask, own = thing_mask(name, label), int(net(image).argmax())
        value = logit(own)  # its probability is always 0 or 1
        blind = fixed_maps(net, own, image, value, samples)
        blind |= random_maps(net, own, image, value, generator, samples, masks)
        for method, heat in maps.items():
            note("agreement", method, case, agreement(heat, mask))
            if method not in CONTROLS:
                note("untrained", method, case, agreement(blind[method], mask))
                note("likeness", method, case, likeness(heat, blind[method]))
    return result
