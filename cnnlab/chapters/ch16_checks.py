"""Checks of the exercises of chapter 16: liberties on a Go board, a resonator, shuffled columns, what a net misses."""

import numpy as np
import torch
from scipy.signal import lfilter

from cnnlab.chapters.ch16_go import EMPTY, board_from, group, neighbors, random_game
from cnnlab.teaching.checks import Student, numbers, random_tensor, refuse, require, same, verdict

BOARD = """
. X X .
X O O X
. X O .
. . X O
"""


@verdict("it is right for large groups, at the edge and in the corner")
def check_liberties(liberties: Student) -> None:
    """Check `liberties(board, point)`: the set of empty points beside the group of the stone at `point`."""
    board = board_from(BOARD)
    drawn = {(1, 1): {(2, 3)}, (1, 2): {(2, 3)}, (2, 2): {(2, 3)}, (0, 1): {(0, 0), (0, 3)}, (3, 3): {(2, 3)}}
    for point, expected in drawn.items():
        found, what = liberties(board, point), f"{liberties}(board, {point}) on the board{BOARD}"
        require(isinstance(found, set), f"{liberties} must return a set of points (y, x), not {type(found).__name__}")
        refuse(found, group(board, point)[0], f"{what}gives the stones of the group, not the empty points beside it")
        alone = {near for near in neighbors(board, point) if board[near] == EMPTY}
        require(found != alone or alone == expected, f"{what}looks beside one stone alone: its group has more stones")
        same(found, expected, what)
    for board, _ in list(random_game(torch.Generator().manual_seed(1), size=7))[20::8]:
        rows = "\n".join(" ".join(".XO"[board[y, x]] for x in range(7)) for y in range(7))
        for point in [point for point, stone in board.items() if stone != EMPTY]:
            found = liberties(board, point)
            same(found, group(board, point)[1], f"{liberties}(board, {point}) on the board\n{rows}\n")


@verdict("each number depends on the sound and on the two numbers before it")
def check_resonate(resonate: Student) -> None:
    """Check `resonate(sound, a, b, c)`: y[n] = a x[n] + b y[n-1] + c y[n-2], with y = 0 before the beginning."""
    impulse, noise = np.eye(40)[0], np.random.default_rng(0).normal(size=300)
    for name, sound, a, b, c in (("an impulse", impulse, 2.0, 0.5, -0.9), ("noise", noise, 0.3, 1.7, -0.97)):
        result = resonate(sound, a, b, c)
        refuse(
            result, lfilter([a, b, c], [1], sound), "b and c belong to the last two outputs, not to the last two inputs"
        )
        same(result, lfilter([a], [1, -b, -c], sound), f"{resonate}({name}, {a}, {b}, {c})", tolerance=1e-6)


@verdict("the weights move with the columns, so the convolution gives the same numbers")
def check_carried(carried: Student) -> None:
    """Check `carried(weight, order)`: the weights (K, 1, k, D) that do on x[..., order] what `weight` does on x."""
    weight, order = random_tensor((3, 1, 2, 7)) - 0.5, torch.tensor([2, 5, 0, 6, 1, 3, 4])
    result = carried(weight, order)
    refuse(result, weight[..., order.argsort()], "this is the inverse order: use `order` itself")
    same(result, weight[..., order], f"{carried}(weight of shape (3, 1, 2, 7), order)")


@verdict("each size has a share of its own, of the captures alone")
def check_recall_by_size(recall_by_size: Student) -> None:
    """Check `recall_by_size(marked, captures, sizes)`: bool, bool, int (N, H, W) -> {size: share marked}."""
    marked, captures = random_tensor((4, 5, 6)) < 0.6, random_tensor((4, 5, 6), 1) < 0.5
    sizes = (1 + 3 * random_tensor((4, 5, 6), 2)).long() * captures  # 0 where nothing is captured
    sizes[sizes == 2] = 7  # not all sizes occur
    expected = {size: marked[sizes == size].float().mean().item() for size in (1, 3, 7)}
    precision = {size: (captures & marked & (sizes == size)).sum().item() / marked.sum().item() for size in (1, 3, 7)}
    result = recall_by_size(marked, captures, sizes)
    require(isinstance(result, dict), f"{recall_by_size} must return a dict, not {type(result).__name__}")
    require(0 not in result, "at size 0 nothing is captured: look only at the captures")
    keys = sorted(numbers(list(result), f"the list of sizes in {recall_by_size}(...)").astype(int).tolist())
    require(keys == [1, 3, 7], f"the sizes that occur among the captures are 1, 3 and 7, not {keys}")
    shares = [value for _, value in sorted(result.items())]
    refuse(shares, list(precision.values()), "divide by the captures of this size, not by all marks")
    for (size, share), found in zip(expected.items(), shares, strict=True):
        same(found, share, f"{recall_by_size}(...)[{size}]", tolerance=1e-4)
