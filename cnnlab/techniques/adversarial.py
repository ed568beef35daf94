"""Adversarial examples: the loop of the course, started at a photograph and kept close to it. Chapters 14 and 15.

The objective says what an attack wants: `-cross_entropy(labels)` leads away from the labels, `cross_entropy(target)`
leads to a target. All attacks treat every image of the batch by itself; but in `smallest` the images share L-BFGS's
approximation, so each one's result depends a little on the others.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Generator, Tensor

from cnnlab.descent import descend
from cnnlab.inputs import as_image, constant, integer, pixel_eps
from cnnlab.nets import Net
from cnnlab.objectives import Objective, cross_entropy, custom
from cnnlab.runs import Run, Step
from cnnlab.steps import lbfgs, linf_ball, sign
from cnnlab.transforms import Transform

ROUNDS, STEPS = 7, 15  # of `smallest`: the prices that it tries, and the L-BFGS steps for each
FIRST_PRICE = 0.1


def fgsm(net: Net, objective: Objective, image: Tensor, eps: float) -> Run:
    """Fast gradient sign method: one step that changes every pixel by eps. Chapter 14.

    x' = clip(x - eps sign(grad), 0, 1), where grad is the gradient of the objective. The image is (B, C, H, W) in
    [0, 1], and eps has the same unit; an eps outside [0, 1] raises a ValueError. Norm: L-infinity. Source: Goodfellow
    et al. 2014, section 4.
    """
    return descend(net, objective, image, steps=1, step=sign(pixel_eps(eps)))


def pgd(
    net: Net, objective: Objective, image: Tensor, eps: float, rate: float | None = None, steps: int = 10,
    generator: Generator | None = None, transform: Transform | None = None,
) -> Run:  # fmt: skip
    """Projected gradient descent: sign steps, each followed by a projection into the ball. Chapters 14 and 15.

    x <- clip(image + clip(x - rate sign(grad) - image, -eps, eps), 0, 1). Norm: L-infinity. Source: Madry et al. 2017,
    section 2.1.

    Args:
        image: the center of the ball, (B, C, H, W) in [0, 1].
        eps: the radius of the ball, in pixel units; one outside [0, 1] raises a ValueError.
        rate: how far a step changes each pixel; None is 2.5 eps / steps, enough to cross the ball.
        generator: starts the run at a uniformly random point of the ball; None starts it at the image.
        transform: what is done to the image before the net sees it, anew at each step.
    """
    image, eps, steps = as_image(image), pixel_eps(eps), integer(steps, "steps", 1)
    ball, start = linf_ball(image, eps), image
    if generator is not None:
        offset = torch.empty(image.shape).uniform_(-eps, eps, generator=generator)
        start = (image + offset.to(image)).clamp(0, 1)
    step = sign(2.5 * eps / steps if rate is None else rate)
    return descend(net, objective, start, steps=steps, step=step, transform=transform, project=ball)


def sign_noise(image: Tensor, eps: float | Tensor, generator: Generator) -> Tensor:
    """The control experiment of `fgsm`: change every pixel by +eps or -eps at random, and clip to [0, 1]. Chapter 14.

    `eps` lies in [0, 1]; it may be a tensor with one size per pixel.
    """
    image = as_image(image)
    if isinstance(eps, Tensor) and eps.ndim:
        if eps.shape[1:] != image.shape[1:] or len(eps) not in (1, len(image)) or not eps.isfinite().all():
            raise ValueError(f"eps must be a number, or finite and {tuple(image.shape)}, not {tuple(eps.shape)}")
        pixel_eps(eps.min().item())
        pixel_eps(eps.max().item())
        eps = eps.to(image)
    else:
        eps = pixel_eps(eps)
    signs = torch.randint(0, 2, image.shape, generator=generator) * 2.0 - 1
    return (image + eps * signs.to(image)).clamp(0, 1)


def distance_to(image: Tensor, price: Tensor) -> Objective:
    """The cost of a perturbation: price |x - image|^2, with one price for each image of the batch, (B,). Chapter 14."""
    image, price = as_image(image), constant(price, "price")
    if price.ndim != 1:
        raise ValueError(f"price must be one number for each image, (B,), not {tuple(price.shape)}")

    def score(x: Tensor, _: object) -> Tensor:
        if x.shape != image.shape or len(price) not in (1, len(x)):
            raise ValueError(f"image must be {tuple(image.shape)} with {len(price)} prices, not {tuple(x.shape)}")
        return price.to(x) * (x - image.to(x)).square().flatten(1).sum(1)

    return custom("price |x - image|²", score)


def smallest(net: Net, image: Tensor, target: int | str) -> Run:
    """Search for the smallest perturbation that makes the net predict `target`, a class or its label. Chapter 14.

    It minimizes cross_entropy(target) + c |r|^2 over the perturbation r, with image + r in [0, 1], by L-BFGS steps that
    are clipped to this box. The higher the price c, the smaller is the perturbation. For each image by itself, it
    searches the highest price at which the net still predicts the target: the price grows tenfold until the attack
    fails (or falls tenfold until it succeeds), then the interval between the two is halved in log c. Each of the 7
    rounds has 15 steps and starts from the smallest success so far; the first round has 75 steps, as it starts at the
    image. Source: Szegedy et al. 2013, section 4.1.

    Returns:
        A run with one stage per round. For each image of the batch, (B, C, H, W), the run's image is the smallest
        success of the rounds so far. If there was none, it is the result of the last round.
    """
    target = net.index(target) if isinstance(target, str) else integer(target, "target")
    center = as_image(image).detach().to(net.device)
    found = center
    total = (ROUNDS + 4) * STEPS

    def take_steps() -> Iterator[Step]:
        nonlocal found
        length = torch.full((len(center),), torch.inf, device=net.device)  # of the smallest success
        cheap, dear = torch.zeros_like(length), torch.full_like(length, torch.inf)  # prices: a success, a failure
        price, done = torch.full_like(length, FIRST_PRICE), 0
        for number in range(ROUNDS):
            objective = cross_entropy(target) + distance_to(center, price)
            run = descend(net, objective, found, steps=STEPS if number else 5 * STEPS, step=lbfgs())
            for step in run:
                done += 1
                if step.ends_stage:
                    with torch.no_grad():
                        success = net(run.image).flatten(1).argmax(1) == target
                    size = (run.image - center).flatten(1).norm(dim=1)
                    better = (success & (size < length)) | length.isinf()
                    found = torch.where(better.view(-1, 1, 1, 1), run.image, found)
                    length = torch.where(success & (size < length), size, length)
                    cheap, dear = torch.where(success, price, cheap), torch.where(success, dear, price)
                    between = torch.where(dear.isinf(), cheap * 10, (cheap * dear).sqrt())
                    price = torch.where(cheap == 0, dear / 10, between)
                yield replace(step, number=done, total=total, stage=number)

    return Run(take_steps(), total, image=lambda: found)
