"""Deconvnet and guided backprop: the backward pass with another rule at every ReLU. Chapter 05.

    value, projection = gradient(deconvnet(net), neuron("fire5", 12, y, x), image)

A deconvnet's projection is a gradient. Every other layer keeps its own backward pass: a convolution has the transposed
convolution, max pooling has its switches.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from cnnlab.nets import Net

# A rule is the backward pass of a ReLU: (grad, x) -> grad, all of one shape. It takes the gradient with respect to the
# ReLU's output, and the ReLU's input x; it returns what the layer below receives.
Rule = Callable[[Tensor, Tensor], Tensor]


def backprop_rule(grad: Tensor, x: Tensor) -> Tensor:
    """Give the true gradient: it passes where the input was positive, grad * (x > 0)."""
    return torch.ops.aten.threshold_backward(grad, x, 0)  # ten times faster than torch.where(x > 0, grad, 0)


def deconvnet_rule(grad: Tensor, x: Tensor) -> Tensor:
    """Keep what is positive in the gradient, grad * (grad > 0) (Zeiler & Fergus 2014, section 2.1)."""
    return grad.clamp(min=0)


def guided_rule(grad: Tensor, x: Tensor) -> Tensor:
    """Apply both conditions, grad * (grad > 0) * (x > 0) (Springenberg et al. 2015, figure 1)."""
    return backprop_rule(deconvnet_rule(grad, x), x)


def deconvnet(net: Net) -> Net:
    """A view of the net whose ReLUs take the deconvnet's rule (see `with_relu_rule`). Chapter 05."""
    return with_relu_rule(net, deconvnet_rule)


def guided(net: Net) -> Net:
    """A view of the net whose ReLUs take the rule of guided backprop (see `with_relu_rule`). Chapter 05."""
    return with_relu_rule(net, guided_rule)


def with_relu_rule(net: Net, rule: Rule) -> Net:
    """A view of the net: another `Net` that shares the weights, and whose ReLUs take `rule` in the backward pass.

    Every `nn.ReLU` takes the rule, nested ones too; the forward pass does not change. The original net is not touched,
    so a panel's thread and a cell can use both at the same time. A view costs no memory for weights. It stays on the
    device where the net was: if you move the net afterwards, make a new view. Chapter 05.

    The net may be a view itself; without any `nn.ReLU`, it raises a ValueError. The rule is `backprop_rule`,
    `deconvnet_rule`, `guided_rule`, or your own function (grad, x) -> grad.
    """
    relus = [module for module in net.modules() if isinstance(module, nn.ReLU)]
    if not relus:
        raise ValueError("net has no nn.ReLU modules that could take a rule")
    # deepcopy looks here before it copies: it finds the same weights again, and a new ReLU for each old one.
    instead: dict[int, Any] = {id(relu): _RuledReLU(rule) for relu in relus}
    instead |= {id(weight): nn.Parameter(weight.detach(), weight.requires_grad) for weight in net.parameters()}
    instead |= {id(buffer): buffer.detach() for buffer in net.buffers()}
    return copy.deepcopy(net, instead)


class _RuledReLU(nn.ReLU):
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
