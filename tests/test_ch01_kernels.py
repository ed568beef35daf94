"""Kernels are read from text, and the presets are what their names say."""

import numpy as np
import pytest

from cnnlab.chapters.ch01_kernels import KERNELS, parse_kernel


def test_every_preset_is_a_kernel_that_keeps_the_brightness_or_measures_change() -> None:
    for name, text in KERNELS.items():
        total = parse_kernel(text).sum()
        assert min(abs(total), abs(total - 1)) < 1e-12, name


def test_the_reader_knows_fractions_commas_and_signs() -> None:
    expected = [[0.5, -1, 2e-1], [0, 1 / 9, 3], [1, 1, 1]]
    np.testing.assert_array_equal(parse_kernel(" 1/2, -1 2e-1\n\n0 1/9 +3\n1,1,1\n"), expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "3, 5 or 7 rows, one on each line, not 0"),
        ("1 2\n3 4", "not 2"),
        ("1 2 3\n4 5\n6 7 8", "it has 3 rows, but 2 numbers in row 2"),
        ("1 2 3\n4 five 6\n7 8 9", "'five' is not a number"),
        ("1 2 3\n4 1/0 6\n7 8 9", "'1/0' is not a number"),
        ("1 2 3\n4 nan 6\n7 8 9", "'nan' is not a number"),
        ("1 2 3\n4 1e999 6\n7 8 9", "'1e999' is not a number"),
    ],
)
def test_a_bad_kernel_is_told_in_words(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"kernel must .*{said}"):
        parse_kernel(text)


def test_the_gabor_kernel_is_its_formula_and_answers_to_rising_stripes() -> None:
    y, x = np.mgrid[:7, :7] - 3.0
    kernel, rising = parse_kernel(KERNELS["Gabor"]), np.cos(2 * np.pi * (x + y) / 32**0.5)
    wave = 12 * np.exp(-(x**2 + y**2) / (2 * 1.75**2)) * rising
    assert np.abs(kernel - (wave - wave.mean()))[np.hypot(x, y) > 0].max() <= 0.5
    assert (kernel * rising).sum() > 5 * abs((kernel * rising[::-1]).sum())
