import re
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch

from cnnlab.teaching.checks import (
    Check,
    Student,
    Wrong,
    alike,
    random_tensor,
    refuse,
    require,
    same,
    tensor_of,
    verdict,
    within,
)


@verdict("every value doubled")
def check_double(double: Student) -> None:
    values = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    same(double(values), torch.tensor([[2.0, 4.0, 6.0], [8.0, 10.0, 12.0]]), f"{double}(values)")


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
        (lambda values: values * 3, r"^<lambda>\(values\) at \[1, 2\] is 18, expected 12: everything is 1.5 times"),
        (lambda values: values * 2 + 0.1 * (values == 5), r"at \[1, 1\] is 10.1, expected 10$"),
        (lambda values: (values * 2).T, r"shape \(3, 2\), expected \(2, 3\)"),
        (lambda values: values / 0, "not finite"),
        (
            lambda values: values.numpy() * 2,
            r"a NumPy array of shape \(2, 3\) and dtype float32, expected a torch tensor",
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


def test_a_result_may_have_any_precision_and_a_graph() -> None:
    for change in (torch.Tensor.double, torch.Tensor.bfloat16, torch.Tensor.requires_grad_):
        assert check_double(lambda values, change=change: change(values * 2)).ok


def test_a_text_has_the_students_own_name_for_the_function() -> None:
    def my_double(values):
        return values

    assert check_double(my_double).message.startswith("my_double(values) at ")
    assert check_double(torch.nn.Identity()).message.startswith("your function(values) at ")


def test_a_fault_of_the_check_itself_is_not_blamed_on_the_student() -> None:
    @verdict("never said")
    def check_broken(student: Student) -> None:
        raise KeyError("fault")

    with pytest.raises(KeyError):
        check_broken(unsolved)


def test_a_check_that_stops_at_a_result_says_so() -> None:
    @verdict("never said")
    def check_first(first: Student) -> None:
        require(first(1)[0] == 1, "the first number is 1")

    def seven(number):
        return 7

    said = "the check does not understand the result of seven: it is of type int (TypeError)"
    assert check_first(seven) == Check(False, said)


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


def test_alike_compares_kind_shape_and_values() -> None:
    values = random_tensor((2, 3))
    assert alike(values.double() + 1e-6, values)
    for other in (values.T, values[:1], values.numpy(), values + 0.1, values.tolist(), None, "text"):
        assert not alike(values, other)
        assert not alike(other, values)


def test_tensor_of_wants_a_tensor_of_a_shape() -> None:
    found = tensor_of((2, 3), random_tensor((2, 3)).requires_grad_(), "the image")
    assert (found.dtype, found.requires_grad) == (torch.float64, False)
    for result, said in [
        (
            torch.zeros(3, 2),
            r"the image is a torch tensor of shape \(3, 2\) .*, expected a torch tensor of shape \(2, 3\)$",
        ),
        (torch.zeros(2, 3, dtype=torch.complex64), "dtype complex64, expected a torch tensor"),
        (np.zeros((2, 3)), "the image is a NumPy array of shape"),
        (None, "the image is of type NoneType"),
    ]:
        with pytest.raises(Wrong, match=said):
            tensor_of((2, 3), result, "the image")


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
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # float() of a tensor that has a graph warns
        same(torch.tensor(2.0, requires_grad=True), 2.0, "x")
    same(torch.ones(2), torch.nn.Parameter(torch.ones(2)), "x")
    same((2, 3), (2, 3), "shape")
    same("fire5", "fire5", "layer")
    same([[2, np.int64(3)], (4, torch.tensor(5))], [(2, 3), (4, 5)], "shapes")
    same([0.5, torch.tensor(0.25, requires_grad=True)], [0.5, 0.25], "scores")
    same({10: np.float32(0.1), 40: torch.tensor(0.4)}, {10: 0.1, 40: 0.4}, "a dict's values are rounded, too")
    same((torch.ones(2).double(), "relu"), (torch.ones(2), "relu"), "a tuple's parts")
    same(np.array([1.0, np.inf]), np.array([1.0, np.inf]), "distances")
    same(torch.tensor([True]), torch.tensor([True]), "answers")
    for result, expected in [
        (1.0, np.inf), (np.inf, 1.0), ([0.5], [0.5, 0.25]), (torch.tensor([1]), torch.tensor([True])), (1.1, 1.0),
        ((2, 3), (3, 2)), (np.zeros(2), (0, 0)), ([1.0, 2.0], 1.0), ("x", 1.0), ((1, 2, 3), (1, 2)),
        ({1: 0.5}, {1: 0.6}), ({2: 0.5}, {1: 0.5}), ([0.5], {1: 0.5}), (torch.eye(2).to_sparse(), {}),
        ((torch.ones(2), 1), (torch.zeros(2), 1)),
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
