"""Kernels to try on a photograph: the classic ones as text that can be edited, and a function that reads such text."""

import math

import numpy as np

# The names are those of the textbooks. The Gabor kernel is a cosine wave under a Gaussian window, rounded:
# 12 exp(-(x^2 + y^2) / (2 * 1.75^2)) cos(2 pi (x + y) / (4 sqrt 2)). Its center is raised, so that the sum is 0.
KERNELS: dict[str, str] = {
    "identity": "0 0 0\n0 1 0\n0 0 0",
    "blur": "1/9 1/9 1/9\n1/9 1/9 1/9\n1/9 1/9 1/9",
    "Gaussian blur": "1/16 2/16 1/16\n2/16 4/16 2/16\n1/16 2/16 1/16",
    "motion blur": "\n".join(" ".join("1/7" if column == row else "0" for column in range(7)) for row in range(7)),
    "sharpen": "0 -1 0\n-1 5 -1\n0 -1 0",
    "emboss": "-2 -1 0\n-1 1 1\n0 1 2",
    "Sobel x": "-1 0 1\n-2 0 2\n-1 0 1",
    "Sobel y": "-1 -2 -1\n0 0 0\n1 2 1",
    "Laplacian": "0 1 0\n1 -4 1\n0 1 0",
    "Gabor": """\
0 1 -1 -3 -2 1 1
1 -1 -5 -4 2 3 1
-1 -5 -5 4 9 2 -2
-3 -4 4 14 4 -4 -3
-2 2 9 4 -5 -5 -1
1 3 2 -4 -5 -1 1
1 1 -2 -3 -1 1 0""",
}


def parse_kernel(text: str) -> np.ndarray:
    """Read a kernel (k, k) from k lines of k numbers, with k = 3, 5 or 7; a number may be a fraction such as 1/9.

    Raises ValueError if the text is anything else; the message says what is wrong.
    """
    rows = [[_number(word) for word in line.replace(",", " ").split()] for line in text.splitlines() if line.strip()]
    if len(rows) not in (3, 5, 7):
        raise ValueError(f"kernel must have 3, 5 or 7 rows, one on each line, not {len(rows)}")
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
        raise ValueError(f"kernel must be made of numbers such as 2, -0.5 or 1/9; {word!r} is not a number")
    return value
