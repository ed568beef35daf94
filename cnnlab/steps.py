"""How a step is taken, and where it may not go: rules that move the variable, and projections back into a set.

A rate must be finite and at least 0, the radius of a ball too; else a ValueError says so.
"""

from collections.abc import Callable

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
    """Adam (Kingma & Ba 2014, algorithm 1): each number moves by about `rate`, however large its gradients are.

    variable -= rate m / (sqrt(v) + eps), where m and v are the running means of grad and grad^2, corrected for their
    start at 0. The numbers are those of torch.optim.Adam, which takes up to a twentieth of a step longer. Chapter 04.
    """
    rate = finite(rate, "rate")
    beta1, beta2, eps = 0.9, 0.999, 1e-8  # the paper's

    def start(variable: Tensor) -> Update:
        m, v, number = torch.zeros_like(variable), torch.zeros_like(variable), 0

        def update(evaluate: Evaluate) -> None:
            nonlocal number
            evaluate()
            assert variable.grad is not None
            number += 1
            m_share, v_share = 1 - beta1**number, (1 - beta2**number) ** 0.5  # of m, and of the root of v
            with torch.no_grad():
                m.lerp_(variable.grad, 1 - beta1)
                v.mul_(beta2).addcmul_(variable.grad, variable.grad, value=1 - beta2)
                variable.addcdiv_(m, v.sqrt().add_(eps * v_share), value=-rate * v_share / m_share)

        return update

    return start


def lbfgs(rate: float = 1.0) -> StepRule:
    """L-BFGS (Liu & Nocedal 1989), PyTorch's, without a line search: a step is one gradient. Chapter 10.

    `rate` is the length of a step, relative to the quasi-Newton step.
    """
    rate = finite(rate, "rate")

    def start(variable: Tensor) -> Update:
        optimizer = torch.optim.LBFGS(
            [variable], lr=rate, max_iter=1, history_size=10, tolerance_grad=0, tolerance_change=0
        )

        def update(evaluate: Evaluate) -> None:
            def closure() -> float:
                value = evaluate()
                assert variable.grad is not None
                variable.grad = variable.grad.contiguous()  # PyTorch flattens it with `view`; channels_last forbids it
                return value

            optimizer.step(closure)

        return update

    return start


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
