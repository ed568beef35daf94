"""Checks of the exercises of chapter 16: liberties, a resonator, shuffled columns, shares by group, new data."""

import numpy as np
import torch
from scipy.signal import lfilter

from cnnlab.chapters.ch16_go import EMPTY, board_from, group, neighbors, random_game
from cnnlab.chapters.ch16_heart import LEADS, MOMENTS, learned
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


@verdict("each group has a share of its own")
def check_accuracy_by(accuracy_by: Student) -> None:
    """Check `accuracy_by(found, labels, groups)`: whole numbers (N,), (N,), (N,) -> {group: share that is right}."""
    labels, groups = (5 * random_tensor((60,))).long(), torch.tensor([400, 0, 60])[(3 * random_tensor((60,), 1)).long()]
    right = random_tensor((60,), 2) < 0.4 + groups / 1000
    result = accuracy_by(torch.where(right, labels, labels + 1), labels, groups)
    require(isinstance(result, dict), f"{accuracy_by} must return a dict, not {type(result).__name__}")
    keys = sorted(numbers(list(result), f"the list of groups in {accuracy_by}(...)").astype(int).tolist())
    require(keys == [0, 60, 400], f"the groups are 0, 60 and 400, not {keys}")
    shares, hits = [value for _, value in sorted(result.items())], [int(right[groups == key].sum()) for key in keys]
    for size, of in ((60, "all answers"), (sum(hits), "all right answers")):
        refuse(shares, [hit / size for hit in hits], f"divide by the answers of the group, not by {of}")
    for key, hit, share in zip(keys, hits, shares, strict=True):
        same(share, hit / int((groups == key).sum()), f"{accuracy_by}(...)[{key}]", tolerance=1e-4)


@verdict("the net finds the sick lead at moments where no beat of its training was")
def check_decide(decide: Student) -> None:
    """Check `decide()`: the kernel (leads, moments) and the axes to pool over, by a training of a few seconds."""
    result = decide()
    pair = isinstance(result, (tuple, list)) and len(result) == 2
    require(pair, f"{decide} must return two things, the kernel and the axes to pool over, as in (2, 5), ['leads']")
    kernel, axes = result
    whole = isinstance(kernel, (tuple, list)) and len(kernel) == 2 and all(type(size) is int for size in kernel)
    fits = whole and 1 <= kernel[0] <= LEADS and 1 <= kernel[1] <= MOMENTS
    require(fits, f"the kernel must be two whole numbers, 1 to {LEADS} leads and 1 to {MOMENTS} moments")
    names = [axes] if isinstance(axes, str) else axes
    known = isinstance(names, (tuple, list, set)) and all(name in ("leads", "time") for name in names)
    require(known, "the axes to pool over must be a list of 'leads' and 'time'; it may be empty")
    own, later = learned(tuple(kernel), frozenset(names))
    scores = f"the net is right for {own:.0%} of what it learned from, and for {later:.0%} of the exam"
    require(own > 0.9, f"{scores}: it cannot even see in which lead the wave is late")
    require(later >= 0.95, f"{scores}: it does not recognize a beat that comes at another moment")
