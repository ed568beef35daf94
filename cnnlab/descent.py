"""The one loop of the course: gradient steps on the image, for some objective on some layers.

run = descend(net, -channel("fire5", 12) + 0.1 * total_variation(), noise(shape, generator), steps=200)
for step in run: ...        # or: image = run.finish()
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from cnnlab.nets import Net
from cnnlab.objectives import Objective
from cnnlab.parametrizations import Parametrization, pixels
from cnnlab.steps import Projection, StepRule, Transform, adam


def gradient(net: Net, objective: Objective, image: Tensor) -> tuple[Tensor, Tensor]:
    """The objective's value for each image (B,), and its gradient with respect to the image (B, C, H, W)."""
    image = image.detach().to(net.device).requires_grad_()
    values = objective.score(image, net.activations(image, objective.layers))
    (grad,) = torch.autograd.grad(values.sum(), image)
    return values.detach(), grad


@dataclass(frozen=True)
class Step:
    """One step of a run. `image` and `best` are made when first asked for: ask before the next step is taken.

    Attributes:
        number: 1 for the first step.
        total: how many steps the run has.
        value: the objective before this step (mean over the batch).
        stage: the octave, or the frame of a movie, from 0.
        ends_stage: whether it is the last one of its stage.
    """

    number: int
    total: int
    value: float
    now: Callable[[], Tensor]
    lowest: Callable[[], Tensor]
    stage: int = 0
    ends_stage: bool = False

    @cached_property
    def image(self) -> Tensor:
        """The image after this step, (B, C, H, W) in [0, 1]."""
        return self.now()

    @cached_property
    def best(self) -> Tensor:
        """The image with the lowest objective seen so far."""
        return self.lowest()


class Run(Iterator[Step]):
    """An iterator of steps: a progress bar, a live panel, a movie and a benchmark all take their steps from it.

    Leave it at any step and the image so far is kept: `run.image`, `run.best`.
    """

    def __init__(self, steps: Iterator[Step], total: int, start: Tensor):
        self.steps, self.total, self.start = steps, total, start
        self.last: Step | None = None
        self.values: list[float] = []

    def __len__(self) -> int:
        return self.total

    def __next__(self) -> Step:
        self.last = next(self.steps)
        self.values.append(self.last.value)
        return self.last

    @property
    def image(self) -> Tensor:
        """The image so far, (B, C, H, W)."""
        return self.start if self.last is None else self.last.image

    @property
    def best(self) -> Tensor:
        """The image with the lowest objective so far, (B, C, H, W)."""
        return self.start if self.last is None else self.last.best

    def finish(self, progress: bool = True) -> Tensor:
        """Take all steps, behind a progress bar, and give the image; Ctrl-C gives the best one so far."""
        from tqdm.auto import tqdm

        try:
            for step in tqdm(self, leave=False, disable=not progress):
                del step
        except KeyboardInterrupt:
            return self.best
        return self.image


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
    """Minimise the objective over the image, step by step.

    Each step: variable -> image -> transform -> net, as deep as needed -> objective -> gradient -> step -> project and
    clip.

    Args:
        net: the network, frozen.
        objective: what to minimise; every image of the batch by itself (under `lbfgs` all share one line search).
        image: the start, (B, C, H, W) in [0, 1]. It is not changed.
        steps: how many.
        step: `plain`, `sign`, `normalized`, `adam` or `lbfgs`; None is adam(0.05).
        transform: what is done to the image before the net sees it, anew at each step (`jitter`, `wobble`).
        project: keeps the image in a set (`linf_ball`, `l2_ball`); needs the parametrization `pixels`.
        parametrization: `pixels()`, which None means, or `spectrum()`.

    Raises:
        ValueError: for steps < 1, an image outside [0, 1], an unknown layer or channel (when the first step is taken).
        FloatingPointError: when the objective becomes NaN or infinite; it names the step and the objective.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    check_image(image)
    layers = objective.layers
    if unknown := layers - set(net.layers):
        net.activations(image, unknown)  # raises the error that lists the layers
    start = image.detach().to(net.device)
    variable, decode = (parametrization or pixels())(start)
    in_pixels = variable.shape == start.shape
    if project and not in_pixels:
        raise ValueError("project moves pixels; use it with parametrization=pixels()")
    variable.requires_grad_()
    update = (step or adam(0.05))(variable)

    def generate() -> Iterator[Step]:
        lowest, best = float("inf"), _decoded(decode, variable)
        for number in range(1, steps + 1):
            first: list[float] = []

            def evaluate(number: int = number, first: list[float] = first) -> float:
                nonlocal lowest, best
                shown = decode(variable)
                seen = transform(shown) if transform else shown
                values = objective.score(seen, net.activations(seen, layers))  # (B,)
                total = sum(values.tolist())
                value = total / len(values)
                if not abs(value) < float("inf"):
                    raise FloatingPointError(f"step {number} of {steps}: the objective {objective} is {value}")
                first.append(value)
                if value < lowest:
                    lowest = value
                    best = shown.detach().clone() if in_pixels else shown.detach()  # the steps change pixels in place
                variable.grad = None
                # Not autograd.grad: this lays grad out in memory as variable is.
                values.backward(torch.ones_like(values))
                return total

            update(evaluate)
            if in_pixels:
                with torch.no_grad():
                    if project:
                        variable.copy_(project(variable))
                    variable.clamp_(0, 1)
            yield Step(
                number,
                steps,
                first[0],
                now=lambda: _decoded(decode, variable),
                lowest=lambda: best,
                ends_stage=number == steps,
            )

    return Run(generate(), steps, start)


def check_image(image: Tensor) -> None:
    """Raise a ValueError unless it is an image, (B, C, H, W) with values in [0, 1]."""
    if image.ndim != 4 or image.numel() == 0 or not all(0 <= extreme.item() <= 1 for extreme in image.aminmax()):
        raise ValueError(f"image must be (B, C, H, W) with values in [0, 1], not {tuple(image.shape)}" + _range(image))


def _decoded(decode: Callable[[Tensor], Tensor], variable: Tensor) -> Tensor:
    with torch.no_grad():
        return decode(variable.detach()).clone()


def _range(image: Tensor) -> str:
    return f" in [{image.min():.3g}, {image.max():.3g}]" if image.numel() else ""
