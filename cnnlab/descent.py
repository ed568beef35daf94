"""THE loop of the course: gradient steps on the image, for some objective on some layers.

run = descend(net, -channel("fire5", 12) + 0.1 * total_variation(), noise(shape, generator), steps=200)
image = run.finish()
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from cnnlab.images import check_image
from cnnlab.nets import Net
from cnnlab.objectives import Objective
from cnnlab.parametrizations import Parametrization, pixels
from cnnlab.runs import Run, Step
from cnnlab.steps import Projection, StepRule, adam
from cnnlab.transforms import Transform


def score(net: Net, objective: Objective, image: Tensor) -> Tensor:
    """The objective's value for each image, without a gradient: (B, C, H, W) -> (B,)."""
    with torch.no_grad():
        image = image.to(net.device)
        return objective.score(image, net.activations(image, objective.layers))


def gradient(net: Net, objective: Objective, image: Tensor) -> tuple[Tensor, Tensor]:
    """The objective's value for each image, (B,), and its gradient with respect to the image, (B, C, H, W)."""
    image = image.detach().to(net.device).requires_grad_()
    values = objective.score(image, net.activations(image, objective.layers))
    (grad,) = torch.autograd.grad(values.sum(), image)
    return values.detach(), grad


def descend(
    net: Net,
    objective: Objective,
    image: Tensor,
    *,
    steps: int,
    step: StepRule | None = None,
    transform: Transform | None = None,
    project: Projection | None = None,
    parametrization: Parametrization | None = None,
) -> Run:
    """Minimize the objective over the image, step by step.

    Each step: variable -> image -> transform -> net, as deep as needed -> objective -> gradient -> step -> project and
    clip.

    Args:
        net: the network, frozen.
        objective: what to minimize; every image of the batch by itself (with `lbfgs` they share one approximation).
        image: the start, (B, C, H, W) in [0, 1]. It is not changed.
        steps: how many.
        step: `plain`, `sign`, `normalized`, `adam` or `lbfgs`; None is adam(0.05).
        transform: what is done to the image before the net sees it, anew at each step (`jitter`, `wobble`).
        project: keeps the image in a set (`linf_ball`, `l2_ball`); needs the parametrization `pixels`.
        parametrization: `pixels()`, which None means, or `spectrum()`, or `cppn(weights)`.

    Raises:
        ValueError: for steps < 1, an image outside [0, 1], an unknown layer or channel (when the first step is taken).
        FloatingPointError: when the objective becomes NaN or infinite; it names the step and the objective.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    check_image(image)
    if unknown := objective.layers - set(net.layers):
        net.activations(image, unknown)  # raises the error that lists the layers
    start = image.detach().to(net.device)
    variable, decode = (parametrization or pixels())(start)
    in_pixels = variable.shape == start.shape
    if project and not in_pixels:
        raise ValueError("project moves pixels; use it with parametrization=pixels()")
    variable.requires_grad_()
    update = (step or adam(0.05))(variable)
    lowest, best = float("inf"), start
    values: list[float] = []  # the objective at each evaluation; a step may need several

    def evaluate() -> float:
        """Compute the objective, summed over the batch, and fill variable.grad: what a step rule asks for."""
        nonlocal lowest, best
        shown = decode(variable)  # (B, C, H, W)
        seen = transform(shown) if transform else shown
        scores = objective.score(seen, net.activations(seen, objective.layers))  # (B,)
        total = sum(scores.tolist())
        values.append(total / len(scores))
        if not abs(total) < float("inf"):
            raise FloatingPointError(f"the objective {objective} is {total}")
        if values[-1] < lowest:
            lowest, best = values[-1], shown.detach().clone() if in_pixels else shown.detach()  # pixels change in place
        variable.grad = None
        scores.backward(torch.ones_like(scores))  # unlike autograd.grad, it lays grad out in memory as variable is
        return total

    def take_steps() -> Iterator[Step]:
        for number in range(1, steps + 1):
            values.clear()
            try:
                update(evaluate)
            except FloatingPointError as error:
                raise FloatingPointError(f"step {number} of {steps}: {error}") from None
            if in_pixels:
                with torch.no_grad():
                    if project:
                        variable.copy_(project(variable))
                    variable.clamp_(0, 1)
            yield Step(number, steps, values[0], ends_stage=number == steps)

    return Run(take_steps(), steps, image=lambda: _decoded(decode, variable), best=lambda: best)


def _decoded(decode: Callable[[Tensor], Tensor], variable: Tensor) -> Tensor:
    with torch.no_grad():
        return decode(variable.detach()).clone()
