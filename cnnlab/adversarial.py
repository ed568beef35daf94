"""Adversarial examples: the loop of the course, started at a photograph and kept near it.

What an attack wants is an objective: `-cross_entropy(labels)` leads away from the labels, `cross_entropy(target)` leads
towards a target. All attacks work on every image of the batch by itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Generator, Tensor

from cnnlab.descent import Run, Step, descend
from cnnlab.nets import Net
from cnnlab.objectives import Objective, cross_entropy, objective
from cnnlab.steps import lbfgs, linf_ball, sign


def fgsm(net: Net, aim: Objective, image: Tensor, eps: float = 8 / 255) -> Run:
    """Fast gradient sign method: one step that changes every pixel by eps (Goodfellow et al. 2014, section 4).

    x' = clip(x - eps sign(grad aim(x)), 0, 1). Norm: L-infinity.

    Args:
        aim: what to make small, as for `descend`.
        image: (B, C, H, W) in [0, 1].
        eps: in pixel units [0, 1].

    Raises:
        ValueError: for a negative eps, and what `descend` raises.
    """
    return descend(net, aim, image, steps=1, step=sign(_positive(eps)))


def pgd(
    net: Net, aim: Objective, image: Tensor, eps: float = 8 / 255, rate: float = 2 / 255, steps: int = 10,
    generator: Generator | None = None,
) -> Run:  # fmt: skip
    """Projected gradient descent: sign steps, after each back into the ball (Madry et al. 2017, section 2.1).

    x <- clip(center + clip(x - rate sign(grad aim(x)) - center, -eps, eps), 0, 1). Norm: L-infinity.

    Args:
        aim: what to make small, as for `descend`.
        image: the center, (B, C, H, W) in [0, 1].
        eps: radius of the ball, in pixel units [0, 1].
        rate: how far a step changes each pixel.
        steps: how many.
        generator: starts at a uniformly random point of the ball; None starts at the image.

    Raises:
        ValueError: for a negative eps, and what `descend` raises.
    """
    start = image
    if generator is not None:
        offset = torch.empty(image.shape).uniform_(-_positive(eps), eps, generator=generator)
        start = (image + offset.to(image)).clamp(0, 1)
    return descend(net, aim, start, steps=steps, step=sign(rate), project=linf_ball(image, _positive(eps)))


def sign_noise(image: Tensor, eps: float, generator: Generator) -> Tensor:
    """The control of `fgsm`: every pixel changed by eps, up or down by chance, and clipped to [0, 1]."""
    signs = torch.randint(0, 2, image.shape, generator=generator) * 2.0 - 1
    return (image + eps * signs.to(image)).clamp(0, 1)


def distance_to(image: Tensor, price: Tensor) -> Objective:
    """What a perturbation costs: price |x - image|^2, (B, C, H, W); one price for each image of the batch, (B,)."""

    def score(x: Tensor, _: object) -> Tensor:
        return price.to(x) * (x - image.to(x)).square().flatten(1).sum(1)

    return objective("price |x - image|²", score)


def smallest(net: Net, image: Tensor, target: int, *, rounds: int = 7, steps: int = 15, least: float = 0.1) -> Run:
    """Nearly the smallest perturbation that makes the net say `target` (Szegedy et al. 2013, section 4.1).

    Minimises cross_entropy(target) + c |r|^2 over the perturbation r, with image + r in [0, 1], by L-BFGS steps, each
    clipped to the box. The dearer the perturbation, the smaller; the largest price c at which the target is still the
    net's answer is searched for each image by itself: c grows tenfold until the attack fails (falls until it succeeds),
    then the bracket is halved in log c. Each round of `steps` steps starts from the smallest success so far.

    Args:
        image: (B, C, H, W) in [0, 1].
        target: a class.
        rounds: prices tried, a stage of the run each.
        steps: L-BFGS steps for a price; the first round has five times as many, as it starts at the image.
        least: the price of the first round.

    Returns:
        A run whose image is, for each image of the batch, the smallest success of the rounds so far; where there was
        none, what the last round left.
    """
    center = image.detach().to(net.device)
    wants = cross_entropy(target)

    def generate() -> Iterator[Step]:
        found, length = center.clone(), torch.full((len(center),), torch.inf, device=net.device)
        cheap, dear = torch.zeros_like(length), torch.full_like(length, torch.inf)  # a success, a failure
        price, done = torch.full_like(length, least), 0
        for number in range(rounds):
            aim = wants + distance_to(center, price)
            for step in descend(net, aim, found, steps=steps if number else 5 * steps, step=lbfgs()):
                done += 1
                if step.ends_stage:
                    with torch.no_grad():
                        success = net(step.image).flatten(1).argmax(1) == target
                    size = (step.image - center).flatten(1).norm(dim=1)
                    better = (success & (size < length)) | length.isinf()
                    found = torch.where(better.view(-1, 1, 1, 1), step.image, found)
                    length = torch.where(success & (size < length), size, length)
                    cheap, dear = torch.where(success, price, cheap), torch.where(success, dear, price)
                    price = torch.where(
                        cheap == 0, dear / 10, torch.where(dear.isinf(), cheap * 10, (cheap * dear).sqrt())
                    )
                now = _constant(found)
                yield replace(step, number=done, total=total, stage=number, now=now, lowest=now)

    total = (rounds + 4) * steps
    return Run(generate(), total, center)


def _constant(image: Tensor) -> Callable[[], Tensor]:
    return lambda: image


def _positive(eps: float) -> float:
    if eps < 0:
        raise ValueError(f"eps must be at least 0, not {eps}")
    return eps
