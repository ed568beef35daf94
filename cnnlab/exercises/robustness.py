"""Checks of the exercises of chapter 11b: how far a net is from being fooled."""

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.checks import Student, Wrong, answer, require, same, verdict
from cnnlab.hog import hog_net
from cnnlab.nets import named
from cnnlab.training import initialize


def _random(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def _linear(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Weights (4, 15) and biases (4,) of four classes of images 1 x 3 x 5."""
    return _random((4, 15), seed) - 0.5, _random((4,), seed + 1) - 0.5


@verdict
def check_smallest_eps(smallest_eps: Student) -> str:
    """`smallest_eps(weight, bias, images)`: (classes, n), (classes,), (B, C, H, W) -> (B,), no limits of the pixels."""
    weight, bias = _linear()
    images = _random((40, 1, 3, 5), 2)
    logits = images.flatten(1) @ weight.T + bias
    expected = torch.empty(len(images))
    for number, scores in enumerate(logits):
        top = int(scores.argmax())
        ways = [
            (scores[top] - scores[k]) / (weight[top] - weight[k]).abs().sum() for k in range(len(weight)) if k != top
        ]
        expected[number] = torch.stack(ways).min()
    result = answer(smallest_eps, weight, bias, images)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        runner_up = logits.topk(2).indices
        lengths = (weight[runner_up[:, 0]] - weight[runner_up[:, 1]]).abs().sum(1)
        only = (logits.gather(1, runner_up) @ torch.tensor([1.0, -1.0])) / lengths
        require(not (result == 0).all(), "smallest_eps: the class itself is at distance 0: leave it out")
        require(
            not torch.allclose(result, only),
            "smallest_eps: the second largest logit is not always the nearest: try every other class",
        )
    same(result, expected, "smallest_eps(weight, bias, images of shape (40, 1, 3, 5))", tolerance=1e-4)
    return "the nearest of all the other classes, by margin over the length of the difference"


@verdict
def check_histograms(histograms: Student) -> str:
    """`histograms(down, right, orientations)`: (H, W) each, H and W multiples of 8 -> (orientations, H / 8, W / 8)."""
    cells = hog_net(orientations=6).chain.cells
    down, right = _random((16, 24)) - 0.5, _random((16, 24), 1) - 0.5
    result = answer(histograms, down, right, 6)
    expected = cells(torch.stack([down, right])[None])[0]
    if isinstance(result, Tensor) and result.shape == expected.shape:
        if torch.allclose(result.float(), 64 * expected, rtol=1e-3):
            raise Wrong("histograms: take the mean over the 64 pixels of a cell, not the sum")
        swapped = cells(torch.stack([right, down])[None])[0]
        require(not torch.allclose(result.float(), swapped, atol=1e-5), "histograms: the angle is atan2(down, right)")
    same(result, expected, "histograms(down, right, 6) of 16 x 24 pixels", tolerance=1e-4)
    return "each pixel votes with its strength for the bin of its angle, and 200° is 20°"


@verdict
def check_hardened_step(hardened_step: Student) -> str:
    """`hardened_step(chain, images, labels, eps, rate)`: one step of training on FGSM's images; gives their loss."""
    chain = named(flatten=nn.Flatten(), dense=nn.Linear(15, 8), relu=nn.ReLU(), logits=nn.Linear(8, 4))
    initialize(chain, torch.Generator().manual_seed(0))
    images, labels, eps, rate = _random((5, 1, 3, 5)), torch.tensor([0, 3, 1, 1, 2]), 0.1, 0.5
    mine, plain = deepcopy(chain), deepcopy(chain)
    asked = images.clone().requires_grad_()
    (grad,) = torch.autograd.grad(F.cross_entropy(mine(asked), labels), asked)
    loss = _trained(mine, (images + eps * grad.sign()).clamp(0, 1), labels, rate)
    _trained(plain, images, labels, rate)
    result = answer(hardened_step, chain, images, labels, eps, rate)
    found, expected = (torch.cat([p.detach().flatten() for p in c.parameters()]) for c in (chain, mine))
    unattacked = torch.cat([p.detach().flatten() for p in plain.parameters()])
    require(
        not torch.allclose(found, unattacked), "hardened_step: that is a step on the images as they were, not on FGSM's"
    )
    same(result, loss, "the loss that hardened_step gives", tolerance=1e-4)
    same(found, expected, "the parameters after hardened_step", tolerance=1e-4)
    return "first against the net, then the net against that"


def _trained(chain: nn.Sequential, images: Tensor, labels: Tensor, rate: float) -> float:
    loss = F.cross_entropy(chain(images), labels)
    grads = torch.autograd.grad(loss, list(chain.parameters()))
    with torch.no_grad():
        for parameter, grad in zip(chain.parameters(), grads, strict=True):
            parameter.sub_(rate * grad)
    return loss.item()


@verdict
def check_boxed_eps(boxed_eps: Student) -> str:
    """`boxed_eps(difference, margin, image)`: (n,), a number, (n,) in [0, 1] -> the smallest eps within the box."""
    difference, image = _random((40,)) - 0.5, (_random((40,), 1) * 2 - 0.5).clamp(0, 1)
    for share in (0.1, 0.6):
        room = torch.where(difference > 0, image, 1 - image)  # how far a pixel can go to lower the margin
        margin = share * float((difference.abs() * room).sum())
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            gain = float((difference.abs() * room.clamp(max=middle)).sum())
            low, high = (middle, high) if gain < margin else (low, middle)
        result = answer(boxed_eps, difference, margin, image)
        free = margin / float(difference.abs().sum())
        if isinstance(result, (float, Tensor)) and abs(float(result) - free) < 1e-6:
            raise Wrong("boxed_eps: a black pixel cannot become darker, a white one not brighter: it has no part in it")
        same(result, high, "boxed_eps(difference, margin, image)", tolerance=1e-3)
    result = answer(boxed_eps, difference, 2 * float((difference.abs() * room).sum()), image)
    require(float(result) == float("inf"), "boxed_eps: where even eps = 1 is not enough the answer is infinite")
    return "what the pixels' limits cost is exactly counted"
