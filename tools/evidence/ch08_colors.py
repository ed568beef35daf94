"""Do the new colors of the crops in training decide at which photographs a net fails?"""

from typing import Any

from cnnlab.chapters.ch08_nets import crop_sets, moved, scores, trained
from cnnlab.material.crops import augment_crops
from cnnlab.training import logits_of

SEEDS = (0, 1, 2, 3, 4)
FULL = {"crops": 200, "epochs": 6}
TINY = {"crops": 8, "epochs": 1}


def measure(seed: int, crops: int, epochs: int) -> dict[str, Any]:
    """Train the net without dropout, which learns most in a short time; also give each photograph's accuracy."""
    train, held_out = crop_sets(crops)
    found: dict[str, Any] = {}
    for name, augment in {"new colors": augment_crops, "own colors": moved}.items():
        net = trained("without dropout", train, seed, epochs, augment=augment)[epochs]
        right = logits_of(net.model, held_out.images).argmax(dim=1) == held_out.labels
        by_photo = right.view(-1, 16).float().mean(dim=0)  # the photographs follow each other in turn
        shares = [round(share, 4) for share in by_photo.tolist()]
        found[name] = scores(net, train, held_out) | {"photographs": shares}
    return found
