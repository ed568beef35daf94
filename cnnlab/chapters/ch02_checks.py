"""Checks of the exercises of chapter 02: sizes, confusion, backward passes, a dense layer as convolution, a curve."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, nn

from cnnlab.teaching.checks import Student, answer, random_tensor, refuse, require, same, verdict
from cnnlab.training import Examples


@verdict("the shapes are PyTorch's, also where pooling leaves out a row")
def check_sizes(sizes: Student) -> None:
    """Check `sizes((C, H, W), layers)`: the shape after each layer, ("conv", filters, k) or ("pool", k)."""
    nets: list[tuple[tuple[int, int, int], list[tuple[Any, ...]]]] = [
        ((1, 28, 28), [("conv", 25, 3), ("pool", 2), ("conv", 50, 3), ("pool", 2)]),
        ((3, 37, 23), [("conv", 8, 5), ("conv", 4, 4), ("pool", 3), ("pool", 2), ("conv", 6, 1)]),
    ]
    for shape, layers in nets:
        result = sizes(shape, layers)
        require(isinstance(result, list), f"{sizes} must return a list with one shape (C, H, W) per layer")
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
    refuse(result, expected.T, f"{confusion} has rows and columns swapped: a row is the true digit")
    refuse(
        result,
        expected.clamp(max=1),
        "m[labels, found] += 1 counts a pair that comes twice only once: add 1 for each image",
    )
    same(result, expected, f"{confusion}(labels, found)")


@verdict("each gradient goes to the position of the maximum, and nowhere else")
def check_pool_backward(pool_backward: Student) -> None:
    """Check `pool_backward(maps, grad)`: (C, H, W), (C, H / 2, W / 2) -> the gradient at the maps, (C, H, W)."""
    maps, grad = random_tensor((2, 4, 6)) - 0.5, random_tensor((2, 2, 3), 1) + 1
    wanted = maps.clone().requires_grad_()
    pooled = F.max_pool2d(wanted, 2)
    (expected,) = torch.autograd.grad(pooled, wanted, grad)
    result, what = pool_backward(maps, grad), f"{pool_backward}(maps (2, 4, 6), grad (2, 2, 3))"
    spread = grad.repeat_interleave(2, 1).repeat_interleave(2, 2)
    refuse(result, spread / 4, f"{what} shares each gradient among four positions: that is average pooling")
    refuse(result, spread, f"{what} gives the gradient to all four positions: only the maximum gets it")
    refuse(result, maps * (expected != 0), f"{what} gives the maxima themselves: put the gradients there")
    same(result, expected, what)


@verdict("your gradient is that of autograd, for every height and width")
def check_conv_backward(conv_backward: Student) -> None:
    """Check `conv_backward(grad, kernel)`: (h, w), (k, k) -> the gradient at the image, (h + k - 1, w + k - 1)."""
    for k, height, width in ((3, 4, 6), (5, 7, 3), (1, 2, 4)):
        grad, kernel = random_tensor((height, width)) - 0.5, random_tensor((k, k), 1) - 0.5
        image = torch.zeros(1, 1, height + k - 1, width + k - 1, requires_grad=True)
        (expected,) = torch.autograd.grad(F.conv2d(image, kernel[None, None]), image, grad[None, None])
        result, what = conv_backward(grad, kernel), f"{conv_backward}(grad {height, width}, kernel {k, k})"
        if k > 1:
            padded = F.pad(grad[None, None], (k - 1,) * 4)
            refuse(result, F.conv2d(padded, kernel[None, None])[0, 0], f"{what} does not flip the kernel")
        same(result, expected[0, 0], what)


@verdict("maps of the old size give the same numbers, and wider maps give a row of answers")
def check_as_convolution(as_convolution: Student) -> None:
    """Check `as_convolution(dense, channels, h, w)`: the nn.Conv2d that computes what nn.Linear does after flatten."""
    dense, maps = nn.Linear(3 * 4 * 5, 6), random_tensor((2, 3, 4, 5))
    convolution = as_convolution(dense, 3, 4, 5)
    require(isinstance(convolution, nn.Conv2d), f"{as_convolution} must return an nn.Conv2d")
    convolution.float()  # float64 weights are right, too
    same(tuple(convolution.weight.shape), (6, 3, 4, 5), "the shape of its weight")
    same(answer(convolution, maps), dense(maps.flatten(1))[..., None, None], "its output for maps (2, 3, 4, 5)")
    wide = answer(convolution, torch.cat([maps, maps.flip(3)], dim=3))  # of maps (2, 3, 4, 10)
    same(tuple(wide.shape), (2, 6, 1, 6), "the shape of its output for maps twice as wide")


@verdict("each net learns from the first digits, and all nets see equally many")
def check_learning_curve(learning_curve: Student) -> None:
    """Check `learning_curve(train, counts, learn)`: count -> learn(first `count` digits, 28,000 / count)."""
    train = Examples(random_tensor((60, 1, 2, 2)), torch.arange(60))
    asked = []

    def learn(examples: Any, epochs: Any) -> float:
        asked.append((torch.as_tensor(examples.labels).tolist(), examples.images, epochs))
        return len(examples.labels) / 100

    result = learning_curve(train, [10, 40], learn)
    same(result, {10: 0.1, 40: 0.4}, f"{learning_curve}(train, [10, 40], learn) with a learn that gives count / 100")
    require(len(asked) == 2, f"learn was called {len(asked)} times for two counts")
    for count, (labels, images, epochs) in zip((10, 40), asked, strict=True):
        require(labels == list(range(count)), f"for {count} digits, learn must get the first {count} labels")
        same(images, train.images[:count], f"the images that learn gets for {count} digits")
        refuse(epochs, 8, "8 epochs of fewer digits are fewer steps: then you change two things, digits and steps")
        same(epochs, 28_000 // count, f"the number of epochs for {count} digits")
