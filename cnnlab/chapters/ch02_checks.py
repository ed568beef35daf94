"""Checks of the exercises of chapter 02: layer sizes, confusion matrix, a step of SGD, dense layers as convolutions."""

from copy import deepcopy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from cnnlab.teaching.checks import Student, answer, random_tensor, refuse, require, same, verdict


@verdict("the shapes are PyTorch's, also where pooling leaves out a row")
def check_sizes(sizes: Student) -> None:
    """Check `sizes((C, H, W), layers)`: the shape after each layer, ("conv", filters, k) or ("pool", k)."""
    nets: list[tuple[tuple[int, int, int], list[tuple[Any, ...]]]] = [
        ((1, 28, 28), [("conv", 25, 3), ("pool", 2), ("conv", 50, 3), ("pool", 2)]),
        ((3, 37, 23), [("conv", 8, 5), ("conv", 4, 4), ("pool", 3), ("pool", 2), ("conv", 6, 1)]),
    ]
    for shape, layers in nets:
        result = sizes(shape, layers)
        require(isinstance(result, list), "sizes must return a list with one shape (C, H, W) per layer")
        x = torch.zeros(shape)
        for (kind, *numbers), found in zip(layers, result, strict=False):
            x = (nn.Conv2d(x.shape[0], *numbers) if kind == "conv" else nn.MaxPool2d(*numbers))(x)
            same(found, tuple(x.shape), f"for the input {shape}, the shape after {kind} {numbers}")
        same(len(result), len(layers), "the number of shapes")


@verdict("there is a row per digit and a column per answer, and repeated mistakes are counted")
def check_confusion(confusion: Student) -> None:
    """Check `confusion(labels, found)`: (10, 10), how often each digit (row) was taken for each digit (column)."""
    labels, found = torch.randint(10, (2, 300), generator=Generator().manual_seed(0))
    expected = torch.bincount(10 * labels + found, minlength=100).view(10, 10)
    result = confusion(labels, found)
    refuse(result, expected.T, "confusion has rows and columns swapped: a row is the true digit")
    refuse(result, expected.clamp(max=1), "confusion counts a repeated answer only once: add 1 for each image")
    same(result, expected, "confusion(labels, found)")


def trained(chain: nn.Module, images: Tensor, labels: Tensor, rate: float) -> tuple[float, dict[str, Tensor]]:
    """Return the loss of a chain, and what its parameters are after a step of SGD; the chain is not changed."""
    stepped = deepcopy(chain)
    loss = F.cross_entropy(stepped(images), labels)
    loss.backward()
    torch.optim.SGD(stepped.parameters(), lr=rate).step()
    return loss.item(), dict(stepped.named_parameters())


@verdict("after one step and after two, the parameters are those of torch.optim.SGD")
def check_sgd_step(sgd_step: Student) -> None:
    """Check `sgd_step(chain, images, labels, rate)`: parameters move by -rate * gradient; returns the loss before."""
    chain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 4 * 5, 10))
    images, labels = random_tensor((7, 1, 6, 7)), torch.tensor([3, 0, 9, 3, 7, 1, 5])
    for number in ("first", "second"):  # the second step must not add the gradients of the first
        loss, expected = trained(chain, images, labels, 0.3)
        same(sgd_step(chain, images, labels, 0.3), loss, f"the loss of the {number} step")
        for name, parameter in chain.named_parameters():
            same(parameter, expected[name], f"parameter {name} after the {number} step", tolerance=1e-4)


@verdict("maps of the old size give the same numbers, and wider maps give a row of answers")
def check_as_convolution(as_convolution: Student) -> None:
    """Check `as_convolution(dense, channels, h, w)`: the nn.Conv2d that computes what nn.Linear does after flatten."""
    dense, maps = nn.Linear(3 * 4 * 5, 6), random_tensor((2, 3, 4, 5))
    convolution = as_convolution(dense, 3, 4, 5)
    require(isinstance(convolution, nn.Conv2d), "as_convolution must return an nn.Conv2d")
    same(tuple(convolution.weight.shape), (6, 3, 4, 5), "the shape of its weight")
    same(answer(convolution, maps), dense(maps.flatten(1))[..., None, None], "its output for maps (2, 3, 4, 5)")
    wide = answer(convolution, torch.cat([maps, maps.flip(3)], dim=3))  # of maps (2, 3, 4, 10)
    same(tuple(wide.shape), (2, 6, 1, 6), "the shape of its output for maps twice as wide")
