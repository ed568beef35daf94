"""Checks of the exercises of chapter 10: PSNR, the norm of an image, what of a code is missing, a second opinion."""

import torch
from torch import nn

from cnnlab import objectives
from cnnlab.nets import Net, named
from cnnlab.teaching.checks import Student, random_tensor, refuse, same, verdict, within


@verdict("each image has its own PSNR; with 10 dB more, the squared error is a tenth")
def check_psnr(psnr: Student) -> None:
    """Check `psnr(image, other)`: (B, C, H, W) each -> (B,), in decibels."""
    image, other = random_tensor((2, 3, 3, 6, 9))
    other[1] = image[1] + 0.01  # so that the mean error of the batch differs from the error of each image
    errors = (image - other).square().mean(dim=(1, 2, 3))
    result = psnr(image, other)
    refuse(result, 10 * errors.log10(), "fewer errors must give more decibels: check the sign")
    refuse(result, -10 * errors.log(), "decibels need the logarithm to base 10")
    refuse(result, -10 * errors.mean().log10().expand(3), "each image has a PSNR of its own: one mean for each image")
    same(result, -10 * errors.log10(), f"{psnr}(image of shape (3, 3, 6, 9), other)", tolerance=1e-4)


@verdict("black and white cost alike, and for a large alpha only extremes cost")
def check_alpha_norm(alpha_norm: Student) -> None:
    """Check `alpha_norm(image, alpha)`: (B, C, H, W) -> (B,), the mean of |image - 1/2|^alpha."""
    image = random_tensor((2, 3, 5, 8))
    for alpha in (1, 3, 7):  # the odd powers keep the sign
        result = alpha_norm(image, alpha)
        signed = (image - 0.5).pow(alpha).mean((1, 2, 3))
        for mistake in (signed, signed.abs()):
            refuse(result, mistake, "dark and bright cancel out: take the absolute value before the power")
        refuse(
            result, (image - 0.5).abs().pow(alpha), "give one number per image: the mean over its channels and pixels"
        )
        expected = objectives.pixel_norm(alpha, center=0.5).score(image, {})
        same(result, expected, f"{alpha_norm}(image of shape (2, 3, 5, 8), {alpha})")


@verdict("a map that is matched gives 0, a missing map gives 1, and silent maps do no harm")
def check_unexplained(unexplained: Student) -> None:
    """Check `unexplained(activations, target)`: (B, channels, h, w), (1, channels, h, w) -> (B, channels)."""
    activations, target = (random_tensor((2, 4, 3, 5)) - 0.5).relu(), (random_tensor((1, 4, 3, 5), 1) - 0.5).relu()
    expected = (activations - target).square().sum((2, 3)) / target.square().sum((2, 3))
    same(unexplained(activations, target), expected, f"{unexplained}(activations of shape (2, 4, 3, 5), target)")
    target[:, 2] = 0
    within(unexplained(activations, target), 0, 1e30, "a map of zeros makes you divide by 0: divide by at least 1e-12")


@verdict("the label is the photograph's, and the probability is the rebuilt image's")
def check_second_opinion(second_opinion: Student) -> None:
    """Check `second_opinion(judge, images, photographs)`: Net, (B, C, H, W) twice -> (B,), a probability each."""
    logits = nn.Linear(60, 5)
    logits.load_state_dict({"weight": 4 * (random_tensor((5, 60), 2) - 0.5), "bias": torch.zeros(5)})
    judge = Net(named(flatten=nn.Flatten(), logits=logits), labels="abcde", device="cpu")
    images, photographs = random_tensor((2, 4, 3, 4, 5))
    chances, wanted = judge.probabilities(images), judge.probabilities(photographs)
    result, each = second_opinion(judge, images, photographs), range(4)
    refuse(result, chances.amax(1), "the label must be the photograph's, not the one that the judge gives to the image")
    refuse(result, wanted.amax(1), "that is the photograph's own probability: ask the judge about the rebuilt image")
    expected = chances[each, wanted.argmax(1)]
    same(result, expected, f"{second_opinion}(judge, images of shape (4, 3, 4, 5), photographs)", tolerance=1e-4)
