"""The checks of chapters 03 and 04 name likely mistakes; test_exercises.py tests that they accept the solutions."""

from collections.abc import Callable

import pytest
import torch
from answers import assert_says

from cnnlab.chapters import ch04_checks as checks
from cnnlab.parametrizations import COLORS


def mean_of(grad, dim=(1, 2, 3)):
    return grad.abs().mean(dim=dim, keepdim=True)


def only(channel):
    return (torch.arange(5) == channel).view(1, 5, 1, 1)


def variation(image, dim=(1, 2, 3)):
    down, right = image[..., 1:, :] - image[..., :-1, :], image[..., 1:] - image[..., :-1]
    return down.abs().mean(dim) + right.abs().mean(dim)


def decode(spectrum, h, w, colors=COLORS, norm="ortho"):
    return torch.einsum("rc,bchw->brhw", colors, torch.fft.irfft2(spectrum, s=(h, w), norm=norm)).sigmoid()


@pytest.mark.parametrize(
    ("check", "student", "said"),
    [
        (checks.check_normalized_step, lambda i, g, r: (i - r * g / mean_of(g)).clamp(0, 1), None),
        (checks.check_normalized_step, lambda i, g, r: (i + r * g / mean_of(g)).clamp(0, 1), "climbs"),
        (
            checks.check_normalized_step,
            lambda i, g, r: (i - r * g / g.abs().mean()).clamp(0, 1),
            "own mean",
        ),
        (checks.check_normalized_step, lambda i, g, r: i - r * g / mean_of(g), r"left \[0, 1\]"),
        (checks.check_normalized_step, lambda i, g, r: (i - r * g.sign()).clamp(0, 1), "expected"),
        (checks.check_normalized_step, lambda i, g, r: i.sub_(r * g), "in place"),
        (checks.check_total_variation, variation, None),
        (checks.check_total_variation, lambda i: 2 * variation(i), "everything is 2 times"),
        (checks.check_total_variation, lambda i: variation(i, dim=(0, 1, 2, 3)), r"shape \(\), expected \(3,\)"),
        (checks.check_total_variation, lambda i: (i[..., 1:] - i[..., :-1]).abs().mean((1, 2, 3)), "expected"),
        (checks.check_gradient_of_mean, lambda a, c: torch.ones_like(a) / a[0, 0].numel(), "expected 0"),
        (checks.check_gradient_of_mean, lambda a, c: only(c) / 12, "shape"),
        (checks.check_gradient_of_mean, lambda a, c: only(c) / 12 + 0 * a, None),
        (checks.check_gradient_of_mean, lambda a, c: only(c) / 24 + 0 * a, "0.5 times"),
        (checks.check_decode, decode, None),
        (checks.check_decode, lambda s, h, w: decode(s, h, w, colors=COLORS.T), "expected"),
        (checks.check_decode, lambda s, h, w: decode(s, h, w, norm="backward"), "expected"),
        (checks.check_decode, lambda s, h, w: torch.fft.ifft2(s, s=(h, w), norm="ortho"), "use irfft2"),
        (checks.check_decode, lambda s, h, w: decode(s, h, 2 * (s.shape[-1] - 1)), r"shape \(2, 3, 9, 6\)"),
    ],
)
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
