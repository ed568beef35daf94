"""The checks of chapter 15 name likely mistakes. (test_exercises.py: they accept the solutions.)"""

import pytest
import torch
import torch.nn.functional as F
from answers import assert_says
from scipy.stats import beta

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


def test_a_linear_net_without_its_bias_is_refused() -> None:
    def without_bias(weight, bias, images):
        logits = images.flatten(1) @ weight.T
        own = logits.argmax(1)
        distances = (logits.amax(1, keepdim=True) - logits) / (weight[own][:, None] - weight).abs().sum(2)
        return distances.scatter(1, own[:, None], torch.inf).amin(1)

    assert_says(checks.check_smallest_eps, without_bias, "the bias is missing")


@pytest.mark.parametrize(
    ("modulo", "weighted", "said"), [(False, True, "modulo pi"), (True, False, "counts the pixels"), (True, True, None)]
)
def test_angles_below_0_and_counted_pixels_are_named(modulo: bool, weighted: bool, said: str | None) -> None:
    def histograms(down, right, orientations):
        angle = torch.atan2(down, right)
        bins = ((angle % torch.pi if modulo else angle) * orientations / torch.pi).floor()
        strength = torch.hypot(down, right).double() if weighted else 1.0
        votes = torch.stack([strength * (bins == k) for k in range(orientations)])
        return F.avg_pool2d(votes[None], 8)[0]

    assert_says(checks.check_histograms, histograms, said)


def test_gradients_left_over_from_the_attack_are_named() -> None:
    def accumulated(chain, images, labels, eps, rate):
        begin = images.clone().requires_grad_()
        F.cross_entropy(chain(begin), labels).backward()
        loss = F.cross_entropy(chain((images + eps * begin.grad.sign()).clamp(0, 1)), labels)
        loss.backward()
        for parameter in chain.parameters():
            parameter.data -= rate * parameter.grad
        return loss.item()

    assert_says(checks.check_hardened_step, accumulated, "left over")


@pytest.mark.parametrize(
    ("bound", "only_right", "scale", "said"),
    [
        ("lower", True, 1.0, None),
        ("none", True, 1.0, "lower Clopper-Pearson bound"),
        ("lower", False, 1.0, "a wrong guess"),
        ("lower", True, 2.0, "sigma is missing"),
        ("too low", True, 1.0, "expected"),
    ],
)
def test_a_certificate_counts_only_what_is_sure(bound: str, only_right: bool, scale: float, said: str | None) -> None:
    def certified(hits, right, count, sigma, radius):
        alpha = 1e-9 if bound == "too low" else 0.001
        low = torch.from_numpy(beta.ppf(alpha, hits, count - hits + 1))
        share = (hits / count).clamp(max=0.999) if bound == "none" else low
        sure = scale * sigma * torch.special.ndtri(share) > radius
        return (sure & right if only_right else sure).double().mean().item()

    assert_says(checks.check_certified, certified, said)
