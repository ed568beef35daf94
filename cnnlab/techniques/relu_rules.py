"""Deconvnet and guided backprop: the backward pass with another rule at every ReLU. Chapter 05.

    value, projection = gradient(deconvnet(net), neuron("fire5", 12, y, x), image)

A deconvnet's projection is a gradient. Every other layer keeps its own backward pass: a convolution has the transposed
convolution, max pooling has its switches.
"""

import inspect
import warnings
from collections.abc import Callable, Collection
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnlab.nets import Net
from cnnlab.tracing import Operation

# A rule is the backward pass of a ReLU: (grad, x) -> grad, all of one shape. It takes the gradient with respect to the
# ReLU's output, and the ReLU's input x; it returns what the layer below receives.
Rule = Callable[[Tensor, Tensor], Tensor]
OTHER_ACTIVATIONS = {
    "ReLU6", "LeakyReLU", "PReLU", "RReLU", "ELU", "CELU", "SELU", "GELU", "SiLU", "Mish", "Hardswish",
    "relu6", "leaky_relu", "prelu", "rrelu", "elu", "celu", "selu", "gelu", "silu", "mish", "hardswish",
}  # fmt: skip


def backprop_rule(grad: Tensor, x: Tensor) -> Tensor:
    """Give the true gradient: it passes where the input was positive, grad * (x > 0)."""
    return torch.ops.aten.threshold_backward(grad, x, 0)  # ten times faster than torch.where(x > 0, grad, 0)


def deconvnet_rule(grad: Tensor, x: Tensor) -> Tensor:
    """Keep what is positive in the gradient, grad * (grad > 0) (Zeiler & Fergus 2014, section 2.1)."""
    return grad.clamp(min=0)


def guided_rule(grad: Tensor, x: Tensor) -> Tensor:
    """Apply both conditions, grad * (grad > 0) * (x > 0) (Springenberg et al. 2015, figure 1)."""
    return backprop_rule(deconvnet_rule(grad, x), x)


def redirected_rule(grad: Tensor, x: Tensor) -> Tensor:
    """Let the gradient through where the ReLU is on, or where a step would switch it on: (x > 0) or (grad < 0).

    A silent channel has the true gradient 0; under this rule at its own ReLU a run wakes it. A step goes against the
    gradient, so a negative one raises x. Source: Olah et al. 2017, "Feature visualization", note on ReLUs. Chapter 04.
    """
    return torch.where((x > 0) | (grad < 0), grad, 0)


def deconvnet(net: Net) -> Net:
    """A view of the net whose ReLUs take the deconvnet's rule (see `with_relu_rule`). Chapter 05."""
    return with_relu_rule(net, deconvnet_rule)


def guided(net: Net) -> Net:
    """A view of the net whose ReLUs take the rule of guided backprop (see `with_relu_rule`). Chapter 05."""
    return with_relu_rule(net, guided_rule)


def with_relu_rule(net: Net, rule: Rule, layers: Collection[str] = ()) -> Net:
    """A view of the net: another `Net` that shares the weights, and whose ReLUs take `rule` in the backward pass.

    Modules and functions take the rule; the forward pass does not change. The original net is not touched, so a panel's
    thread and a cell can use both at the same time. A view costs no memory for weights. It stays on the device where
    the net was: if you move the net afterwards, make a new view. Chapters 04 and 05.

    Args:
        net: a net with ReLUs.
        rule: `backprop_rule`, `deconvnet_rule`, `guided_rule`, `redirected_rule`, or your own (grad, x) -> grad.
        layers: only the ReLUs that are these layers, or lie inside them, take the rule ("fire9"); none named: all.

    Raises ValueError if there is no such ReLU, or one inside a part that could not be traced. Warns if there are other
    activation functions beside the ReLUs: they keep their own backward pass, as the papers say nothing of them.
    """
    ruled, others = 0, set()
    for layer in layers:
        net.graph.node(layer)  # raises the error that lists the layers

    def instead(place: str, operation: Operation) -> nn.Module | None:
        nonlocal ruled
        if layers and not any(f"{place}.".startswith(f"{layer}.") for layer in layers):
            return None
        name = operation if isinstance(operation, str) else getattr(operation, "__name__", type(operation).__name__)
        if isinstance(operation, nn.ReLU) or operation in (F.relu, torch.relu, "relu"):
            ruled += 1
            relu = RuledReLU(rule)
            if isinstance(operation, nn.Module):
                vars(relu).update({key: value for key, value in vars(operation).items() if "hook" in key})
            return relu
        if name in OTHER_ACTIVATIONS:
            others.add(name)
        elif isinstance(operation, nn.Module) and any(map(_may_use_relu, map(type, operation.modules()))):
            raise ValueError(f"net runs {name} as one layer, so a ReLU inside it cannot take a rule")
        return None

    view = net.with_operations(instead)
    if not ruled:
        raise ValueError(
            f"net has no ReLU {f'in {list(layers)} ' * bool(layers)}that could take a rule"
            f"{', but ' if others else ''}{', '.join(sorted(others))}"
        )
    if others:
        warnings.warn(
            f"{', '.join(sorted(others))} keep their own backward pass: the rule is one for ReLUs", stacklevel=2
        )
    return view


@cache
def _may_use_relu(module: Any) -> bool:
    """Whether a class of modules is a ReLU, or mentions ReLUs in its forward."""
    try:
        return issubclass(module, nn.ReLU) or "relu" in inspect.getsource(module.forward).lower()
    except (OSError, TypeError):  # its source is not at hand
        return False


class RuledReLU(nn.ReLU):
    """A ReLU with another backward pass, as `with_relu_rule` sets it."""

    def __init__(self, rule: Rule):
        super().__init__()
        self.rule = rule

    def forward(self, x: Tensor) -> Tensor:
        return _Ruled.apply(x, self.rule)


class _Ruled(torch.autograd.Function):
    """A ReLU whose backward pass is the rule."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, rule: Rule) -> Tensor:
        ctx.save_for_backward(x)
        ctx.rule = rule
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return ctx.rule(grad, x), None
