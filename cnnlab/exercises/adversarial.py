"""Checks of the exercises of chapter 11: how far a decision is, steps, projections, and the margin."""

import torch
from torch import Tensor

from cnnlab import steps
from cnnlab.checks import Student, answer, require, same, verdict


def _random(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


@verdict
def check_flips_at(flips_at: Student) -> str:
    """`flips_at(weights, inputs)`: (n,), (B, n) -> (B,), the smallest change of every number that makes the score 0."""
    weights, inputs = _random((7,)) - 0.6, _random((5, 7), 1) - 0.4
    scores = inputs @ weights
    expected = scores.abs() / weights.abs().sum()
    result = answer(flips_at, weights, inputs)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        require(not torch.allclose(result, scores.abs() / weights.norm()),
                "flips_at: every number may move by as much, so that all |w| count, not their squares")  # fmt: skip
        require(bool((result >= 0).all()), "flips_at: a distance is at least 0, on both sides of the decision")
    same(result, expected, "flips_at(weights of shape (7,), inputs of shape (5, 7))")
    return "the score over the sum of all |w|: more numbers, less change"


@verdict
def check_step(pgd_step: Student) -> str:
    """`pgd_step(image, grad, center, eps, rate)`: one step of PGD that makes the objective small, (B, C, H, W)."""
    center, grad = _random((2, 3, 5, 8)), _random((2, 3, 5, 8), 1) - 0.5
    image = (center + 0.1 * (2 * _random((2, 3, 5, 8), 2) - 1)).clamp(0, 1)
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
    return "a sign step, back into the ball, back into [0, 1]"


@verdict
def check_l2_step(l2_step: Student) -> str:
    """`l2_step(image, grad, center, eps, rate)`: each image moves by `rate` in L2, and stays within eps in L2."""
    center, grad = 0.3 + 0.4 * _random((3, 3, 4, 6)), _random((3, 3, 4, 6), 1) - 0.5
    grad[1] *= 100  # the length of its gradient must not matter
    image = center + 0.02 * (_random((3, 3, 4, 6), 2) - 0.5)
    unit = grad / grad.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    for eps in (0.5, 0.15):  # the ball is wide, and then it is not
        expected = steps.l2_ball(center, eps)(image - 0.2 * unit)
        result = answer(l2_step, image, grad, center, eps, 0.2)
        if isinstance(result, Tensor) and result.shape == image.shape and eps == 0.5:
            whole = steps.l2_ball(center, eps)(image - 0.2 * grad / grad.norm())
            require(not torch.allclose(result, whole), "l2_step: each image has its own length, not the whole batch")
        same(result, expected, f"l2_step(image of shape (3, 3, 4, 6), grad, center, eps={eps}, rate=0.2)")
    return "every image by its own length; what lies inside the ball stays where it is"


@verdict
def check_margin(margin: Student) -> str:
    """`margin(logits, labels)`: (B, classes), (B,) -> (B,), the label's logit less the largest other."""
    logits, labels = 4 * _random((6, 9)) - 2, torch.tensor([0, 3, 8, 3, 5, 1])
    logits[1, 3] = 5.0  # here the label is the largest
    others = logits.clone()
    others[torch.arange(6), labels] = -torch.inf
    expected = logits[torch.arange(6), labels] - others.amax(1)
    result = answer(margin, logits, labels)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        require(result[1].item() != 0, "margin: leave the label itself out when you look for the largest other")
    same(result, expected, "margin(logits of shape (6, 9), labels)")
    return "positive as long as the net says the label, and straight where the softmax is flat"
