"""Checks of the exercises of chapter 01: multiplications, convolution, pooling, holes, a kernel, a measurement."""

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.stride_tricks import sliding_window_view

from cnnlab.teaching.checks import Student, numbers, random_tensor, refuse, require, same, verdict


@verdict("every product is counted, whatever the stride and the padding")
def check_multiplications(multiplications: Student) -> None:
    """Check `multiplications(channels, filters, kernel, size, stride, padding)` of one layer for one square picture."""
    for case in ((1, 2, 3, 6, 1, 0), (3, 64, 3, 224, 2, 0), (16, 5, 1, 8, 3, 0), (2, 4, 5, 9, 3, 2)):
        channels, filters, kernel, size, stride, padding = case
        side = (size + 2 * padding - kernel) // stride + 1
        expected = filters * side**2 * channels * kernel**2
        result, what = multiplications(*case), f"{multiplications}{case}"
        if channels > 1:
            refuse(result, expected // channels, f"{what}: a filter has a kernel for each of the {channels} channels")
        if side > 1:
            refuse(result, expected // side, f"{what}: there are {side} responses in a row, and {side} rows")
        refuse(result, expected + filters * side**2, f"{what}: a bias is added, not multiplied")
        if side != size:
            refuse(result, expected // side**2 * size**2, f"{what}: with this window, stride and padding fewer fit")
        same(result, expected, what)


@verdict("your result equals PyTorch's, for every stride and padding")
def check_conv2d(strided_conv2d: Student) -> None:
    """Check `strided_conv2d(image, filters, stride, padding)`: (C, H, W), (F, C, h, w) -> (F, H', W')."""
    for stride, padding, height, width in ((1, 0, 3, 3), (1, 1, 3, 3), (2, 0, 3, 3), (3, 2, 5, 3)):
        image, filters = random_tensor((3, 9, 12)).double(), random_tensor((4, 3, height, width), 1).double() - 0.5
        convolve = partial(F.conv2d, image, stride=stride, padding=padding)
        what = f"{strided_conv2d}(image (3, 9, 12), filters {tuple(filters.shape)}, {stride}, {padding})"
        result = strided_conv2d(image.numpy(), filters.numpy(), stride, padding)
        refuse(result, convolve(filters.flip(2, 3)).numpy(), f"{what} turns the kernels by 180°: nets do not do that")
        if padding:
            replicated = F.conv2d(F.pad(image, (padding,) * 4, mode="replicate"), filters, stride=stride)
            refuse(result, replicated.numpy(), f"{what} repeats the edge: the frame is made of zeros")
        same(result, convolve(filters).numpy(), what)


@verdict("each window gives its largest number, also where windows overlap")
def check_max_pool(max_pool: Student) -> None:
    """Check `max_pool(maps, size, stride)`: (C, H, W) -> (C, H', W')."""
    # All values lie below 0, so that zero padding is noticed; in 7 x 10 pixels some windows do not fit.
    maps = -1 - random_tensor((3, 7, 10))
    for size, stride in ((2, 2), (3, 3), (3, 2), (2, 1)):
        what = f"{max_pool}(maps of shape (3, 7, 10), {size}, {stride})"
        result = max_pool(maps.numpy(), size, stride)
        if stride != size:
            refuse(result, F.max_pool2d(maps, size).numpy(), f"{what}: the windows are {stride} apart, not {size}")
        refuse(result, F.avg_pool2d(maps, size, stride).numpy(), f"{what} averages: it must take the largest number")
        same(result, F.max_pool2d(maps, size, stride).numpy(), what)


@verdict("the weights stand apart as they should, in both directions")
def check_dilated(dilated: Student) -> None:
    """Check `dilated(image, kernel, dilation)`: (H, W), (h, w) -> (H', W')."""
    image = random_tensor((12, 15)).double()
    for dilation, shape in ((1, (3, 3)), (2, (3, 3)), (4, (3, 2)), (3, (2, 4))):
        kernel = random_tensor(shape, dilation).double() - 0.5
        convolve = partial(F.conv2d, image[None, None], weight=kernel[None, None])
        what = f"{dilated}(image (12, 15), kernel {shape}, {dilation})"
        result = dilated(image.numpy(), kernel.numpy(), dilation)
        if dilation > 1:
            strided = convolve(stride=dilation)[0, 0].numpy()
            refuse(result, strided, f"{what} is a stride: the window moves by 1, and its weights stand apart")
            narrow = convolve(dilation=dilation - 1)[0, 0].numpy()
            refuse(
                result, narrow, f"{what}: neighboring weights are {dilation} pixels apart, with {dilation - 1} between"
            )
        same(result, convolve(dilation=dilation)[0, 0].numpy(), what)


@verdict("rising edges give the largest response, and even areas give 0")
def check_diagonal_kernel(diagonal_kernel: Student) -> None:
    """Check `diagonal_kernel()`: (3, 3), strongest where an edge rises to the right, and 0 on even areas."""
    kernel = numbers(diagonal_kernel(), f"{diagonal_kernel}()")
    require(kernel.shape == (3, 3), f"{diagonal_kernel}() has the shape {kernel.shape}, expected (3, 3)")
    require(np.isfinite(kernel).all(), f"{diagonal_kernel}() has values that are not finite (NaN or infinity)")
    require(abs(kernel.sum()) < 1e-6, f"an even area must give 0, but the numbers sum to {kernel.sum():.3g}")
    y, x = np.mgrid[:9, :9] - 4
    strongest = {}
    for name, edge in {"rising": x + y > 0, "falling": x - y > 0, "vertical": x > 0, "horizontal": y > 0}.items():
        strongest[name] = np.abs((sliding_window_view(edge, (3, 3)) * kernel).sum(axis=(2, 3))).max()
    found = "strongest responses to edges: " + ", ".join(f"{name} {value:.3g}" for name, value in strongest.items())
    rising = strongest.pop("rising")
    require(rising > 1.2 * max(strongest.values()), f"rising edges must clearly give the largest response; {found}")


@verdict("your measurement is right: it is 0 where a shift changes nothing, and has no unit")
def check_shift_sensitivity(shift_sensitivity: Student) -> None:
    """Check `shift_sensitivity(image, window)`: the change by a shift of one pixel, as a share of the contrast."""
    columns = np.tile(np.arange(40.0)[:, None], 57)
    same(shift_sensitivity(columns, 4), 0.0, f"{shift_sensitivity}(57 equal columns, 4)")
    image = random_tensor((1, 43, 57)).double() + torch.linspace(0, 2, 57)
    for window in (5, 1, 8, 16):
        average, own_stride, largest = (
            [pool(image[..., :-1]), pool(image[..., 1:])]
            for pool in (
                partial(F.avg_pool2d, kernel_size=window, stride=8), partial(F.avg_pool2d, kernel_size=window),
                partial(F.max_pool2d, kernel_size=window, stride=8),
            )
        )  # fmt: skip
        what = f"{shift_sensitivity}(image (43, 57), {window})"
        result = shift_sensitivity(image[0].numpy(), window)
        if window not in (1, 8):
            refuse(result, _change(*own_stride), f"{what}: the stride stays 8, whatever the window")
        if window > 1:
            refuse(result, _change(*largest), f"{what}: take the average of the window, not its maximum")
        change, (here, there) = _change(*average), average
        length = float((there - here).norm())
        refuse(result, length / float(here.norm()), f"{what}: for the contrast, subtract the mean first")
        refuse(result, length, f"{what}: divide by the contrast, so that the number has no unit")
        refuse(result, change**2, f"{what}: take the root of the sums of squares")
        same(result, change, what)


def _change(here: torch.Tensor, there: torch.Tensor) -> float:
    return float((there - here).norm() / (here - here.mean()).norm())
