"""Sanity checks of projections: what is left of them when layer after layer gets random weights? Chapter 05.

The randomization goes from the last layer down, as in section 3 of Adebayo et al. 2018, "Sanity checks for saliency
maps". The comparison with the photograph follows Nie et al. 2018, "A theoretical explanation for perplexing behaviors
of backpropagation-based visualizations".
"""

import copy
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from cnnlab.descent import gradient
from cnnlab.material.evidence import recorded
from cnnlab.nets import Net
from cnnlab.objectives import logit
from cnnlab.techniques.relu_rules import backprop_rule, deconvnet_rule, guided_rule, with_relu_rule
from cnnlab.training import initialize
from cnnlab.transforms import blur

RULES = {"backprop": backprop_rule, "deconvnet": deconvnet_rule, "guided": guided_rule}
FROM_THE_TOP = ("conv10", "fire9", "fire8", "fire7", "fire6", "fire5", "fire4", "fire3", "fire2", "conv1")
TRAINED = "nothing"  # the stage in which no layer is random
STAGES = (TRAINED, "conv10", "fire9", "fire7", "fire5", "fire3", "conv1")


def randomized(net: Net, stage: str, generator: Generator) -> Net:
    """A copy of SqueezeNet with random weights in `stage` and in every layer above it; "nothing" changes nothing."""
    changed = copy.deepcopy(net)
    for layer in FROM_THE_TOP[: 0 if stage == TRAINED else FROM_THE_TOP.index(stage) + 1]:
        initialize(changed.model.get_submodule(layer), generator)
    return changed


def class_projections(net: Net, images: Tensor, classes: Sequence[int]) -> dict[str, Tensor]:
    """What each rule sends back from one class per image: rule -> (B, C, H, W)."""
    return {name: gradient(with_relu_rule(net, rule), logit(classes), images)[1] for name, rule in RULES.items()}


def cosines(a: Tensor, b: Tensor) -> Tensor:
    """The cosine of each image with its partner, (B, C, H, W) twice -> (B,)."""
    return F.cosine_similarity(a.flatten(1), b.flatten(1))


def rank_correlations(a: Tensor, b: Tensor) -> Tensor:
    """Spearman's correlation of the sizes, summed over the colors, without signs: (B, C, H, W) twice -> (B,)."""
    a, b = (x.abs().sum(1).flatten(1).argsort(1).argsort(1).float() for x in (a, b))
    return F.cosine_similarity(a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True))


def edges(images: Tensor) -> Tensor:
    """The photographs' fine detail: the images minus their blur."""
    return images - blur(images, 4)


def cascade(net: Net, images: Tensor, seed: int, stages: Sequence[str]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Compare the projections at each stage with those of the trained net, and with the photographs' edges.

    Each image is explained for the class that the trained net sees in it.

    Returns:
        measure -> rule -> stage -> a number per image: "cosine" and "ranks" compare with the trained net's projection,
        "edges" with the photograph, and "other edges", the control, with the next photograph.
    """
    classes, detail = net(images).argmax(1).tolist(), edges(images)
    kept = class_projections(net, images, classes)
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for stage in stages:
        changed = randomized(net, stage, Generator().manual_seed(seed))
        for rule, backs in class_projections(changed, images, classes).items():
            measured = {
                "cosine": cosines(kept[rule], backs), "ranks": rank_correlations(kept[rule], backs),
                "edges": rank_correlations(detail, backs), "other edges": rank_correlations(detail.roll(1, 0), backs),
            }  # fmt: skip
            for measure, values in measured.items():
                numbers = [round(value, 3) for value in values.tolist()]
                found.setdefault(measure, {}).setdefault(rule, {})[stage] = numbers
    return found


def measured() -> dict[str, dict[str, dict[str, Tensor]]]:
    """What `make evidence` found: measure -> rule -> stage -> (seeds, photographs)."""
    results = recorded("ch05_sanity")
    return {
        measure: {rule: {stage: torch.tensor([result[measure][rule][stage] for result in results]) for stage in stages}
                  for rule, stages in rules.items()}
        for measure, rules in results[0].items() if measure != "seed"
    }  # fmt: skip


def above(values: Tensor, least: float) -> int:
    """Count the images whose mean over the seeds is above `least`: (seeds, photographs) -> a number."""
    return int((values.mean(0) > least).sum())
