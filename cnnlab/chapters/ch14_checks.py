"""Checks of the exercises of chapter 14: the distance to a flip, steps of PGD in two norms, the margin of a label."""

import torch
from torch import Tensor

from cnnlab import steps
from cnnlab.chapters.ch03_checks import margins
from cnnlab.teaching.checks import Student, answer, random_tensor, require, same, verdict


@verdict
def check_flips_at(flips_at: Student) -> str:
    """Check `flips_at(weights, inputs)`: (n,), (B, n) -> (B,), the smallest eps that makes the score 0."""
    weights, inputs = random_tensor((7,)) - 0.6, random_tensor((5, 7), 1) - 0.4
    scores = inputs @ weights
    expected = scores.abs() / weights.abs().sum()
    result = answer(flips_at, weights, inputs)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        squared = torch.allclose(result, scores.abs() / weights.norm())
        require(not squared, "flips_at: each number may change by eps, so the sum of all |w| counts, not their squares")
        require(bool((result >= 0).all()), "flips_at: a distance is at least 0, on both sides of the decision")
    same(result, expected, "flips_at(weights of shape (7,), inputs of shape (5, 7))")
    return "the score is divided by the sum of all |w|: the more numbers, the smaller the change"


@verdict
def check_step(pgd_step: Student) -> str:
    """Check `pgd_step(image, grad, center, eps, rate)`: one step of PGD that lowers the objective, (B, C, H, W)."""
    center, grad = random_tensor((2, 3, 5, 8)), random_tensor((2, 3, 5, 8), 1) - 0.5
    image = (center + 0.1 * (2 * random_tensor((2, 3, 5, 8), 2) - 1)).clamp(0, 1)
    eps, rate = 0.1, 0.04

    def after(direction: int) -> Tensor:
        return steps.linf_ball(center, eps)(image + direction * rate * grad.sign()).clamp(0, 1)

    result = answer(pgd_step, image, grad, center, eps, rate)
    if isinstance(result, Tensor) and result.shape == image.shape:
        require(not torch.allclose(result, after(1)), "pgd_step: the objective must fall: step against the gradient")
        require(bool(((result >= 0) & (result <= 1)).all()), "pgd_step: an image stays in [0, 1]")
        far = (result - center).abs().max().item()
        require(far <= eps + 1e-6, f"pgd_step: a pixel is {far:.3g} from the center, and eps is {eps}")
    same(result, after(-1), "pgd_step(image of shape (2, 3, 5, 8), grad, center, eps=0.1, rate=0.04)")
    return "it is a sign step, then back into the ball, then back into [0, 1]"


@verdict
def check_l2_step(l2_step: Student) -> str:
    """Check `l2_step(image, grad, center, eps, rate)`: each image moves by `rate` in L2, and stays within eps in L2."""
    center, grad = 0.3 + 0.4 * random_tensor((3, 3, 4, 6)), random_tensor((3, 3, 4, 6), 1) - 0.5
    grad[1] *= 100  # the length of the gradient must not matter
    image = center + 0.02 * (random_tensor((3, 3, 4, 6), 2) - 0.5)
    unit = grad / grad.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    for eps in (0.5, 0.15):  # first the ball is wide enough for the step, then it is not
        expected = steps.l2_ball(center, eps)(image - 0.2 * unit)
        result = answer(l2_step, image, grad, center, eps, 0.2)
        if isinstance(result, Tensor) and result.shape == image.shape and eps == 0.5:
            whole = steps.l2_ball(center, eps)(image - 0.2 * grad / grad.norm())
            require(not torch.allclose(result, whole), "l2_step: each image has its own length, not the whole batch")
        same(result, expected, f"l2_step(image of shape (3, 3, 4, 6), grad, center, eps={eps}, rate=0.2)")
    return "each image's gradient is divided by its own length, and inside the ball nothing is moved"


@verdict
def check_margin(margin: Student) -> str:
    """Check `margin(logits, labels)`: the label's logit minus the largest other logit, (B, classes), (B,) -> (B,)."""
    logits, labels = 4 * random_tensor((6, 9)) - 2, torch.tensor([0, 3, 8, 3, 5, 1])
    logits[1, 3] = 5.0  # here the label is the largest
    expected = margins(logits, labels)
    result = answer(margin, logits, labels)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        require(result[1].item() != 0, "margin: leave the label itself out when you look for the largest other")
    same(result, expected, "margin(logits of shape (6, 9), labels)")
    return "it is positive as long as the net says the label, and keeps its slope where the softmax is flat"
