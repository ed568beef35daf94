"""Checks of the exercises of chapter 03: saliency, ascent with decay, margin, coherence, what a reader recognizes."""

import torch
from torch import Tensor

from cnnlab.teaching.checks import Student, numbers, random_tensor, refuse, require, same, verdict, within


@verdict("each pixel has the strongest of its channels, whatever its sign")
def check_saliency(saliency: Student) -> None:
    """Check `saliency(grad)`: the largest absolute value among the channels, (B, C, H, W) -> (B, H, W)."""
    grad = random_tensor((2, 3, 4, 6)) - 0.6
    result, expected = saliency(grad), grad.abs().amax(1)
    refuse(result, grad.amax(1), f"{saliency} must compare the sizes without their signs: -3 is stronger than 2")
    refuse(result, grad.amax(1).abs(), f"{saliency} must take the absolute values before the maximum")
    refuse(result, grad.abs().sum(1), f"{saliency} adds the channels: take the strongest one")
    refuse(result, grad.abs().amax(1, keepdim=True), f"{saliency} must leave the channels' dimension out: (B, H, W)")
    same(result, expected, f"{saliency}(grad of shape (2, 3, 4, 6))")


@verdict("each step goes uphill, for each image by itself, fades the image, and stays in [0, 1]")
def check_ascend(ascend: Student) -> None:
    """Check `ascend(score, image, rate, steps, decay)`: gradient ascent with decay, clipped to [0, 1] at each step."""
    image, weights = random_tensor((2, 1, 5, 4)), 10 * random_tensor((1, 5, 4), 1) - 4

    def score(image: Tensor) -> Tensor:
        return (image * weights).flatten(1).sum(1) - image.pow(4).flatten(1).sum(1)

    def climbed(rate: float, decay: float, *, every: bool = True) -> Tensor:
        x = image
        for _ in range(6):
            x = (1 - decay) * x + rate * (weights - 4 * x**3)
            x = x.clamp(0, 1) if every else x
        return x.clamp(0, 1)

    result = ascend(score, image, 0.2, 6, 0.1)
    refuse(result, climbed(-0.2, 0.1), f"{ascend} goes downhill: the score must become larger")
    refuse(result, climbed(0.2, 0), f"{ascend} forgets the decay: multiply the image by 1 - decay at each step")
    within(result, 0, 1, f"{ascend} leaves [0, 1]: clip after each step")
    refuse(result, climbed(0.2, 0.1, every=False), f"{ascend} clips only at the end: clip after each step")
    same(result, climbed(0.2, 0.1), f"{ascend}(score, image, 0.2, 6, 0.1)", tolerance=1e-4)
    require(not result.requires_grad, f"the image that {ascend} returns still carries its graph: detach it")


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Subtract from each label's logit the largest other logit: (B, classes), (B,) -> (B,)."""
    own = torch.nn.functional.one_hot(labels, logits.shape[1]).bool()
    return logits[own] - logits.masked_fill(own, -torch.inf).amax(1)


@verdict("it is positive where k wins, and negative where another class wins")
def check_margin(margin: Student) -> None:
    """Check `margin(logits, k)`: y_k minus the largest of the other logits, (B, classes) -> (B,)."""
    for k in (0, 3, 9):
        logits = random_tensor((9, 10)) - 5  # all are negative, so that a 0 would win
        logits[::2, k] += 1
        logits.requires_grad_()
        result = margin(logits, k)
        refuse(result, logits[:, k], f"{margin} counts the own logit as 0 among the others: leave it out")
        refuse(result, logits[:, k] - logits.amax(1), f"{margin} counts y_k itself among the others: leave it out")
        same(result, margins(logits, torch.full((9,), k)), f"{margin}(logits of shape (9, 10), {k})")
        require(result.requires_grad, f"{margin} loses the gradient: use only operations of torch")


@verdict("it is 1 for parallel stripes and small if the directions cancel out")
def check_coherence(coherence: Student) -> None:
    """Check `coherence(down, right)`: |mean of squared arrows| / mean of |squared arrows|, (B, H, W) twice -> (B,)."""
    down, right = random_tensor((3, 5, 7)) - 0.3, random_tensor((3, 5, 7), 1) - 0.5
    arrows = torch.complex(right, down)
    result = coherence(down, right)
    once = arrows.mean((1, 2)).abs() / arrows.abs().mean((1, 2))
    refuse(result, once, f"{coherence} averages the arrows themselves: square them, so that opposite arrows are alike")
    refuse(result, arrows.square().mean((1, 2)).abs(), f"{coherence}: divide by the mean length of the squared arrows")
    expected = arrows.square().mean((1, 2)).abs() / arrows.abs().square().mean((1, 2))
    same(result, expected, f"{coherence}(down, right), both of shape (3, 5, 7)", tolerance=1e-4)


@verdict("it counts what the reader calls by the right name, and how sure it is of this name")
def check_recognized(recognized: Student) -> None:
    """Check `recognized(chances, labels)`: share of right answers, mean probability of the label; (B, 10), (B,)."""
    chances, labels = (5 * random_tensor((40, 10))).softmax(1), torch.arange(40) % 10
    chances[::3] = chances[::3].roll(1, 0)
    chances[torch.arange(0, 40, 2), labels[::2]] += 1
    chances /= chances.sum(1, keepdim=True)
    result = numbers(recognized(chances, labels), f"{recognized}(chances, labels)", "two numbers")
    require(result.shape == (2,), f"{recognized} must give two numbers: the share and the mean probability")
    right = (chances.argmax(1) == labels).double()
    own = chances[torch.arange(40), labels].double()
    require(abs(result[0] - right.sum()) > 1e-6, f"{recognized} gives the number of right answers: divide by all")
    require(abs(result[1] - chances.amax(1).mean()) > 1e-6, f"{recognized}: take that of the label, not the largest")
    require(abs(result[0] - right.mean()) < 1e-4, f"the share is {result[0]:.4f}, expected {right.mean():.4f}")
    require(abs(result[1] - own.mean()) < 1e-4, f"the mean probability is {result[1]:.4f}, expected {own.mean():.4f}")
