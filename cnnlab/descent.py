"""THE loop of the course: gradient steps on the image, for some objective on some layers.

run = descend(net, -channel("fire5", 12) + 0.1 * total_variation(), noise(shape, generator), steps=200)
image = run.finish()
"""

import copy
import warnings
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from cnnlab.inputs import as_image, integer
from cnnlab.nets import Net
from cnnlab.objectives import Objective
from cnnlab.parametrizations import Parametrization, pixels
from cnnlab.runs import Run, Step
from cnnlab.steps import Projection, StepRule, adam
from cnnlab.transforms import Transform

REMEDY = "a ReLU that is off everywhere passes no gradient; start from noise, or ask the layer before the ReLU"


def score(net: Net, objective: Objective, image: Tensor) -> Tensor:
    """The objective's value for each image, without a gradient: (B, C, H, W) -> (B,)."""
    with torch.no_grad():
        image = as_image(image).to(net.device, net.dtype)
        values = objective.score(image, net.run(image, objective.layers))
    if not values.isfinite().all():
        raise FloatingPointError(f"the objective {objective} is {values.tolist()}")
    return values


def gradient(net: Net, objective: Objective, image: Tensor) -> tuple[Tensor, Tensor]:
    """The objective's value for each image, (B,), and its gradient with respect to the image, (B, C, H, W)."""
    with torch.inference_mode(False), torch.enable_grad():
        image = as_image(image).detach().to(net.device, net.dtype).clone().requires_grad_()
        values = objective.score(image, net.run(image, objective.layers))
        (grad,) = torch.autograd.grad(values.sum(), image)
    if not (values.isfinite().all() and grad.isfinite().all()):
        raise FloatingPointError(f"the gradient of {objective} is not finite, its values are {values.tolist()}")
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
        transform: what is done to the image before the net sees it, anew at each step (`jitter`, `wobble`). The run
            works on a copy, so two runs with one transform are equal.
        project: keeps the image in a set (`linf_ball`, `l2_ball`); needs the parametrization `pixels`.
        parametrization: `pixels()`, which None means, or `spectrum()`, or `cppn(weights)`.

    Raises:
        ValueError: for steps < 1, an image outside [0, 1], an unknown layer or channel (when the first step is taken).
        FloatingPointError: when the objective or the last image becomes NaN or infinite; it names the step. `run.best`
            keeps the best image so far.

    Warns if the gradient of the first step is 0 everywhere.
    """
    steps, transform = integer(steps, "steps", 1), copy.deepcopy(transform)
    for layer in (layers := objective.layers):
        net.graph.node(layer)  # raises the error that lists the layers
    with torch.inference_mode(False):  # whatever mode the caller is in: the variable needs gradients, a rule a memory
        start = as_image(image).detach().to(net.device, net.dtype).clone()
        variable, decode = (parametrization or pixels())(start)
        update = (step or adam(0.05))(variable.requires_grad_())
    in_pixels = variable.shape == start.shape
    if project and not in_pixels:
        raise ValueError("project moves pixels; use it with parametrization=pixels()")
    lowest, best = float("inf"), start
    values: list[float] = []  # the objective at each evaluation; a step may need several

    def evaluate() -> float:
        """Compute the objective, summed over the batch, and fill variable.grad: what a step rule asks for."""
        nonlocal lowest, best
        shown = decode(variable)  # (B, C, H, W)
        seen = transform(shown) if transform else shown
        scores = objective.score(seen, net.run(seen, layers))  # (B,)
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
            with torch.inference_mode(False), torch.enable_grad():
                try:
                    update(evaluate)
                except FloatingPointError as error:
                    raise FloatingPointError(f"step {number} of {steps}: {error}") from None
            with torch.no_grad():
                if number == 1 and variable.grad is not None and not variable.grad.any():
                    warnings.warn(
                        f"the gradient of {objective} is 0 everywhere, so the image does not change: {REMEDY}",
                        stacklevel=3,
                    )
                if project:
                    variable.copy_(project(variable))
                if in_pixels:
                    variable.clamp_(0, 1)
                if number == steps and not variable.isfinite().all():
                    raise FloatingPointError(
                        f"step {number} of {steps}: the last update is not finite; take a smaller rate"
                    )
            yield Step(number, steps, values[0], ends_stage=number == steps)

    return Run(take_steps(), steps, image=lambda: _decoded(decode, variable), best=lambda: best)


def _decoded(decode: Callable[[Tensor], Tensor], variable: Tensor) -> Tensor:
    with torch.inference_mode(False), torch.no_grad():
        return decode(variable.detach()).clone()
