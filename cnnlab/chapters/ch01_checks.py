"""Checks of the exercises of chapter 01: output sizes, parameters, max pooling, convolution, a kernel of your own."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from cnnlab.teaching.checks import Student, Wrong, answer, random_tensor, require, same, verdict


@verdict
def check_output_size(output_size: Student) -> str:
    """Check `output_size(size, kernel, stride, padding)`: the number of responses along one side."""
    for case in ((6, 3, 1, 0), (7, 3, 2, 0), (8, 3, 2, 0), (224, 3, 2, 0), (9, 5, 3, 2), (4, 4, 4, 0)):
        size, kernel, stride, padding = case
        line = F.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), stride=stride, padding=padding)
        same(answer(output_size, *case), line.shape[-1], f"output_size{case}")
    return "the size is right for every kernel, stride and padding, and rounded down"


@verdict
def check_conv_parameters(conv_parameters: Student) -> str:
    """Check `conv_parameters(channels, filters, kernel)`: the number of weights and biases of a layer."""
    for case in ((1, 25, 3), (3, 64, 3), (3, 96, 7), (16, 5, 1)):
        expected = sum(parameter.numel() for parameter in torch.nn.Conv2d(*case).parameters())
        same(answer(conv_parameters, *case), expected, f"conv_parameters{case}")
    return "weights and biases are counted; the size of the image does not matter"


@verdict
def check_max_pool(max_pool: Student) -> str:
    """Check `max_pool(maps, size, stride)`: (C, H, W) -> (C, H', W')."""
    # All values lie below 0, so that zero padding is noticed; in 7 x 10 pixels some windows do not fit.
    maps = -1 - random_tensor((3, 7, 10))
    for size, stride in ((2, 2), (3, 3), (3, 2), (2, 1)):
        result = answer(max_pool, maps.numpy(), size, stride)
        same(result, F.max_pool2d(maps, size, stride).numpy(), f"max_pool(maps of shape (3, 7, 10), {size}, {stride})")
    return "each window gives its largest number, also where windows overlap"


@verdict
def check_conv2d(conv2d: Student) -> str:
    """Check `conv2d(image, filters, stride, padding)`: (C, H, W), (F, C, h, w) -> (F, H', W')."""
    generator = np.random.default_rng(0)
    for stride, padding, height, width in ((1, 0, 3, 3), (1, 1, 3, 3), (2, 0, 3, 3), (3, 2, 5, 3)):
        image, filters = generator.normal(size=(3, 9, 12)), generator.normal(size=(4, 3, height, width))
        expected, turned = (
            F.conv2d(torch.tensor(image)[None], weights, stride=stride, padding=padding)[0].numpy()
            for weights in (torch.tensor(filters), torch.tensor(filters).flip(2, 3))
        )
        what = f"conv2d(image {image.shape}, filters {filters.shape}, {stride}, {padding})"
        result = answer(conv2d, image, filters, stride, padding)
        if np.shape(result) == turned.shape and np.allclose(result, turned):
            raise Wrong(f"{what} turns the kernels by 180°: nets do not do that")
        same(result, expected, what)
    return "your result equals PyTorch's, for every stride and padding"


@verdict
def check_diagonal_kernel(diagonal_kernel: Student) -> str:
    """Check `diagonal_kernel()`: (3, 3), strongest where an edge rises to the right, and 0 on even areas."""
    kernel = np.asarray(answer(diagonal_kernel), dtype=float)
    require(kernel.shape == (3, 3), f"the kernel has the shape {kernel.shape}, expected (3, 3)")
    require(abs(kernel.sum()) < 1e-6, f"an even area must give 0, but the numbers sum to {kernel.sum():.3g}")
    y, x = np.mgrid[:9, :9] - 4
    edges = {"rising": x + y > 0, "falling": x - y > 0, "vertical": x > 0, "horizontal": y > 0}
    strongest = {
        name: float(np.abs((sliding_window_view(edge, (3, 3)) * kernel).sum(axis=(2, 3))).max())
        for name, edge in edges.items()
    }
    found = "strongest responses to edges: " + ", ".join(f"{name} {value:.3g}" for name, value in strongest.items())
    rising = strongest.pop("rising")
    require(rising > 1.2 * max(strongest.values()), f"rising edges should win clearly; {found}")
    return found
