"""Checks of the exercises of chapter 15: certain distances of linear nets, HOG by hand, adversarial training."""

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from cnnlab.chapters.ch15_hog import hog_net
from cnnlab.nets import named
from cnnlab.teaching.checks import Student, Wrong, answer, random_tensor, require, same, verdict
from cnnlab.training import initialize


@verdict
def check_smallest_eps(smallest_eps: Student) -> str:
    """Check `smallest_eps(weight, bias, images)`: (classes, n), (classes,), (B, C, H, W) -> (B,).

    The pixels have no limits here.
    """
    weight, bias = random_tensor((4, 15)) - 0.5, random_tensor((4,), 1) - 0.5  # of four classes
    images = random_tensor((40, 1, 3, 5), 2)
    logits = images.flatten(1) @ weight.T + bias
    expected = torch.empty(len(images))
    for number, scores in enumerate(logits):
        top = int(scores.argmax())
        others = [k for k in range(len(weight)) if k != top]
        expected[number] = ((scores[top] - scores[others]) / (weight[top] - weight[others]).abs().sum(1)).min()
    result = answer(smallest_eps, weight, bias, images)
    if isinstance(result, Tensor) and result.shape == expected.shape:
        runner_up = logits.topk(2).indices
        lengths = (weight[runner_up[:, 0]] - weight[runner_up[:, 1]]).abs().sum(1)
        only = (logits.gather(1, runner_up) @ torch.tensor([1.0, -1.0])) / lengths
        require(not (result == 0).all(), "smallest_eps: the class itself is at distance 0: leave it out")
        second = torch.allclose(result, only)
        require(not second, "smallest_eps: the second largest logit is not always the nearest: try every other class")
    same(result, expected, "smallest_eps(weight, bias, images of shape (40, 1, 3, 5))", tolerance=1e-4)
    return "it is the smallest margin over the L1 norm of the weights' difference, of all other classes"


@verdict
def check_histograms(histograms: Student) -> str:
    """Check `histograms(down, right, orientations)`: (H, W) each, multiples of 8 -> (orientations, H / 8, W / 8)."""
    cells = hog_net(orientations=6).chain.cells
    down, right = random_tensor((16, 24)) - 0.5, random_tensor((16, 24), 1) - 0.5
    result = answer(histograms, down, right, 6)
    expected = cells(torch.stack([down, right])[None])[0]
    if isinstance(result, Tensor) and result.shape == expected.shape:
        if torch.allclose(result.float(), 64 * expected, rtol=1e-3):
            raise Wrong("histograms: take the mean over the 64 pixels of a cell, not the sum")
        swapped = cells(torch.stack([right, down])[None])[0]
        require(not torch.allclose(result.float(), swapped, atol=1e-5), "histograms: the angle is atan2(down, right)")
    same(result, expected, "histograms(down, right, 6) of 16 x 24 pixels", tolerance=1e-4)
    return "each pixel votes with its strength for the bin of its angle, and 200° counts as 20°"


@verdict
def check_hardened_step(hardened_step: Student) -> str:
    """Check `hardened_step(chain, images, labels, eps, rate)`: a training step on FGSM's images; returns the loss."""
    chain = named(flatten=nn.Flatten(), dense=nn.Linear(15, 8), relu=nn.ReLU(), logits=nn.Linear(8, 4))
    initialize(chain, torch.Generator().manual_seed(0))
    images, labels, eps, rate = random_tensor((5, 1, 3, 5)), torch.tensor([0, 3, 1, 1, 2]), 0.1, 0.5
    mine, plain = deepcopy(chain), deepcopy(chain)
    asked = images.clone().requires_grad_()
    (grad,) = torch.autograd.grad(F.cross_entropy(mine(asked), labels), asked)
    loss = _trained(mine, (images + eps * grad.sign()).clamp(0, 1), labels, rate)
    _trained(plain, images, labels, rate)
    result = answer(hardened_step, chain, images, labels, eps, rate)
    found, expected, unattacked = (parameters_to_vector(c.parameters()).detach() for c in (chain, mine, plain))
    plain_step = torch.allclose(found, unattacked)
    require(not plain_step, "hardened_step: that is a step on the original images, not on FGSM's")
    same(result, loss, "the loss that hardened_step returns", tolerance=1e-4)
    same(found, expected, "the parameters after hardened_step", tolerance=1e-4)
    return "the images are attacked first, and then the net learns from them"


def _trained(chain: nn.Sequential, images: Tensor, labels: Tensor, rate: float) -> float:
    loss = F.cross_entropy(chain(images), labels)
    loss.backward()
    torch.optim.SGD(chain.parameters(), lr=rate).step()
    return loss.item()


@verdict
def check_boxed_eps(boxed_eps: Student) -> str:
    """Check `boxed_eps(difference, margin, image)`: (n,), a number, (n,) -> the smallest eps within [0, 1]."""
    difference, image = random_tensor((40,)) - 0.5, (random_tensor((40,), 1) * 2 - 0.5).clamp(0, 1)
    for share in (0.1, 0.6):
        room = torch.where(difference > 0, image, 1 - image)  # how far each pixel can move to lower the margin
        margin = share * float((difference.abs() * room).sum())
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            gain = float((difference.abs() * room.clamp(max=middle)).sum())
            low, high = (middle, high) if gain < margin else (low, middle)
        result = answer(boxed_eps, difference, margin, image)
        free = margin / float(difference.abs().sum())
        if isinstance(result, (float, Tensor)) and abs(float(result) - free) < 1e-6:
            raise Wrong("boxed_eps: black pixels cannot become darker, white ones not brighter: these do not count")
        same(result, high, "boxed_eps(difference, margin, image)", tolerance=1e-3)
    result = answer(boxed_eps, difference, 2 * float((difference.abs() * room).sum()), image)
    require(float(result) == float("inf"), "boxed_eps: if even eps = 1 is not enough, the answer is infinite")
    return "the limits of the pixels are counted exactly"
