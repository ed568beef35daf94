"""How a step is taken, and where it may not go: rules that move the variable, and projections back into a set.

A rate must be finite and at least 0, the radius of a ball too; else a ValueError says so.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from cnnlab.inputs import as_image, finite, pixel_eps

# A step rule takes the variable and returns its update. The update takes `evaluate`, which computes the objective,
# summed over the batch, and fills variable.grad; then it moves the variable.
Evaluate = Callable[[], float]
Update = Callable[[Evaluate], object]
StepRule = Callable[[Tensor], Update]
Projection = Callable[[Tensor], Tensor]


def plain(rate: float) -> StepRule:
    """Gradient descent: image - rate * grad."""
    rate = finite(rate, "rate")
    return _moving(lambda image, grad: image.sub_(grad, alpha=rate))


def sign(rate: float) -> StepRule:
    """Move every pixel by the same amount: image - rate * sign(grad); rate in pixel units [0, 1]. Chapter 14."""
    rate = finite(rate, "rate")
    return _moving(lambda image, grad: image.sub_(grad.sign(), alpha=rate))


def normalized(rate: float) -> StepRule:
    """Divide the gradient by its mean size: image - rate * grad / mean|grad|, so pixels move by about `rate`.

    Each image of the batch has a mean of its own. Chapter 11.
    """
    rate = finite(rate, "rate")

    def move(image: Tensor, grad: Tensor) -> Tensor:
        count = grad[0].numel()
        total = grad.abs().sum(dim=(1, 2, 3), keepdim=True)  # (B, 1, 1, 1)
        return image.addcdiv_(grad, total.clamp(min=1e-12 * count), value=-rate * count)

    return _moving(move)


def adam(rate: float) -> StepRule:
    """Adam (Kingma & Ba 2014, algorithm 1), PyTorch's: each number moves by about `rate`, however large its gradients.

    variable -= rate m / (sqrt(v) + eps), where m and v are the running means of grad and grad^2, corrected for their
    start at 0. Chapter 04.
    """
    return _torch_rule(partial(torch.optim.Adam, lr=finite(rate, "rate"), fused=True))


def lbfgs(rate: float = 1.0) -> StepRule:
    """L-BFGS (Liu & Nocedal 1989), PyTorch's, without a line search: a step is one gradient. Chapter 10.

    `rate` is the length of a step, relative to the quasi-Newton step.
    """
    rate = finite(rate, "rate")
    return _torch_rule(
        partial(torch.optim.LBFGS, lr=rate, max_iter=1, history_size=10, tolerance_grad=0, tolerance_change=0)
    )


def linf_ball(center: Tensor, eps: float) -> Projection:
    """Keep every pixel within eps of the center image; eps in pixel units [0, 1]. Chapter 14."""
    center, eps = as_image(center), pixel_eps(eps)

    def project(image: Tensor) -> Tensor:
        middle = _center_for(image, center)
        return middle + (image - middle).clamp(-eps, eps)

    return project


def l2_ball(center: Tensor, eps: float) -> Projection:
    """Keep the Euclidean distance |image - center| at most eps, for each image of the batch. Chapter 15."""
    center, eps = as_image(center), finite(eps, "eps")

    def project(image: Tensor) -> Tensor:
        middle = _center_for(image, center)
        offset = image - middle
        length = offset.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, 1, 1, 1)
        return middle + offset * (eps / length).clamp(max=1)

    return project


def _center_for(image: Tensor, center: Tensor) -> Tensor:
    if center.shape[1:] != image.shape[1:] or len(center) not in (1, len(image)):
        raise ValueError(f"center must have the image's shape {tuple(image.shape)}, not {tuple(center.shape)}")
    return center.to(image)


def _moving(move: Callable[[Tensor, Tensor], Tensor]) -> StepRule:
    """A rule without a memory: `move(image, grad)` changes the image in place."""

    def start(variable: Tensor) -> Update:
        def update(evaluate: Evaluate) -> None:
            evaluate()
            assert variable.grad is not None
            with torch.no_grad():
                move(variable, variable.grad)

        return update

    return start


def _torch_rule(optimizer: Callable[[list[Tensor]], torch.optim.Optimizer]) -> StepRule:
    """A rule that is one of PyTorch's optimizers."""

    def start(variable: Tensor) -> Update:
        steps = optimizer([variable])

        def update(evaluate: Evaluate) -> None:
            def closure() -> float:
                value = evaluate()
                if isinstance(steps, torch.optim.LBFGS):  # flattens grad with `view`, which channels_last forbids
                    assert variable.grad is not None
                    variable.grad = variable.grad.contiguous()
                return value

            steps.step(closure)

        return update

    return start
