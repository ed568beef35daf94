"""What an operation of a net reads for one position of its output: a window, the same position, or more.

`receptive_field` and the speed-up of occlusion ask this. An operation is known only by its exact class or function: a
subclass may do something else in its forward, and a hook may change what a module gives.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from cnnlab.nets import Net, Normalize
from cnnlab.techniques.relu_rules import RuledReLU
from cnnlab.tracing import Operation

Pair = tuple[int, int]  # rows, columns
SLIDING: dict[Any, Any] = {
    nn.Conv2d: F.conv2d, nn.MaxPool2d: F.max_pool2d, nn.AvgPool2d: F.avg_pool2d, torch.max_pool2d: F.max_pool2d,
    F.conv2d: F.conv2d, F.max_pool2d: F.max_pool2d, F.avg_pool2d: F.avg_pool2d,
}  # fmt: skip
ARGUMENTS: dict[Any, str] = {
    F.conv2d: "input weight bias stride padding dilation groups",
    F.max_pool2d: "input kernel_size stride padding dilation ceil_mode return_indices",
    F.avg_pool2d: "input kernel_size stride padding ceil_mode count_include_pad divisor_override",
}
POINTWISE_MODULES = {
    nn.Identity, nn.BatchNorm2d, nn.Dropout, nn.Dropout2d, nn.ChannelShuffle, nn.LocalResponseNorm, RuledReLU,
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.CELU, nn.SELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish,
    nn.Hardsigmoid, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.Softplus, Normalize,
}  # fmt: skip
POINTWISE_NAMES = [
    "relu", "relu6", "leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish", "hardswish", "hardsigmoid",
    "hardtanh", "sigmoid", "tanh", "softplus", "dropout", "dropout2d", "local_response_norm", "add", "sub",
    "mul", "div", "truediv", "neg", "abs", "exp", "sqrt", "clamp", "clamp_min", "contiguous", "clone", "detach",
    "float", "pow",
]  # fmt: skip
METHODS = {name for name in POINTWISE_NAMES if hasattr(Tensor, name)}
FUNCTIONS = {getattr(home, name) for home in (torch, F, operator) for name in POINTWISE_NAMES if hasattr(home, name)}


@dataclass(frozen=True)
class Window:
    """What a convolution or pooling reads; all pairs are (rows, columns).

    Output o reads the inputs from o * stride - padding to o * stride - padding + reach - 1.

    Attributes:
        reach: the length of the window, with its holes if it is dilated.
        run: gives the outputs of windows that were cut out of the map, with its padding.
        outside: what the padding holds.
        exact: whether `run` gives the same numbers also at the border of the map.
    """

    reach: Pair
    stride: Pair
    padding: Pair
    run: Callable[[Tensor], Tensor]
    outside: float
    exact: bool


def window_of(operation: Operation, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Window | None:
    """The window of a convolution or pooling, a module or a function with its arguments; None for anything else."""
    function = SLIDING.get(kind(operation))
    if function is None:
        return None
    if isinstance(operation, nn.Module):
        given = {**vars(operation), **operation._parameters}
    else:
        given = _named(ARGUMENTS[function], args, kwargs)
    if given.get("padding_mode", "zeros") != "zeros" or given.get("return_indices"):
        return None
    if function is F.conv2d and not isinstance(given["weight"], Tensor):
        return None  # the weights depend on the image
    kernel = _pair(given["weight"].shape[2:] if function is F.conv2d else given["kernel_size"])
    stride = _pair(given.get("stride") or (1 if function is F.conv2d else kernel))
    dilation = _pair(given.get("dilation", 1))
    reach = (dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1)
    padding = given.get("padding", 0)
    if isinstance(padding, str):
        padding = [(length - 1) // 2 if padding == "same" else 0 for length in reach]
    if function is F.conv2d:
        run = partial(
            F.conv2d, weight=given["weight"], bias=given.get("bias"), stride=stride, dilation=dilation,
            groups=given.get("groups", 1),
        )  # fmt: skip
    elif function is F.max_pool2d:
        run = partial(F.max_pool2d, kernel_size=kernel, stride=stride, dilation=dilation)
    else:
        run = partial(F.avg_pool2d, kernel_size=kernel, stride=stride, divisor_override=given.get("divisor_override"))
    counted = given.get("count_include_pad", True) or not any(_pair(padding))
    exact = function is not F.avg_pool2d or (counted and not given.get("ceil_mode"))
    outside = -torch.inf if function is F.max_pool2d else 0.0
    return Window(reach, stride, _pair(padding), run, outside, exact)


def is_pointwise(operation: Operation) -> bool:
    """Whether each position of the output depends on the same position of the inputs alone."""
    if isinstance(operation, nn.BatchNorm2d) and (operation.training or operation.running_mean is None):
        return False  # it takes the mean over the positions
    if getattr(operation, "__module__", "") == "torchvision.ops.stochastic_depth":
        return True
    return operation in METHODS or operation in FUNCTIONS or kind(operation) in POINTWISE_MODULES


def is_global_average(operation: Operation, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether it is an adaptive average pooling to one position."""
    if operation is F.adaptive_avg_pool2d:
        return _named("input output_size", args, kwargs)["output_size"] in (1, (1, 1), [1, 1])
    return kind(operation) is nn.AdaptiveAvgPool2d and vars(operation)["output_size"] in (1, (1, 1))


def concatenates_channels(operation: Operation, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether it is `torch.cat(maps, dim=1)`."""
    return operation in (torch.cat, torch.concat) and (*args[1:], *kwargs.values())[-1:] in ((1,), (-3,))


def mixes_last_axis(operation: Operation, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether it is a dense layer or layer normalization over the last axis alone."""
    if operation is F.layer_norm:
        return len(_named("input normalized_shape", args, kwargs)["normalized_shape"]) == 1
    single = kind(operation) is nn.LayerNorm and len(vars(operation)["normalized_shape"]) == 1
    return single or operation is F.linear or kind(operation) is nn.Linear


def asks_for_a_size(node: fx.Node) -> bool:
    """Whether a node gives a shape or a number of axes, which do not depend on the values of the image."""
    return node.target in ("size", "dim") or (
        node.target is getattr and node.args[1] in ("shape", "ndim", "device", "dtype")
    )


def call_of(net: Net, node: fx.Node) -> Callable[..., Any]:
    """What gives the node's result when it is called with its arguments."""
    if node.op == "get_attr":
        return partial(operator.attrgetter(str(node.target)), net.model)
    if node.op == "placeholder":  # a further argument of the forward: its default
        return lambda default=None: default
    operation = net.graph.operation(node)
    if isinstance(operation, str):
        return lambda tensor, *args, **kwargs: getattr(tensor, operation)(*args, **kwargs)
    return operation


def kind(operation: Operation) -> Any:
    """The class of a module that does what its class says, or the function; None for any other module."""
    if not isinstance(operation, nn.Module):
        return operation
    changed = operation._forward_hooks or operation._forward_pre_hooks or "forward" in vars(operation)
    return None if changed else type(operation)


def _named(names: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a function by name; a built-in function cannot tell the names."""
    return {**dict(zip(names.split(), args, strict=False)), **kwargs}


def _pair(value: Any) -> Pair:
    """A number, or one for rows and one for columns."""
    rows, columns = (value, value) if isinstance(value, int) else value * 2 if len(value) == 1 else value
    return int(rows), int(columns)
