"""Checks of the exercises of chapter 16: liberties on a Go board, a resonator, a convolution on shuffled columns."""

import numpy as np
import torch
from scipy.signal import lfilter

from cnnlab.chapters.ch16_go import EMPTY, board_from, group, random_game
from cnnlab.teaching.checks import Student, random_tensor, refuse, require, same, verdict


@verdict("it is right for large groups, at the edge and in the corner")
def check_liberties(liberties: Student) -> None:
    """Check `liberties(board, point)`: the set of empty points beside the group of the stone at `point`."""
    board = board_from("""
        . X X .
        X O O X
        . X O .
        . . X O
    """)
    drawn = {(1, 1): {(2, 3)}, (1, 2): {(2, 3)}, (2, 2): {(2, 3)}, (0, 1): {(0, 0), (0, 3)}, (3, 3): {(2, 3)}}
    for point, expected in drawn.items():
        found = liberties(board, point)
        require(isinstance(found, set), f"liberties must return a set of points (y, x), not {type(found).__name__}")
        same(found, expected, f"liberties(board, {point}) on the 4 × 4 board drawn in this check")
    for board, _ in list(random_game(torch.Generator().manual_seed(1), size=7))[20::8]:
        for point in [point for point, stone in board.items() if stone != EMPTY]:
            found = liberties(board, point)
            same(found, group(board, point)[1], f"liberties(board, {point}) on a board of 7 × 7")


@verdict("each number depends on the sound and on the two numbers before it")
def check_resonate(resonate: Student) -> None:
    """Check `resonate(sound, a, b, c)`: y[n] = a x[n] + b y[n-1] + c y[n-2], with y = 0 before the beginning."""
    impulse, noise = np.eye(40)[0], np.random.default_rng(0).normal(size=300)
    for name, sound, a, b, c in (("an impulse", impulse, 2.0, 0.5, -0.9), ("noise", noise, 0.3, 1.7, -0.97)):
        expected = lfilter([a], [1, -b, -c], sound)
        same(resonate(sound, a, b, c), expected, f"resonate({name}, {a}, {b}, {c})", tolerance=1e-6)


@verdict("the weights move with the columns, so the convolution gives the same numbers")
def check_carried(carried: Student) -> None:
    """Check `carried(weight, order)`: the weights (K, 1, k, D) that do on x[..., order] what `weight` does on x."""
    weight, order = random_tensor((3, 1, 2, 7)) - 0.5, torch.tensor([2, 5, 0, 6, 1, 3, 4])
    result = carried(weight, order)
    refuse(result, weight[..., order.argsort()], "this is the inverse order: use `order` itself")
    same(result, weight[..., order], "carried(weight of shape (3, 1, 2, 7), order)")
