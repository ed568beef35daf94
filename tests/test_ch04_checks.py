"""The checks of chapter 04 name likely mistakes; test_exercises.py tests that they accept the solutions."""

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


def wave(height, width, down, right, function=torch.cos, turn=2 * torch.pi):
    return function(turn * (down * torch.arange(height)[:, None] / height + right * torch.arange(width) / width))


def decode(spectrum, h, w, colors=COLORS, norm="ortho"):
    return torch.einsum("rc,bchw->brhw", colors, torch.fft.irfft2(spectrum, s=(h, w), norm=norm)).sigmoid()


@pytest.mark.parametrize(
    ("check", "student", "said"),
    [
        (checks.check_normalized_step, lambda i, g, r: (i - r * g / mean_of(g)).clamp(0, 1), None),
        (checks.check_normalized_step, lambda i, g, r: (i - r * g / mean_of(g)).clamp(0, 1).double(), None),
        (checks.check_normalized_step, lambda i, g, r: (i + r * g / mean_of(g)).clamp(0, 1), "climbs"),
        (
            checks.check_normalized_step,
            lambda i, g, r: (i - r * g / g.abs().mean()).clamp(0, 1),
            "own mean",
        ),
        (checks.check_normalized_step, lambda i, g, r: i - r * g / mean_of(g), r"left \[0, 1\]"),
        (checks.check_normalized_step, lambda i, g, r: (i - r * g.sign()).clamp(0, 1), "expected"),
        (checks.check_normalized_step, lambda i, g, r: i.sub_(r * g), "in place"),
        (checks.check_gradient_of_mean, lambda a, c: torch.ones_like(a) / a[0, 0].numel(), "expected 0"),
        (checks.check_gradient_of_mean, lambda a, c: only(c) / 12, "shape"),
        (checks.check_gradient_of_mean, lambda a, c: only(c) / 12 + 0 * a, None),
        (checks.check_gradient_of_mean, lambda a, c: only(c) / 24 + 0 * a, "0.5 times"),
        (checks.check_gradient_of_mean, lambda a, c: (only(c) / 12 + 0 * a).double(), None),
        (checks.check_one_wave, wave, None),
        (checks.check_one_wave, lambda h, w, d, r: wave(h, w, d, r).double(), None),
        (checks.check_one_wave, lambda h, w, d, r: wave(h, w, r, d), "from the top to the bottom"),
        (checks.check_one_wave, lambda h, w, d, r: wave(h, w, d, r, turn=1), "a whole wave takes 2 pi"),
        (checks.check_one_wave, lambda h, w, d, r: wave(h, w, d, r, torch.sin), "that is the sine"),
        (checks.check_one_wave, lambda h, w, d, r: wave(w, h, r, d).T[:-1], "has the shape"),
        (checks.check_share_kept, lambda s, i, c: s(c(i)) / s(i), None),
        (checks.check_share_kept, lambda s, i, c: s(i) / s(c(i)), "not the other way round"),
        (checks.check_share_kept, lambda s, i, c: 1 - s(c(i)) / s(i), "the share that is lost"),
        (checks.check_share_kept, lambda s, i, c: s(c(i)), "divide it by the score before"),
        (checks.check_share_kept, lambda s, i, c: 1.0, "expected"),
        (checks.check_decode, decode, None),
        (checks.check_decode, lambda s, h, w: decode(s, h, w, colors=COLORS.T), "expected"),
        (checks.check_decode, lambda s, h, w: decode(s, h, w, norm="backward"), "expected"),
        (checks.check_decode, lambda s, h, w: torch.fft.ifft2(s, s=(h, w), norm="ortho"), "use irfft2"),
        (checks.check_decode, lambda s, h, w: decode(s, h, 2 * (s.shape[-1] - 1)), r"shape \(2, 3, 9, 6\)"),
    ],
)
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
