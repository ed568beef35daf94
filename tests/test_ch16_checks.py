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


def accuracy_by(found, labels, groups, of=None):
    right = (found == labels).double()
    return {int(n): right[groups == n].sum() / (of or int((groups == n).sum())) for n in groups.unique()}


def the_last_group_missing(found, labels, groups):
    return {group: share for group, share in accuracy_by(found, labels, groups).items() if group != 400}


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
        (checks.check_accuracy_by, accuracy_by, None),
        (checks.check_accuracy_by, lambda *a: {n: v.tolist() for n, v in accuracy_by(*a).items()}, None),
        (checks.check_accuracy_by, lambda *a: accuracy_by(*a, of=60), "of the group, not by all answers"),
        (checks.check_accuracy_by, lambda f, y, g: accuracy_by(f, y, g, int((f == y).sum())), "by all right answers"),
        (checks.check_accuracy_by, lambda f, y, g: accuracy_by(f + 1, y, g), "expected"),
        (checks.check_accuracy_by, the_last_group_missing, r"the groups are 0, 60 and 400, not \[0, 60\]"),
        (checks.check_accuracy_by, lambda *a: list(accuracy_by(*a).values()), "must return a dict"),
        (checks.check_accuracy_by, lambda *a: {"one": 1.0}, "of type list, expected numbers"),
        (checks.check_decide, lambda: ((6, 16), ["time"]), None),
        (checks.check_decide, lambda: ([1, 16], "time"), None),
        (checks.check_decide, lambda: ((1, 16), ["leads", "time"]), "cannot even see in which lead"),
        (checks.check_decide, lambda: ((6, 16), []), "does not recognize a beat that comes at another moment"),
        (checks.check_decide, lambda: ((6, 64), ()), "does not recognize a beat that comes at another moment"),
        (checks.check_decide, lambda: ((7, 16), ["time"]), "1 to 6 leads and 1 to 64 moments"),
        (checks.check_decide, lambda: ((6, 16.0), ["time"]), "two whole numbers"),
        (checks.check_decide, lambda: ((6, 16), ["moments"]), "a list of 'leads' and 'time'"),
        (checks.check_decide, lambda: (6, 16), "the kernel must be two whole numbers"),
        (checks.check_decide, lambda: (6, 16, "time"), "must return two things"),
    ],
)
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
