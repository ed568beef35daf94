"""What a gradient does to the image: step rules, and projections that keep the image in a set."""

from collections.abc import Callable

import torch
from torch import Tensor

# A step rule is given the variable and returns its update, which is given `evaluate`: that computes the objective and
# fills variable.grad.
Update = Callable[[Callable[[], Tensor]], object]
StepRule = Callable[[Tensor], Update]
Projection = Callable[[Tensor], Tensor]


def plain(rate: float) -> StepRule:
    """Gradient descent: image - rate * grad."""
    return _direction(lambda grad: rate * grad)


def sign(rate: float) -> StepRule:
    """Every pixel by the same amount: image - rate * sign(grad); rate in pixel units [0, 1]."""
    return _direction(lambda grad: rate * grad.sign())


def normalized(rate: float) -> StepRule:
    """image - rate * grad / mean|grad|, each image of the batch by itself: pixels move by about `rate`."""
    return _direction(lambda grad: rate * grad / grad.abs().mean(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12))


def adam(rate: float) -> StepRule:
    """Adam (Kingma & Ba 2014, algorithm 1): each number moves by about `rate`, whatever the size of its gradients.

    variable -= rate m / (sqrt(v) + eps), with m and v the running means of grad and grad^2, corrected for their start
    at 0. The same numbers as torch.optim.Adam's, whose Python costs a twentieth of a step of SqueezeNet.
    """
    beta1, beta2, eps = 0.9, 0.999, 1e-8  # the paper's

    def start(variable: Tensor) -> Update:
        m, v, number = torch.zeros_like(variable), torch.zeros_like(variable), 0

        def update(evaluate: Callable[[], Tensor]) -> None:
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


def lbfgs(rate: float = 1.0, history: int = 10, evaluations: int = 1) -> StepRule:
    """L-BFGS (Liu & Nocedal 1989), torch.optim's, without a line search.

    Args:
        rate: length of a step, relative to the quasi-Newton step.
        history: how many past gradients shape it.
        evaluations: gradients per step.
    """

    def start(variable: Tensor) -> Update:
        optimizer = torch.optim.LBFGS(
            [variable], rate, max_iter=evaluations, history_size=history, tolerance_grad=0, tolerance_change=0
        )

        def update(evaluate: Callable[[], Tensor]) -> None:
            def closure() -> Tensor:
                value = evaluate()
                assert variable.grad is not None
                variable.grad = (
                    variable.grad.contiguous()
                )  # torch flattens it with view: channels_last does not allow that
                return value

            optimizer.step(closure)

        return update

    return start


def linf_ball(center: Tensor, eps: float) -> Projection:
    """Keep every pixel within eps of the center image; eps in pixel units [0, 1]."""
    return lambda image: center.to(image) + (image - center.to(image)).clamp(-eps, eps)


def l2_ball(center: Tensor, eps: float) -> Projection:
    """Keep the Euclidean distance |image - center| at most eps, each image of the batch by itself."""

    def project(image: Tensor) -> Tensor:
        offset = image - center.to(image)
        length = offset.flatten(1).norm(dim=1).clamp(min=1e-12).view(-1, 1, 1, 1)
        return center.to(image) + offset * (eps / length).clamp(max=1)

    return project


def _direction(direction: Callable[[Tensor], Tensor]) -> StepRule:
    def start(variable: Tensor) -> Update:
        def update(evaluate: Callable[[], Tensor]) -> None:
            evaluate()
            assert variable.grad is not None
            with torch.no_grad():
                variable.sub_(direction(variable.grad))

        return update

    return start
