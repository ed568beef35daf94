"""Checks of the exercises of chapter 03: the sum of a map, gradient ascent, total variation, the margin of a class."""

import torch
from torch import Generator, Tensor

from cnnlab.objectives import total_variation
from cnnlab.teaching.checks import Student, answer, random_tensor, require, same, verdict


@verdict
def check_map_sum(map_sum: Student) -> str:
    """Check `map_sum(activations, k)`: the sum a^k of feature map k, (B, channels, h, w) -> (B,)."""
    activations = torch.randn((3, 5, 4, 6), generator=Generator().manual_seed(0))
    expected = torch.tensor([sum(float(x) for x in activations[b, 2].flatten()) for b in range(3)])
    same(answer(map_sum, activations, 2), expected, "map_sum(activations of shape (3, 5, 4, 6), 2)")
    leaf = activations.clone().requires_grad_()
    result = answer(map_sum, leaf, 4)
    require(result.requires_grad, "map_sum loses the gradient: use only operations of torch")
    return "there is one number per image, and the gradient passes through"


@verdict
def check_ascend(ascend: Student) -> str:
    """Check `ascend(score, image, rate, steps)`: the image after gradient ascent, clipped to [0, 1] at each step."""
    image = random_tensor((2, 1, 5, 4))
    weights = torch.randn((1, 5, 4), generator=Generator().manual_seed(1))

    def score(image: Tensor) -> Tensor:
        return (image * weights).flatten(1).sum(1) - image.pow(4).flatten(1).sum(1)

    expected = image
    for _ in range(6):
        expected = (expected + 0.2 * (weights - 4 * expected**3)).clamp(0, 1)
    result = answer(ascend, score, image, 0.2, 6)
    require(isinstance(result, Tensor), "ascend must return the image, a tensor")
    down = torch.linalg.vector_norm(result.detach() - image) > 0 and bool((score(result) < score(image)).all())
    require(not down, "ascend goes downhill: the score must become larger")
    require(bool(((result >= 0) & (result <= 1)).all()), "ascend leaves [0, 1]: clip after each step")
    same(result.detach(), expected, "ascend(score, image, 0.2, 6)", tolerance=1e-4)
    require(not result.requires_grad, "the image that ascend returns still carries its graph: detach it")
    return "each step goes uphill, for each image by itself, and stays in [0, 1]"


@verdict
def check_roughness(roughness: Student) -> str:
    """Check `roughness(image)`, the total variation: (B, C, H, W) -> (B,)."""
    image = random_tensor((3, 2, 6, 9))
    expected = total_variation().score(image, {})
    same(answer(roughness, image), expected, "the total variation of an image of shape (3, 2, 6, 9)")
    return "each image has its mean difference down plus its mean difference to the right"


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Subtract from each label's logit the largest other logit: (B, classes), (B,) -> (B,)."""
    own = torch.nn.functional.one_hot(labels, logits.shape[1]).bool()
    return logits[own] - logits.masked_fill(own, -torch.inf).amax(1)


@verdict
def check_margin(margin: Student) -> str:
    """Check `margin(logits, k)`: y_k minus the largest of the other logits, (B, classes) -> (B,)."""
    logits = torch.randn((9, 10), generator=Generator().manual_seed(0))
    for k in (0, 3, 9):
        expected = margins(logits, torch.full((9,), k))
        same(answer(margin, logits, k), expected, f"margin(logits of shape (9, 10), {k})")
    result = answer(margin, logits.clone().requires_grad_(), 3)
    require(result.requires_grad, "margin loses the gradient: use only operations of torch")
    return "it is positive where k wins, and negative where another class wins"
