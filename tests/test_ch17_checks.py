"""The checks of chapter 17 name likely mistakes. (test_exercises.py: they accept the solutions.)"""

import copy

import pytest
import torch
import torch.nn.functional as F
from answers import assert_says

from cnnlab.chapters import ch17_checks as checks


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda array: torch.from_numpy(array).permute(2, 0, 1)[None] / 255, "red and blue are exchanged"),
        (lambda array: torch.from_numpy(array).permute(2, 0, 1).flip(0)[None].float(), r"must lie in \[0, 1\]"),
        (lambda array: torch.from_numpy(array).permute(2, 0, 1).flip(0) / 255, "axis of the batch"),
        (lambda array: torch.from_numpy(array).flip(2)[None] / 255, "has the shape"),
    ],
)
def test_pictures_of_another_form_are_refused(wrong, said) -> None:
    assert_says(checks.check_to_image, wrong, said)


def test_a_folded_norm_needs_eps_and_the_divided_mean() -> None:
    def without_eps(weight, scale, shift, mean, variance, eps):
        factor = scale / variance.sqrt()
        return weight * factor.view(-1, 1, 1, 1), shift - mean * factor

    def plain_mean(weight, scale, shift, mean, variance, eps):
        factor = scale / (variance + eps).sqrt()
        return weight * factor.view(-1, 1, 1, 1), shift - mean * scale

    assert_says(checks.check_folded, without_eps, "eps is missing")
    assert_says(checks.check_folded, plain_mean, "the mean is divided")
    assert_says(checks.check_folded, lambda *arguments: arguments[0], "must return two")


@pytest.mark.parametrize(
    ("plus", "top", "last", "said"),
    [
        (0, 6, torch.inf, "the input is missing"),
        (1, torch.inf, torch.inf, "ends at 6"),
        (1, 6, 6, "no ReLU behind the last"),
        (1, 6, torch.inf, None),
    ],
)
def test_blocks_that_are_no_inverted_residuals_are_refused(plus, top, last, said) -> None:
    def block(x, expand, depthwise, project):
        wide = F.conv2d(x, expand).clamp(0, top)
        wide = F.conv2d(wide, depthwise, padding=depthwise.shape[-1] // 2, groups=len(depthwise)).clamp(0, top)
        result = plus * x + F.conv2d(wide, project)
        return result if last == torch.inf else result.clamp(0, last)

    assert_says(checks.check_inverted_residual, block, said)


def test_train_mode_must_be_train_mode_and_leave_the_model_alone() -> None:
    def share_right(model, images, labels, batch):
        with torch.no_grad():
            return (torch.cat([model(part) for part in images.split(batch)]).argmax(1) == labels).float().mean().item()

    def on_the_model(model, *rest):
        return share_right(model.train(), *rest)

    def on_a_shallow_copy(model, *rest):
        careless = copy.deepcopy(model).train()
        careless.norm.running_mean = model.norm.running_mean  # shared: it is changed in place
        return share_right(careless, *rest)

    assert_says(checks.check_train_mode_accuracy, share_right, "in eval mode")
    assert_says(checks.check_train_mode_accuracy, on_the_model, "the model was changed")
    assert_says(checks.check_train_mode_accuracy, on_a_shallow_copy, "the model was changed")
    assert_says(checks.check_train_mode_accuracy, lambda m, *rest: share_right(copy.deepcopy(m).train(), *rest), None)
