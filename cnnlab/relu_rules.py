"""The deconvnet is backprop with another ReLU rule: rules for the way back through a ReLU, and a net that uses one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from cnnlab.nets import Net

# A rule is given what comes back to a ReLU, and what went into it; it gives what goes on back.
Rule = Callable[[Tensor, Tensor], Tensor]


def backprop(grad: Tensor, x: Tensor) -> Tensor:
    """The true gradient: where the input was positive."""
    return torch.ops.aten.threshold_backward(grad, x, 0)  # torch.where(x > 0, grad, 0), in a tenth of its time


def deconvnet(grad: Tensor, x: Tensor) -> Tensor:
    """Only what is positive on the way back (Zeiler & Fergus 2014, section 2.1)."""
    return grad.clamp(min=0)


def guided(grad: Tensor, x: Tensor) -> Tensor:
    """Both conditions at once (Springenberg et al. 2015, figure 1)."""
    return backprop(deconvnet(grad, x), x)


@contextmanager
def relu_rule(net: Net, rule: Rule) -> Iterator[Net]:
    """Inside the `with`, the net's ReLUs take `rule` on the way back; the way forward stays as it is.

    All `nn.ReLU` modules take it, nested ones too. The other layers keep their own way back: a convolution the
    transposed convolution, max pooling its switches. So a deconvnet's projection is a gradient:

        with relu_rule(net, deconvnet):
            value, projection = gradient(net, neuron("fire5", 12, y, x), image)

    Args:
        net: its ReLUs are put back at the end, also after an error.
        rule: `backprop`, `deconvnet`, `guided`, or a function of your own: (grad, input) -> grad, all of one shape.

    Raises:
        ValueError: if the net has no `nn.ReLU`.
    """
    relus = {name: m for name, m in net.named_modules(remove_duplicate=False) if isinstance(m, nn.ReLU)}
    if not relus:
        raise ValueError("net has no nn.ReLU modules that could take a rule")
    try:
        for name in relus:
            net.set_submodule(name, _RuledReLU(rule))
        yield net
    finally:
        for name, module in relus.items():
            net.set_submodule(name, module)


class _RuledReLU(nn.ReLU):
    def __init__(self, rule: Rule):
        super().__init__()
        self.rule = rule

    def forward(self, x: Tensor) -> Tensor:
        return _Ruled.apply(x, self.rule)


class _Ruled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rule: Rule) -> Tensor:
        ctx.save_for_backward(x)
        ctx.rule = rule
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        return ctx.rule(grad, x), None
