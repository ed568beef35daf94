"""Checks of the exercises of chapter 14: the distance to a flip, steps of PGD in two norms, the margin of a label."""

import torch

from cnnlab import steps
from cnnlab.chapters.ch03_checks import margins
from cnnlab.teaching.checks import Student, random_tensor, refuse, same, verdict, within


@verdict("the score is divided by the sum of all |w|: the more numbers, the smaller the change")
def check_flips_at(flips_at: Student) -> None:
    """Check `flips_at(weights, inputs)`: (n,), (B, n) -> (B,), the smallest eps that makes the score 0."""
    weights, inputs = random_tensor((7,)) - 0.6, random_tensor((5, 7), 1) - 0.4
    scores = (inputs @ weights).abs()
    result = flips_at(weights, inputs)
    refuse(result, scores / weights.norm(), "every number may change by eps: sum all |w|, not their squares")
    within(result, 0, torch.inf, "a distance is at least 0, on both sides of the decision")
    same(result, scores / weights.abs().sum(), "flips_at(weights of shape (7,), inputs of shape (5, 7))")


@verdict("it is a sign step, then back into the ball, then back into [0, 1]")
def check_step(pgd_step: Student) -> None:
    """Check `pgd_step(image, grad, center, eps, rate)`: one step of PGD that lowers the objective, (B, C, H, W)."""
    center, grad, change = random_tensor((3, 2, 3, 5, 8)) - torch.tensor([0, 0.5, 0.5]).view(3, 1, 1, 1, 1)
    image = (center + 0.2 * change).clamp(0, 1)
    result = pgd_step(image, grad, center, 0.1, 0.04)
    up, down = image + 0.04 * grad.sign(), image - 0.04 * grad.sign()
    ball = steps.linf_ball(center, 0.1)
    refuse(result, ball(up).clamp(0, 1), "the objective must fall: step against the gradient")
    within(result, 0, 1, "an image stays in [0, 1]")
    refuse(result, down.clamp(0, 1), "some pixels are farther than eps from the center: go back into the ball")
    same(result, ball(down).clamp(0, 1), "pgd_step(image of shape (2, 3, 5, 8), grad, center, eps=0.1, rate=0.04)")


@verdict("each image's gradient is divided by its own length, and inside the ball nothing is moved")
def check_l2_step(l2_step: Student) -> None:
    """Check `l2_step(image, grad, center, eps, rate)`: each image moves by `rate` in L2, and stays within eps in L2."""
    center, grad = 0.3 + 0.4 * random_tensor((3, 3, 4, 6)), random_tensor((3, 3, 4, 6), 1) - 0.5
    grad[1] *= 100  # the length of the gradient must not matter
    image = center + 0.02 * (random_tensor((3, 3, 4, 6), 2) - 0.5)
    down, batch_down = -0.2 * grad / grad.flatten(1).norm(dim=1).view(-1, 1, 1, 1), -0.2 * grad / grad.norm()
    for eps in (0.5, 0.15):  # first the ball is wide enough for the step, then it is not
        ball = steps.l2_ball(center, eps)
        result = l2_step(image, grad, center, eps, 0.2)
        refuse(result, ball(image + batch_down), "divide each image's gradient by its own length, not by the batch's")
        same(result, ball(image + down), f"l2_step(image of shape (3, 3, 4, 6), grad, center, eps={eps}, rate=0.2)")


@verdict("it is positive as long as the net says the label, and keeps its slope where the softmax is flat")
def check_margin(margin: Student) -> None:
    """Check `margin(logits, labels)`: the label's logit minus the largest other logit, (B, classes), (B,) -> (B,)."""
    logits, labels = 4 * random_tensor((6, 9)) - 2, torch.tensor([0, 3, 8, 3, 5, 1])
    logits[1, 3] = 5.0  # here the label is the largest
    result = margin(logits, labels)
    with_label = logits.gather(1, labels[:, None])[:, 0] - logits.amax(1)
    refuse(result, with_label, "leave the label itself out when you look for the largest other")
    same(result, margins(logits, labels), "margin(logits of shape (6, 9), labels)")
