"""The checks of chapter 11 accept what is right and name likely mistakes."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from answers import assert_says

from cnnlab.chapters import ch11_checks as checks


def sizes(height, width, octaves, scale):
    return [(round(height / scale**k), round(width / scale**k)) for k in reversed(range(octaves))]


def carry_detail(small, dreamed, large):
    return (large + F.interpolate(dreamed - small, tuple(large.shape[-2:]), mode="bicubic")).clamp(0, 1)


def guide_gradient(activations, guide):
    rows = []
    for image in activations:  # by loops, unlike the check
        found = torch.empty_like(image)
        for y in range(image.shape[1]):
            for x in range(image.shape[2]):
                products = (guide[0] * image[:, y, x, None, None]).sum(0).flatten()
                found[:, y, x] = guide[0].flatten(1)[:, products.argmax()]
        rows.append(found)
    return torch.stack(rows)


def enlarged(dreamed, large):
    return F.interpolate(dreamed, tuple(large.shape[-2:]), mode="bicubic")


def step_by_step(height, width, octaves, scale):
    found = [(height, width)]
    for _ in range(octaves - 1):
        found.insert(0, (round(found[0][0] / scale), round(found[0][1] / scale)))
    return found


def grid_strength(added, period, centered=True):
    rows, columns = (size // period for size in added.shape[-2:])
    cut = added[..., : rows * period, : columns * period]
    cut = cut - centered * cut.mean((2, 3), keepdim=True)
    tiles = cut.unflatten(3, (columns, period)).unflatten(2, (rows, period))  # (B, C, rows, period, columns, period)
    return tiles.mean((2, 4)).square().mean((1, 2, 3)) / cut.square().mean((1, 2, 3))


def normalized_guide(activations, guide):
    features = guide[0].flatten(1)
    best = (F.normalize(features, dim=0).T @ activations.flatten(2)).argmax(1)
    return features[:, best].transpose(0, 1).reshape(activations.shape)


@pytest.mark.parametrize(
    ("check", "student", "said"),
    [
        (checks.check_sizes, sizes, None),
        (checks.check_sizes, lambda h, w, n, s: sizes(h, w, n, s)[::-1], "the smallest comes first"),
        (checks.check_sizes, lambda h, w, n, s: [(h / s**k, w / s**k) for k in range(n)][::-1], "use round"),
        (checks.check_sizes, lambda h, w, n, s: sizes(round(h / s), round(w / s), n, s), "the image's own"),
        (checks.check_sizes, step_by_step, "the rounding adds up"),
        (checks.check_sizes, lambda h, w, n, s: [1, 2, 3], "expected"),
        (checks.check_carry_detail, carry_detail, None),
        (checks.check_carry_detail, lambda a, b, c: carry_detail(a.double(), b.double(), c.double()), None),
        (checks.check_carry_detail, lambda a, b, c: enlarged(b, c).clamp(0, 1), "detail is lost"),
        (checks.check_carry_detail, lambda a, b, c: c + enlarged(b - a, c), r"left \[0, 1\]"),
        (checks.check_carry_detail, lambda a, b, c: carry_detail(b, a, c), "not the reverse"),
        (checks.check_carry_detail, lambda a, b, c: (c + enlarged(b - a, c).clamp(0, 1)).clamp(0, 1), "clip the sum"),
        (checks.check_guide_gradient, guide_gradient, None),
        (checks.check_guide_gradient, normalized_guide, "do not normalize"),
        (checks.check_grid_strength, grid_strength, None),
        (checks.check_grid_strength, lambda a, p: grid_strength(a, p, centered=False), "mean of each channel"),
        (checks.check_grid_strength, lambda a, p: grid_strength(a, p).sqrt(), "compare the squares"),
    ],
)
def test_right_answers_are_accepted_and_mistakes_named(check: Callable, student: Callable, said: str | None) -> None:
    assert_says(check, student, said)
