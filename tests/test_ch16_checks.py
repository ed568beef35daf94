"""The checks of chapter 16 name likely mistakes; test_exercises.py tests that they accept the solutions."""

from collections.abc import Callable

import numpy as np
import pytest
from answers import assert_says

from cnnlab.chapters import ch16_checks as checks
from cnnlab.chapters.ch16_go import group, neighbors


def of_the_stone_alone(board, point):
    return {near for near in neighbors(board, point) if board[near] == 0}


def counted_twice(board, point):
    return [near for stone in group(board, point)[0] for near in neighbors(board, stone) if board[near] == 0]


def removing_stones(board, point):
    found = group(board, point)[1]
    board[point] = 0
    return found


def resonate(sound, a, b, c, sign=1):
    result, last, before = np.zeros(len(sound)), 0.0, 0.0
    for n, x in enumerate(sound):
        result[n] = a * x + b * last + sign * c * before
        last, before = result[n], last
    return result


def feeding_back_the_input(sound, a, b, c):
    x1, x2 = np.r_[0, sound[:-1]], np.r_[0, 0, sound[:-2]]
    return a * sound + b * x1 + c * x2


def recall(marked, captures, sizes):
    return {int(size): marked[captures & (sizes == size)].double().mean() for size in sizes[captures].unique()}


def precision(marked, captures, sizes):
    found = sizes[captures & marked]
    return {int(size): (found == size).sum().item() / marked.sum().item() for size in sizes[captures].unique()}


@pytest.mark.parametrize(
    ("check", "student", "said"),
    [
        (checks.check_liberties, lambda board, point: group(board, point)[1], None),
        (checks.check_liberties, of_the_stone_alone, r"X O O X(.|\n)*beside one stone alone"),
        (checks.check_liberties, counted_twice, "a set of points"),
        (checks.check_liberties, lambda board, point: group(board, point)[0], "stones of the group"),
        (checks.check_liberties, removing_stones, "changes its argument number 1 in place"),
        (checks.check_resonate, resonate, None),
        (checks.check_resonate, lambda sound, a, b, c: resonate(sound, a, b, c, sign=-1), "expected"),
        (checks.check_resonate, feeding_back_the_input, "outputs, not to the last two inputs"),
        (checks.check_resonate, lambda sound, a, b, c: resonate(sound, 1, b, c), "expected"),
        (checks.check_carried, lambda weight, order: weight[..., order], None),
        (checks.check_carried, lambda weight, order: weight[..., order.argsort()], "the inverse order"),
        (checks.check_carried, lambda weight, order: weight, "expected"),
        (checks.check_carried, lambda weight, order: weight[..., order][0], "has the shape"),
        (checks.check_carried, lambda weight, order: weight.double()[..., order], None),
        (checks.check_recall_by_size, recall, None),
        (checks.check_recall_by_size, lambda m, c, s: {n: v.tolist() for n, v in recall(m, c, s).items()}, None),
        (checks.check_recall_by_size, lambda m, c, s: recall(m, c | True, s), "at size 0 nothing is captured"),
        (checks.check_recall_by_size, lambda m, c, s: recall(c, m, s * m), "expected|divide|at size 0|the sizes"),
        (checks.check_recall_by_size, precision, "not by all marks"),
        (checks.check_recall_by_size, lambda m, c, s: list(recall(m, c, s).values()), "must return a dict"),
        (checks.check_recall_by_size, lambda m, c, s: {"one": 1.0}, "of type list, expected numbers"),
    ],
)
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
