"""Checks of the exercises of chapter 03: the sum of a map, gradient ascent, total variation, the margin of a class."""

import torch
from torch import Tensor

from cnnlab.objectives import total_variation
from cnnlab.teaching.checks import Student, random_tensor, refuse, require, same, verdict, within


@verdict("there is one number per image, and the gradient passes through")
def check_map_sum(map_sum: Student) -> None:
    """Check `map_sum(activations, k)`: the sum a^k of feature map k, (B, channels, h, w) -> (B,)."""
    activations = (random_tensor((3, 5, 4, 6)) - 0.5).requires_grad_()
    result = map_sum(activations, 2)
    same(result, activations[:, 2].flatten(1).sum(1), "map_sum(activations of shape (3, 5, 4, 6), 2)")
    require(result.requires_grad, "map_sum loses the gradient: use only operations of torch")


@verdict("each step goes uphill, for each image by itself, and stays in [0, 1]")
def check_ascend(ascend: Student) -> None:
    """Check `ascend(score, image, rate, steps)`: the image after gradient ascent, clipped to [0, 1] at each step."""
    image, weights = random_tensor((2, 1, 5, 4)), 10 * random_tensor((1, 5, 4), 1) - 4

    def score(image: Tensor) -> Tensor:
        return (image * weights).flatten(1).sum(1) - image.pow(4).flatten(1).sum(1)

    def climbed(rate: float) -> Tensor:
        x = image
        for _ in range(6):
            x = (x + rate * (weights - 4 * x**3)).clamp(0, 1)
        return x

    result = ascend(score, image, 0.2, 6)
    refuse(result, climbed(-0.2), "ascend goes downhill: the score must become larger")
    within(result, 0, 1, "ascend leaves [0, 1]: clip after each step")
    same(result, climbed(0.2), "ascend(score, image, 0.2, 6)", tolerance=1e-4)
    require(not result.requires_grad, "the image that ascend returns still carries its graph: detach it")


@verdict("each image has its mean difference down plus its mean difference to the right")
def check_roughness(roughness: Student) -> None:
    """Check `roughness(image)`, the total variation: (B, C, H, W) -> (B,)."""
    image = random_tensor((3, 2, 6, 9))
    same(roughness(image), total_variation().score(image, {}), "the total variation of an image of shape (3, 2, 6, 9)")


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Subtract from each label's logit the largest other logit: (B, classes), (B,) -> (B,)."""
    own = torch.nn.functional.one_hot(labels, logits.shape[1]).bool()
    return logits[own] - logits.masked_fill(own, -torch.inf).amax(1)


@verdict("it is positive where k wins, and negative where another class wins")
def check_margin(margin: Student) -> None:
    """Check `margin(logits, k)`: y_k minus the largest of the other logits, (B, classes) -> (B,)."""
    logits = (random_tensor((9, 10)) - 0.5).requires_grad_()
    for k in (0, 3, 9):
        result = margin(logits, k)
        same(result, margins(logits, torch.full((9,), k)), f"margin(logits of shape (9, 10), {k})")
        require(result.requires_grad, "margin loses the gradient: use only operations of torch")
