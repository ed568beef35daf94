"""Kernels to try on a photograph: the classic ones as text that a person can edit, and the reader of such text."""

import math

import numpy as np


def gabor(size: int = 7, angle: float = 45.0, wavelength: float = 4.0) -> np.ndarray:
    """A stripe detector, (size, size): a cosine wave under a Gaussian window; its numbers sum to 0.

    exp(-(x^2 + y^2) / (2 sigma^2)) cos(2 pi (x cos(angle) + y sin(angle)) / wavelength) less its mean, with
    sigma = size / 4.

    Args:
        size: rows and columns; odd, so that there is a centre.
        angle: degrees from the x axis (right) towards the y axis (down), across the stripes.
        wavelength: pixels from stripe to stripe.
    """
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    turn = math.radians(angle)
    wave = np.cos(2 * math.pi * (x * math.cos(turn) + y * math.sin(turn)) / wavelength)
    kernel = np.exp(-(x**2 + y**2) / (2 * (size / 4) ** 2)) * wave
    return kernel - kernel.mean()


def format_kernel(kernel: np.ndarray) -> str:
    """The text of a kernel (h, w), one line per row, two decimals; `parse_kernel` reads it."""
    return "\n".join(" ".join(f"{value:.2f}" for value in row) for row in kernel)


def parse_kernel(text: str) -> np.ndarray:
    """The matrix (k, k) that a text shows: k lines of k numbers, k = 3, 5 or 7; fractions such as 1/9 are numbers.

    Raises:
        ValueError: for anything else, in words.
    """
    rows = [[_number(word) for word in line.replace(",", " ").split()] for line in text.splitlines() if line.strip()]
    if len(rows) not in (3, 5, 7):
        raise ValueError(f"kernel must have 3, 5 or 7 rows, one a line, not {len(rows)}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows):
            raise ValueError(f"kernel must be square: it has {len(rows)} rows, but {len(row)} numbers in row {number}")
    return np.array(rows)


def _number(word: str) -> float:
    numerator, _, denominator = word.partition("/")
    try:
        value = float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"kernel must be made of numbers such as 2, -0.5 or 1/9; {word!r} is none")
    return value


# The names are those of the textbooks. Each is a text, so that a panel can offer it for editing.
KERNELS: dict[str, str] = {
    "identity": "0 0 0\n0 1 0\n0 0 0",
    "blur": "1/9 1/9 1/9\n1/9 1/9 1/9\n1/9 1/9 1/9",
    "Gaussian blur": "1/16 2/16 1/16\n2/16 4/16 2/16\n1/16 2/16 1/16",
    "sharpen": "0 -1 0\n-1 5 -1\n0 -1 0",
    "emboss": "-2 -1 0\n-1 1 1\n0 1 2",
    "Sobel x": "-1 0 1\n-2 0 2\n-1 0 1",
    "Sobel y": "-1 -2 -1\n0 0 0\n1 2 1",
    "Laplacian": "0 1 0\n1 -4 1\n0 1 0",
    "motion blur": "\n".join(" ".join("1/7" if column == row else "0" for column in range(7)) for row in range(7)),
    "Gabor": format_kernel(gabor()),
}
