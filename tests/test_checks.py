import importlib
import pkgutil
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch

from cnnlab import chapters
from cnnlab.teaching.checks import Check, Student, Wrong, random_tensor, refuse, require, same, verdict, within


@verdict("every value doubled")
def check_double(double: Student) -> None:
    values = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    same(double(values), torch.tensor([[2.0, 4.0, 6.0], [8.0, 10.0, 12.0]]), "double(values)")


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
        (7, "expected your function, .* got of type int"),
        (lambda values: values * 3, r"double\(values\) at \[1, 2\] is 18, expected 12: everything is 1.5 times"),
        (lambda values: values * 2 + 0.1 * (values == 5), r"at \[1, 1\] is 10.1, expected 10$"),
        (lambda values: (values * 2).T, r"shape \(3, 2\), expected \(2, 3\)"),
        (lambda values: values / 0, "not finite"),
        (
            lambda values: values.numpy() * 2,
            r"ndarray of shape \(2, 3\) and dtype float32, expected a torch tensor",
        ),
        (lambda values: "twelve", "of type str, expected a torch tensor"),
        (lambda values: values * 2j, "dtype complex64, expected a torch tensor of shape .* and dtype float32"),
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
    @verdict("never said")
    def check_broken(student: Student) -> None:
        raise KeyError("fault")

    with pytest.raises(KeyError):
        check_broken(unsolved)


CHECKS = {
    f"{module.name[:4]} {name}": check
    for module in pkgutil.iter_modules(chapters.__path__)
    if module.name.endswith("_checks")
    for name, check in vars(importlib.import_module(f"{chapters.__name__}.{module.name}")).items()
    if name.startswith("check_")
}
ODD = ["text", 7, -0.5, True, 2j, [], [1, "two"], [[1], [1, 2]], (), {}, {"key": 1}, {3}, object(), int, iter([1]), "7",
       float("nan"), np.array(["a"]), np.zeros((0, 3)), np.array([None]), np.full((2, 3), np.nan), torch.tensor(1),
       torch.zeros(0), torch.zeros(6), torch.zeros(2, 3, 12, 12), torch.ones(2, 2, dtype=torch.complex64),
       torch.ones(3, dtype=torch.bfloat16), [torch.zeros(2), torch.zeros(3)], torch.zeros(2, requires_grad=True),
       (torch.zeros(3, 4), "velocity"), torch.nn.Conv2d(3, 6, (4, 5), stride=3), torch.nn.Conv2d(1, 1, 1)]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS.keys())
def test_no_check_raises_or_accepts_an_answer_of_an_odd_type(check: Callable) -> None:
    for odd in ODD:
        result = check(lambda *arguments, odd=odd: odd)
        assert isinstance(result, Check)
        assert not result.ok, odd


def test_refuse_names_a_mistake_and_lets_anything_else_pass() -> None:
    wrong = torch.tensor([1.0, 2.0])
    for result, mistake in [
        (wrong + 1e-6, wrong),
        (wrong.numpy(), wrong.numpy()),
        (3.0, 3),
        ([1.0], [1.0]),
        ("a", "a"),
    ]:
        with pytest.raises(Wrong, match="^double it$"):
            refuse(result, mistake, "double it")
    for result in (wrong + 0.1, wrong[:1], wrong.numpy(), [1.0, 2.0], "text", None, object(), {}):
        refuse(result, wrong, "double it")


def test_within_wants_numbers_between_two_limits() -> None:
    within(torch.tensor([0.0, 1.0]), 0, 1, "clip")
    within(np.array(5.0), 0, torch.inf, "clip")
    for result in (torch.tensor([0.5, 1.1]), [-0.1], float("nan")):
        with pytest.raises(Wrong, match="^clip$"):
            within(result, 0, 1, "clip")
    with pytest.raises(Wrong, match="the result is of type str, expected numbers"):
        within("0.5", 0, 1, "clip")


def test_lists_and_dicts_must_not_be_changed() -> None:
    for argument, change in (([1, 2], lambda values: values.append(3)), ({1: 2}, lambda values: values.update({1: 3}))):

        def student(values, change=change):
            change(values)
            return 1.0

        result = verdict("fine")(lambda function, argument=argument: require(function(argument) == 1.0, "?"))(student)
        assert "student changes its argument number 1 in place" in result.message


def test_numbers_texts_and_tuples_are_compared_too() -> None:
    same(1 + 1e-9, 1.0, "x")
    same(np.float32(3), 3, "x")
    same(torch.tensor(2.0, requires_grad=True), 2.0, "x")
    same((2, 3), (2, 3), "shape")
    same("fire5", "fire5", "layer")
    same([[2, np.int64(3)], (4, torch.tensor(5))], [(2, 3), (4, 5)], "shapes")
    same([0.5, torch.tensor(0.25, requires_grad=True)], [0.5, 0.25], "scores")
    same(np.array([1.0, np.inf]), np.array([1.0, np.inf]), "distances")
    same(torch.tensor([True]), torch.tensor([True]), "answers")
    for result, expected in [
        (1.0, np.inf), (np.inf, 1.0), ([0.5], [0.5, 0.25]), (torch.tensor([1]), torch.tensor([True])), (1.1, 1.0),
        ((2, 3), (3, 2)), (np.zeros(2), (0, 0)), ([1.0, 2.0], 1.0), ("x", 1.0),
    ]:  # fmt: skip
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
