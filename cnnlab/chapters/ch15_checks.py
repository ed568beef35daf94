"""Checks of the exercises of chapter 15: certain distances of linear nets, HOG by hand, adversarial training."""

import torch
import torch.nn.functional as F
from torch import nn

from cnnlab.chapters.ch02_checks import trained
from cnnlab.chapters.ch15_hog import hog_net
from cnnlab.teaching.checks import Student, random_tensor, refuse, same, verdict
from cnnlab.training import initialize


@verdict("it is the smallest margin over the L1 norm of the weights' difference, of all other classes")
def check_smallest_eps(smallest_eps: Student) -> None:
    """Check `smallest_eps(weight, bias, images)`: (classes, n), (classes,), (B, C, H, W) -> (B,), pixels unlimited."""
    weight, bias = random_tensor((4, 15)) - 0.5, random_tensor((4,), 1) - 0.5  # of four classes
    images = random_tensor((40, 1, 3, 5), 2)
    logits = images.flatten(1) @ weight.T + bias
    order = logits.argsort(dim=1, descending=True)  # (B, 4): first each image's class, then the others
    gaps = logits.gather(1, order[:, :1]) - logits.gather(1, order[:, 1:])
    distances = gaps / (weight[order[:, :1]] - weight[order[:, 1:]]).abs().sum(2)  # (B, 3): to each other class
    result = smallest_eps(weight, bias, images)
    refuse(result, torch.zeros(40), "the class itself is at distance 0: leave it out")
    refuse(result, distances[:, 0], "the second largest logit is not always the nearest: try every other class")
    same(result, distances.amin(1), "smallest_eps(weight, bias, images of shape (40, 1, 3, 5))", tolerance=1e-4)


@verdict("each pixel votes with its strength for the bin of its angle, and 200° counts as 20°")
def check_histograms(histograms: Student) -> None:
    """Check `histograms(down, right, orientations)`: (H, W) each, multiples of 8 -> (orientations, H / 8, W / 8)."""
    cells = hog_net(orientations=6).model.cells
    gradient = random_tensor((1, 2, 16, 24)) - 0.5
    expected, swapped = cells(gradient)[0], cells(gradient.flip(1))[0]
    result = histograms(*gradient[0], 6)
    refuse(result, 64 * expected, "take the mean over the 64 pixels of a cell, not the sum")
    refuse(result, swapped, "the angle is atan2(down, right)")
    same(result, expected, "histograms(down, right, 6) of 16 x 24 pixels", tolerance=1e-4)


@verdict("the images are attacked first, and then the net learns from them")
def check_hardened_step(hardened_step: Student) -> None:
    """Check `hardened_step(chain, images, labels, eps, rate)`: a training step on FGSM's images; returns the loss."""
    chain = nn.Sequential(nn.Flatten(), nn.Linear(15, 8), nn.ReLU(), nn.Linear(8, 4))
    initialize(chain, torch.Generator().manual_seed(0))
    images, labels, eps, rate = random_tensor((5, 1, 3, 5)).requires_grad_(), torch.tensor([0, 3, 1, 1, 2]), 0.1, 0.5
    (grad,) = torch.autograd.grad(F.cross_entropy(chain(images), labels), images)
    images = images.detach()
    loss, expected = trained(chain, (images + eps * grad.sign()).clamp(0, 1), labels, rate)
    _, unattacked = trained(chain, images, labels, rate)
    result = hardened_step(chain, images, labels, eps, rate)
    refuse(chain[1].weight, unattacked["1.weight"], "this is a step on the original images, not on FGSM's")
    for name, found in chain.named_parameters():
        same(found, expected[name], f"parameter {name} after hardened_step", tolerance=1e-4)
    same(result, loss, "the loss that hardened_step returns", tolerance=1e-4)


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
        same(result, eps, "boxed_eps(difference, margin, image)", tolerance=1e-3)
    impossible = boxed_eps(difference, 2 * gain(1), image)
    same(impossible, torch.inf, "boxed_eps, where even eps = 1 does not bring the margin to 0,")
