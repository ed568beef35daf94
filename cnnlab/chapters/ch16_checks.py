"""Checks of the exercises of chapter 16: liberties on a Go board, a resonator, a convolution on shuffled columns."""

import numpy as np
import torch
from torch import Generator

from cnnlab.chapters import ch16_vowels
from cnnlab.chapters.ch16_go import EMPTY, board_from, group, random_game
from cnnlab.teaching.checks import Student, answer, require, same, verdict


@verdict
def check_liberties(liberties: Student) -> str:
    """Check `liberties(board, point)`: the set of empty points beside the group of the stone at `point`."""
    board = board_from("""
        . X X .
        X O O X
        . X O .
        . . X O
    """)
    drawn = {(1, 1): {(2, 3)}, (1, 2): {(2, 3)}, (2, 2): {(2, 3)}, (0, 1): {(0, 0), (0, 3)}, (3, 3): {(2, 3)}}
    for point, expected in drawn.items():
        found = answer(liberties, dict(board), point)
        require(isinstance(found, set), f"liberties must return a set of points (y, x), not {type(found).__name__}")
        same(found, expected, f"liberties(board, {point}) on the 4 × 4 board drawn in this check")
    boards = [board for board, _ in random_game(Generator().manual_seed(1), size=7)]
    for board in boards[20::8]:
        for point in [point for point, stone in board.items() if stone != EMPTY]:
            kept = dict(board)
            found = answer(liberties, kept, point)
            require(kept == board, "liberties changes the board: only look at it")
            same(found, group(board, point)[1], f"liberties(board, {point}) on a board of 7 × 7")
    return "it is right for large groups, at the edge and in the corner"


@verdict
def check_resonate(resonate: Student) -> str:
    """Check `resonate(sound, a, b, c)`: y[n] = a x[n] + b y[n-1] + c y[n-2], with y = 0 before the beginning."""
    impulse = np.zeros(40)
    impulse[0] = 1.0
    expected = [2.0, 1.0]
    for _ in range(38):
        expected.append(0.5 * expected[-1] - 0.9 * expected[-2])
    same(answer(resonate, impulse, 2.0, 0.5, -0.9), np.array(expected), "resonate(an impulse, 2, 0.5, -0.9)")
    sound = np.random.default_rng(0).normal(size=300)
    c = -np.exp(-2 * np.pi * 80 / ch16_vowels.RATE)
    b = 2 * np.exp(-np.pi * 80 / ch16_vowels.RATE) * np.cos(2 * np.pi * 700 / ch16_vowels.RATE)
    result = answer(resonate, sound, 1 - b - c, b, c)
    same(result, ch16_vowels.resonator(sound, 700, 80), "resonate with the a, b and c of 700 Hz", tolerance=1e-6)
    return "it rings exactly as the resonator of this chapter does"


@verdict
def check_carried(carried: Student) -> str:
    """Check `carried(weight, order)`: the weights (K, 1, k, D) that do on x[..., order] what `weight` does on x."""
    generator = Generator().manual_seed(0)
    weight = torch.randn((3, 1, 2, 7), generator=generator)
    x = torch.randn((2, 1, 5, 7), generator=generator)
    for seed in (1, 2):
        order = torch.randperm(7, generator=Generator().manual_seed(seed))
        found = answer(carried, weight, order)
        fits = isinstance(found, torch.Tensor) and found.shape == weight.shape
        require(fits, "carried must return weights of the same shape")
        right, result = (torch.nn.functional.conv2d(*pair) for pair in ((x, weight), (x[..., order], found)))
        same(result, right, "the convolution of the shuffled x with carried(weight, order)")
    return "the numbers are the same, whatever the order"
