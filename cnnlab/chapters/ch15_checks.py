"""Checks of the exercises of chapter 15: distances of linear nets, HOG by hand, training a defense, a certificate."""

from copy import deepcopy

import torch
import torch.nn.functional as F
from scipy.stats import beta
from torch import Tensor, nn

from cnnlab.chapters.ch15_hog import hog_net
from cnnlab.teaching.checks import Student, random_tensor, refuse, same, verdict
from cnnlab.training import initialize


@verdict("it is the smallest margin over the L1 norm of the weights' difference, of all other classes")
def check_smallest_eps(smallest_eps: Student) -> None:
    """Check `smallest_eps(weight, bias, images)`: (classes, n), (classes,), (B, C, H, W) -> (B,), pixels unlimited."""
    weight, bias = random_tensor((4, 15)) - 0.5, random_tensor((4,), 1) - 0.5  # of four classes
    images = random_tensor((40, 1, 3, 5), 2)

    def distances(logits: Tensor) -> Tensor:  # (B, 3): to each other class, the one with the largest logit first
        order = logits.argsort(dim=1, descending=True)
        gaps = logits.gather(1, order[:, :1]) - logits.gather(1, order[:, 1:])
        return gaps / (weight[order[:, :1]] - weight[order[:, 1:]]).abs().sum(2)

    result, logits = smallest_eps(weight, bias, images), images.flatten(1) @ weight.T
    refuse(result, torch.zeros(40), "the class itself is at distance 0: leave it out")
    refuse(result, distances(logits).amin(1), "the bias is missing: it belongs to the logits")
    nearest = distances(logits + bias)
    refuse(result, nearest[:, 0], "the second largest logit is not always the nearest: try every other class")
    same(result, nearest.amin(1), f"{smallest_eps}(weight, bias, images of shape (40, 1, 3, 5))", tolerance=1e-4)


@verdict("each pixel votes with its strength for the bin of its angle, and 200° counts as 20°")
def check_histograms(histograms: Student) -> None:
    """Check `histograms(down, right, orientations)`: (H, W) each, multiples of 8 -> (orientations, H / 8, W / 8)."""
    cells = hog_net(orientations=6).model.cells
    gradient = random_tensor((1, 2, 16, 24)) - 0.5
    expected, swapped = cells(gradient)[0], cells(gradient.flip(1))[0]
    counts, half = cells(gradient / gradient.norm(dim=1, keepdim=True))[0], cells(gradient * (gradient[:, :1] > 0))[0]
    result = histograms(*gradient[0], 6)
    refuse(result, 64 * expected, "take the mean over the 64 pixels of a cell, not the sum")
    refuse(result, swapped, "the angle is atan2(down, right)")
    refuse(result, half, "angles below 0 are lost: take the angle modulo pi, so that -160° counts as 20°")
    for number in (counts, 64 * counts):
        refuse(result, number, "this counts the pixels: each one votes with its strength, hypot(down, right)")
    same(result, expected, f"{histograms}(down, right, 6) of 16 x 24 pixels", tolerance=1e-4)


@verdict("the images are attacked first, and then the net learns from them")
def check_hardened_step(hardened_step: Student) -> None:
    """Check `hardened_step(chain, images, labels, eps, rate)`: a training step on FGSM's images; returns the loss."""
    first = nn.Linear(15, 8)
    chain = nn.Sequential(nn.Flatten(), first, nn.ReLU(), nn.Linear(8, 4))
    initialize(chain, torch.Generator().manual_seed(0))
    images, labels, eps, rate = random_tensor((5, 1, 3, 5)).requires_grad_(), torch.tensor([0, 3, 1, 1, 2]), 0.1, 0.5
    (grad,) = torch.autograd.grad(F.cross_entropy(chain(images), labels), images)
    images = images.detach()
    loss, expected = _trained(chain, (images + eps * grad.sign()).clamp(0, 1), labels, rate)
    _, unattacked = _trained(chain, images, labels, rate)
    both = expected["1.weight"] + unattacked["1.weight"] - first.weight.detach()
    result = hardened_step(chain, images, labels, eps, rate)
    refuse(first.weight, unattacked["1.weight"], "this is a step on the original images, not on FGSM's")
    left_over = "the attack's gradients are left over in .grad: set them to 0 before the second backward()"
    refuse(first.weight, both, left_over)
    for name, found in chain.named_parameters():
        same(found, expected[name], f"parameter {name} after {hardened_step}", tolerance=1e-4)
    same(result, loss, f"the loss that {hardened_step} returns", tolerance=1e-4)


def _trained(chain: nn.Module, images: Tensor, labels: Tensor, rate: float) -> tuple[float, dict[str, Tensor]]:
    """Return the loss of a chain, and what its parameters are after a step of SGD; the chain is not changed."""
    stepped = deepcopy(chain)
    loss = F.cross_entropy(stepped(images), labels)
    loss.backward()
    torch.optim.SGD(stepped.parameters(), lr=rate).step()
    return loss.item(), dict(stepped.named_parameters())


@verdict("the limits of the pixels are counted exactly")
def check_boxed_eps(boxed_eps: Student) -> None:
    """Check `boxed_eps(difference, margin, image)`: (n,), a number, (n,) -> the smallest eps within [0, 1]."""
    difference, image = random_tensor((40,)) - 0.5, (random_tensor((40,), 1) * 2 - 0.5).clamp(0, 1)
    room = torch.where(difference > 0, image, 1 - image)  # how far each pixel can move to lower the margin

    def gain(eps: float) -> float:
        return float((difference.abs() * room.clamp(max=eps)).sum())

    for eps in (0.05, 0.6):
        result = boxed_eps(difference, gain(eps), image)
        free = gain(eps) / float(difference.abs().sum())
        refuse(result, free, "black pixels cannot become darker and white ones not brighter: do not count these")
        same(result, eps, f"{boxed_eps}(difference, margin, image)", tolerance=1e-3)
    impossible = boxed_eps(difference, 2 * gain(1), image)
    same(impossible, torch.inf, f"{boxed_eps}, where even eps = 1 does not bring the margin to 0,")


@verdict("a digit counts if its guess is right and the lower bound of its share is high enough")
def check_certified(certified: Student) -> None:
    """Check `certified(hits, right, count, sigma, radius)`: the share certified at a radius, alpha = 0.001."""
    hits = torch.tensor([1000, 1000, 990, 950, 850, 700, 560, 520])
    right = torch.tensor([True, False, True, False, True, True, True, True])
    low = torch.from_numpy(beta.ppf(0.001, hits, 1001 - hits))  # 0.993, 0.993, 0.978, 0.926, 0.813, 0.653, 0.51, 0.47
    reach, naive = torch.special.ndtri(low), torch.special.ndtri((hits / 1000).double().clamp(max=0.999))
    for radius in (0.0, 0.3):
        mistakes = {
            "hits / count is no bound: take the lower Clopper-Pearson bound": right & (0.5 * naive > radius),
            "a wrong guess is not certified: ask `right`": 0.5 * reach > radius,
            "sigma is missing: R is sigma times the standard deviations": right & (reach > radius),
        }
        result, expected = certified(hits, right, 1000, 0.5, radius), right & (0.5 * reach > radius)
        for message, mistake in mistakes.items():
            if mistake.sum() != expected.sum():
                refuse(result, mistake.sum().item() / 8, message)
        what = f"{certified}(hits, right, 1000, 0.5, {radius})"
        same(result, expected.sum().item() / 8, what, tolerance=1e-4)
