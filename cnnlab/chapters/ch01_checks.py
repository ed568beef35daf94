"""Checks of the exercises of chapter 01: output sizes, parameters, max pooling, convolution, a kernel of your own."""

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from cnnlab.teaching.checks import Student, numbers, random_tensor, refuse, require, same, verdict


@verdict("the size is right for every kernel, stride and padding, and rounded down")
def check_output_size(output_size: Student) -> None:
    """Check `output_size(size, kernel, stride, padding)`: the number of responses along one side."""
    for case in ((6, 3, 1, 0), (7, 3, 2, 0), (8, 3, 2, 0), (224, 3, 2, 0), (9, 5, 3, 2), (4, 4, 4, 0)):
        size, kernel, stride, padding = case
        line = F.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), stride=stride, padding=padding)
        same(output_size(*case), line.shape[-1], f"output_size{case}")


@verdict("weights and biases are counted; the size of the image does not matter")
def check_conv_parameters(conv_parameters: Student) -> None:
    """Check `conv_parameters(channels, filters, kernel)`: the number of weights and biases of a layer."""
    for case in ((1, 25, 3), (3, 64, 3), (3, 96, 7), (16, 5, 1)):
        expected = sum(parameter.numel() for parameter in torch.nn.Conv2d(*case).parameters())
        same(conv_parameters(*case), expected, f"conv_parameters{case}")


@verdict("each window gives its largest number, also where windows overlap")
def check_max_pool(max_pool: Student) -> None:
    """Check `max_pool(maps, size, stride)`: (C, H, W) -> (C, H', W')."""
    # All values lie below 0, so that zero padding is noticed; in 7 x 10 pixels some windows do not fit.
    maps = -1 - random_tensor((3, 7, 10))
    for size, stride in ((2, 2), (3, 3), (3, 2), (2, 1)):
        result = max_pool(maps.numpy(), size, stride)
        same(result, F.max_pool2d(maps, size, stride).numpy(), f"max_pool(maps of shape (3, 7, 10), {size}, {stride})")


@verdict("your result equals PyTorch's, for every stride and padding")
def check_conv2d(conv2d: Student) -> None:
    """Check `conv2d(image, filters, stride, padding)`: (C, H, W), (F, C, h, w) -> (F, H', W')."""
    for stride, padding, height, width in ((1, 0, 3, 3), (1, 1, 3, 3), (2, 0, 3, 3), (3, 2, 5, 3)):
        image, filters = random_tensor((3, 9, 12)).double(), random_tensor((4, 3, height, width), 1).double() - 0.5
        convolve = partial(F.conv2d, image, stride=stride, padding=padding)
        what = f"conv2d(image (3, 9, 12), filters {tuple(filters.shape)}, {stride}, {padding})"
        result = conv2d(image.numpy(), filters.numpy(), stride, padding)
        refuse(result, convolve(filters.flip(2, 3)).numpy(), f"{what} turns the kernels by 180°: nets do not do that")
        same(result, convolve(filters).numpy(), what)


@verdict("rising edges give the largest response, and even areas give 0")
def check_diagonal_kernel(diagonal_kernel: Student) -> None:
    """Check `diagonal_kernel()`: (3, 3), strongest where an edge rises to the right, and 0 on even areas."""
    kernel = numbers(diagonal_kernel(), "the kernel")
    require(kernel.shape == (3, 3), f"the kernel has the shape {kernel.shape}, expected (3, 3)")
    require(abs(kernel.sum()) < 1e-6, f"an even area must give 0, but the numbers sum to {kernel.sum():.3g}")
    y, x = np.mgrid[:9, :9] - 4
    strongest = {}
    for name, edge in {"rising": x + y > 0, "falling": x - y > 0, "vertical": x > 0, "horizontal": y > 0}.items():
        strongest[name] = np.abs((sliding_window_view(edge, (3, 3)) * kernel).sum(axis=(2, 3))).max()
    found = "strongest responses to edges: " + ", ".join(f"{name} {value:.3g}" for name, value in strongest.items())
    rising = strongest.pop("rising")
    require(rising > 1.2 * max(strongest.values()), f"rising edges must clearly give the largest response; {found}")
