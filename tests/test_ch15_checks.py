"""The checks of chapter 15 name likely mistakes. (test_exercises.py: they accept the solutions.)"""

import torch
import torch.nn.functional as F
from answers import assert_says

from cnnlab.chapters import ch15_checks as checks


def test_the_second_largest_logit_alone_is_refused() -> None:
    def second_only(weight, bias, images):
        logits = images.flatten(1) @ weight.T + bias
        top, number = logits.topk(2)
        return (top[:, 0] - top[:, 1]) / (weight[number[:, 0]] - weight[number[:, 1]]).abs().sum(1)

    assert_says(checks.check_smallest_eps, second_only, "not always the nearest")


def test_sums_instead_of_means_are_refused() -> None:
    def summed(down, right, orientations):
        bins = (torch.atan2(down, right) % torch.pi * orientations / torch.pi).floor()
        votes = torch.stack([torch.hypot(down, right) * (bins == k) for k in range(orientations)])
        return 64 * F.avg_pool2d(votes[None], 8)[0]

    assert_says(checks.check_histograms, summed, "mean over the 64")


def test_a_step_on_the_original_images_is_refused() -> None:
    def plain_step(chain, images, labels, eps, rate):
        loss = F.cross_entropy(chain(images), labels)
        grads = torch.autograd.grad(loss, list(chain.parameters()))
        for parameter, grad in zip(chain.parameters(), grads, strict=True):
            parameter.data -= rate * grad
        return loss.item()

    assert_says(checks.check_hardened_step, plain_step, "not on FGSM's")


def test_pixels_without_limits_are_refused() -> None:
    def unlimited(difference, margin, image):
        return margin / difference.abs().sum()

    assert_says(checks.check_boxed_eps, unlimited, "cannot become darker")
