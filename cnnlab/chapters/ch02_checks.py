"""Checks of the exercises of chapter 02: layer sizes, confusion matrix, a step of SGD, dense layers as convolutions."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, nn

from cnnlab.teaching.checks import Student, answer, random_tensor, require, same, verdict


@verdict
def check_sizes(sizes: Student) -> str:
    """Check `sizes((C, H, W), layers)`: the shape after each layer, ("conv", filters, k) or ("pool", k)."""
    nets: list[tuple[tuple[int, int, int], list[tuple[Any, ...]]]] = [
        ((1, 28, 28), [("conv", 25, 3), ("pool", 2), ("conv", 50, 3), ("pool", 2)]),
        ((3, 37, 23), [("conv", 8, 5), ("conv", 4, 4), ("pool", 3), ("pool", 2), ("conv", 6, 1)]),
    ]
    for shape, layers in nets:
        x, expected = torch.zeros((1, *shape)), []
        for kind, *numbers in layers:
            if kind == "conv":
                x = F.conv2d(x, torch.zeros(numbers[0], x.shape[1], numbers[1], numbers[1]))
            else:
                x = F.max_pool2d(x, numbers[0])
            expected.append(tuple(x.shape[1:]))
        result = answer(sizes, shape, layers)
        require(isinstance(result, list), "sizes must return a list with one shape (C, H, W) per layer")
        for (kind, *numbers), found, right in zip(layers, result, expected, strict=False):
            same(tuple(found), right, f"for the input {shape}, the shape after {kind} {numbers}")
        same(len(result), len(layers), "the number of shapes")
    return "the shapes are PyTorch's, also where pooling leaves out a row"


@verdict
def check_confusion(confusion: Student) -> str:
    """Check `confusion(labels, found)`: (10, 10), how often each digit (row) was taken for each digit (column)."""
    generator = Generator().manual_seed(0)
    labels = torch.randint(10, (300,), generator=generator)
    found = torch.where(
        torch.rand(300, generator=generator) < 0.7, labels, torch.randint(10, (300,), generator=generator)
    )
    expected = torch.zeros(10, 10, dtype=torch.long)
    for label, other in zip(labels.tolist(), found.tolist(), strict=True):
        expected[label, other] += 1
    result = answer(confusion, labels, found)
    swapped = isinstance(result, torch.Tensor) and result.shape == (10, 10) and bool((result == expected.T).all())
    require(not swapped, "confusion has rows and columns swapped: a row is the true digit")
    same(result, expected, "confusion(labels, found)")
    few = answer(confusion, torch.tensor([3, 3, 3]), torch.tensor([5, 5, 3]))
    same(few[3].tolist(), [0, 0, 0, 1, 0, 2, 0, 0, 0, 0], "row 3 of confusion([3, 3, 3], [5, 5, 3])")
    return "there is a row per digit and a column per answer, and repeated mistakes are counted"


@verdict
def check_sgd_step(sgd_step: Student) -> str:
    """Check `sgd_step(chain, images, labels, rate)`: it moves each parameter by -rate * gradient.

    It returns the loss before the step.
    """
    generator = Generator().manual_seed(0)
    chain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 4 * 5, 10))
    images, labels = torch.rand((7, 1, 6, 7), generator=generator), torch.randint(10, (7,), generator=generator)
    reference = copy.deepcopy(chain)
    descent = torch.optim.SGD(reference.parameters(), lr=0.3)
    for number in ("first", "second"):  # the second step must not add the gradients of the first
        loss = F.cross_entropy(reference(images), labels)
        descent.zero_grad()
        loss.backward()
        descent.step()
        result = answer(sgd_step, chain, images, labels, 0.3)
        same(float(result), loss.item(), f"the loss of the {number} step")
        for (name, found), right in zip(chain.named_parameters(), reference.parameters(), strict=True):
            same(found.detach(), right.detach(), f"parameter {name} after the {number} step", tolerance=1e-4)
    return "after one step and after two, the parameters are those of torch.optim.SGD"


@verdict
def check_as_convolution(as_convolution: Student) -> str:
    """Check `as_convolution(dense, channels, h, w)`: the nn.Conv2d that computes what nn.Linear does after flatten."""
    dense = nn.Linear(3 * 4 * 5, 6)
    maps = random_tensor((2, 3, 4, 5))
    convolution = answer(as_convolution, dense, 3, 4, 5)
    require(isinstance(convolution, nn.Conv2d), "as_convolution must return an nn.Conv2d")
    same(tuple(convolution.weight.shape), (6, 3, 4, 5), "the shape of its weight")
    with torch.no_grad():
        same(convolution(maps), dense(maps.flatten(1))[..., None, None], "its output for maps (2, 3, 4, 5)")
        wide = torch.cat([maps, maps.flip(3)], dim=3)  # (2, 3, 4, 10)
        same(tuple(convolution(wide).shape), (2, 6, 1, 6), "the shape of its output for maps twice as wide")
    return "maps of the old size give the same numbers, and wider maps give a row of answers"
