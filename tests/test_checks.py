import re
from collections.abc import Callable

import numpy as np
import pytest
import torch

from cnnlab.teaching.checks import Check, Student, Wrong, answer, random_tensor, require, same, verdict


@verdict
def check_double(double: Student) -> str:
    values = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    same(answer(double, values), torch.tensor([[2.0, 4.0, 6.0], [8.0, 10.0, 12.0]]), "double(values)")
    return "every value doubled"


def unsolved(values):
    raise NotImplementedError


def in_place(values):
    values *= 2
    return values


def stops(values):
    return values @ values


@pytest.mark.parametrize(
    ("student", "said"),
    [
        (unsolved, "unsolved is not solved yet"),
        (lambda values: None, "not solved yet"),
        (lambda values: ..., "not solved yet"),
        (in_place, "in_place changes its argument number 1 in place"),
        (stops, "stops stopped with RuntimeError: .*line .*return values @ values"),
        (lambda: 1, "stopped with TypeError"),
        (7, "expected your function, got of type int"),
        (lambda values: values * 3, r"double\(values\) at \[1, 2\] is 18, expected 12: everything is 1.5 times"),
        (lambda values: values * 2 + 0.1 * (values == 5), r"at \[1, 1\] is 10.1, expected 10$"),
        (lambda values: (values * 2).T, r"shape \(3, 2\), expected \(2, 3\)"),
        (lambda values: values / 0, "not finite"),
        (lambda values: values.numpy() * 2, r"of type ndarray of shape \(2, 3\), expected a torch tensor of shape"),
        (lambda values: "twelve", "of type str, expected a torch tensor"),
    ],
)
def test_a_wrong_answer_is_told_in_words(student: Callable, said: str) -> None:
    check = check_double(student)
    assert not check.ok
    assert re.search(said, check.message), check.message
    assert repr(check) == f"✗ {check.message}"


def test_a_right_answer_passes_also_with_rounding_errors() -> None:
    check = check_double(lambda values: values * 2 + 1e-6)
    assert check == Check(True, "every value doubled")
    assert repr(check) == "✓ every value doubled"


def test_a_fault_of_the_check_itself_is_not_blamed_on_the_student() -> None:
    @verdict
    def check_broken(student: Student) -> str:
        raise KeyError("fault")

    with pytest.raises(KeyError):
        check_broken(unsolved)


def test_numbers_texts_and_tuples_are_compared_too() -> None:
    same(1 + 1e-9, 1.0, "x")
    same(np.float32(3), 3, "x")
    same(torch.tensor(2.0, requires_grad=True), 2.0, "x")
    same((2, 3), (2, 3), "shape")
    same("fire5", "fire5", "layer")
    for result, expected in [(1.1, 1.0), ((2, 3), (3, 2)), (np.zeros(2), (0, 0)), ([1.0, 2.0], 1.0), ("x", 1.0)]:
        with pytest.raises(Wrong):
            same(result, expected, "x")


def test_require_says_what_is_required() -> None:
    require(True, "more than one step")
    with pytest.raises(Wrong, match="more than one step"):
        require(False, "more than one step")


def test_random_tensors_repeat_with_their_seed() -> None:
    values = random_tensor((50, 20))
    assert (values.shape, values.dtype) == ((50, 20), torch.float32)
    assert values.min() >= 0
    assert values.max() < 1
    assert abs(values.mean() - 0.5) < 0.05
    torch.testing.assert_close(random_tensor((50, 20)), values, rtol=0, atol=0)
    assert not torch.equal(random_tensor((50, 20), 1), values)
