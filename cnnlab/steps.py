"""What a step of `descend` is made of: a transform before the net, a rule for the gradient, a projection afterwards."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

Transform = Callable[[Tensor], Tensor]
# A step rule is given the variable and returns its update, which is given `evaluate`: that computes the objective,
# summed over the batch, and fills variable.grad.
Evaluate = Callable[[], float]
Update = Callable[[Evaluate], object]
StepRule = Callable[[Tensor], Update]
Projection = Callable[[Tensor], Tensor]


def jitter(pixels: int, generator: Generator | None = None) -> Transform:
    """A transform that rolls the image by up to `pixels` each way, anew at each step.

    No pixel can then settle into the raster of the net's strides. Without a generator a fresh one is seeded with 0, so
    that runs repeat.
    """
    generator = generator or Generator().manual_seed(0)

    def transform(image: Tensor) -> Tensor:
        down, right = torch.randint(-pixels, pixels + 1, (2,), generator=generator).tolist()
        return image.roll((down, right), dims=(-2, -1))

    return transform


def wobble(degrees: float, scale: float, generator: Generator | None = None) -> Transform:
    """A transform that turns by up to `degrees` and resizes by up to the factor `scale`, anew at each step.

    What survives it has structure larger than a pixel. The border is mirrored.
    """
    generator = generator or Generator().manual_seed(0)

    def transform(image: Tensor) -> Tensor:
        turn, grow = (2 * torch.rand(2, generator=generator) - 1).tolist()
        angle, factor = math.radians(degrees * turn), scale**-grow
        matrix = factor * torch.tensor([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0]])
        grid = F.affine_grid(matrix.expand(len(image), 2, 3).to(image), list(image.shape), align_corners=False)
        return F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)

    return transform


def compose(*transforms: Transform) -> Transform:
    """One transform from several, the first applied first."""

    def transform(image: Tensor) -> Tensor:
        for each in transforms:
            image = each(image)
        return image

    return transform


def soften(image: Tensor, times: int = 1) -> Tensor:
    """Blur over the edges, cyclically: (1 2 1) / 4 along rows and columns, so often; sigma = sqrt(times / 2) pixels.

    As a transform before the net it softens the gradient too: no pixel is driven apart from its neighbours. To mix the
    image with its shifted copies is quicker than a convolution.
    """
    return _Soften.apply(image, times)


class _Soften(torch.autograd.Function):
    """A cyclic blur with a symmetric kernel is its own adjoint: the gradient is blurred in the same way."""

    @staticmethod
    def forward(ctx, image: Tensor, times: int) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.times = times
        soft = image.clone() if times == 0 else image
        for _ in range(times):
            for dim in (-1, -2):
                soft = soft.roll(1, dim).lerp_(soft, 0.5)  # (1 1) / 2 forth and back is (1 2 1) / 4
                soft = soft.roll(-1, dim).lerp_(soft, 0.5)
        return soft

    @staticmethod
    def backward(ctx, upstream: Tensor):  # type: ignore[no-untyped-def]
        return _Soften.forward(ctx, upstream, ctx.times), None


def plain(rate: float) -> StepRule:
    """Gradient descent: image - rate * grad."""
    return _moving(lambda image, grad: image.sub_(grad, alpha=rate))


def sign(rate: float) -> StepRule:
    """Every pixel by the same amount: image - rate * sign(grad); rate in pixel units [0, 1]."""
    return _moving(lambda image, grad: image.sub_(grad.sign(), alpha=rate))


def normalized(rate: float) -> StepRule:
    """image - rate * grad / mean|grad|, each image of the batch by itself: pixels move by about `rate`."""

    def move(image: Tensor, grad: Tensor) -> Tensor:
        count = grad[0].numel()
        total = grad.abs().sum(dim=(1, 2, 3), keepdim=True)  # (B, 1, 1, 1)
        return image.addcdiv_(grad, total.clamp(min=1e-12 * count), value=-rate * count)

    return _moving(move)


def adam(rate: float) -> StepRule:
    """Adam (Kingma & Ba 2014, algorithm 1): each number moves by about `rate`, whatever the size of its gradients.

    variable -= rate m / (sqrt(v) + eps), with m and v the running means of grad and grad^2, corrected for their start
    at 0. The same numbers as torch.optim.Adam's, whose Python costs a twentieth of a step of SqueezeNet.
    """
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

        def update(evaluate: Evaluate) -> None:
            def closure() -> float:
                value = evaluate()
                assert variable.grad is not None
                variable.grad = variable.grad.contiguous()  # torch flattens it with view, which channels_last forbids
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


def _moving(move: Callable[[Tensor, Tensor], Tensor]) -> StepRule:  # it moves the image in place
    def start(variable: Tensor) -> Update:
        def update(evaluate: Evaluate) -> None:
            evaluate()
            assert variable.grad is not None
            with torch.no_grad():
                move(variable, variable.grad)

        return update

    return start
