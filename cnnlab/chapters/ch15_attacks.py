"""Attacks and nets of chapter 15 that the core does not have: steps of one length, a second loss."""

import torch
from torch import Generator, Tensor, nn

from cnnlab.descent import descend
from cnnlab.nets import Net
from cnnlab.objectives import Objective, custom
from cnnlab.runs import Run
from cnnlab.steps import Evaluate, StepRule, Update, l2_ball
from cnnlab.transforms import Transform
from cnnlab.zoo.digits_cnn import mnist_cnn


def unit(rate: float) -> StepRule:
    """Steps of one length: image - rate * grad / |grad|_2, for each image of the batch."""

    def start(image: Tensor) -> Update:
        def update(evaluate: Evaluate) -> None:
            evaluate()
            assert image.grad is not None
            length = image.grad.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, 1, 1, 1)
            with torch.no_grad():
                image.sub_(rate * image.grad / length)

        return update

    return start


def pgd_l2(
    net: Net, objective: Objective, image: Tensor, radius: float, steps: int = 20, transform: Transform | None = None
) -> Run:
    """PGD in the L2 norm: steps of length 2.5 radius / steps, each followed by a projection into the ball."""
    step, ball = unit(2.5 * radius / steps), l2_ball(image, radius)
    return descend(net, objective, image, steps=steps, step=step, transform=transform, project=ball)


def margin(labels: Tensor) -> Objective:
    """The logit of the label, minus the largest other one: below 0 the net is fooled. Its gradient is never 0."""

    def score(_: Tensor, activations: object) -> Tensor:
        logits: Tensor = activations["logits"]  # type: ignore[index]
        own = logits.gather(1, labels[:, None])
        return (own - logits.scatter(1, labels[:, None], -torch.inf).amax(1, keepdim=True))[:, 0]

    return custom("margin(labels)", score, "logits")


def small_chain(generator: Generator) -> nn.Sequential:
    """The chapter's small CNN, untrained: 16 and 32 filters."""
    return mnist_cnn(generator, filters=(16, 32))
