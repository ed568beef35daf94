"""Runs in stages: growing from small to large, zooming without end, dreaming over octaves. Chapters 04, 11 and 12.

A stage is any run that starts from an image. You write it, so that you choose its objective, steps and step rule. Its
errors say which stage (octave, frame) it was, and how large its image:

    grow(lambda image, octave: descend(net, objective, image, steps=16), noise((1, 3, 64, 64), generator), octaves=20)
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor

from cnnlab.images import center_crop, resize
from cnnlab.inputs import as_image, integer, real
from cnnlab.runs import Run, Step

Stage = Callable[[Tensor, int], Run]


def in_stages(
    stage: Stage, image: Tensor, stages: int, between: Callable[[Tensor, int], Tensor], word: str = "stage"
) -> Run:
    """Make one run of several: each stage starts from the image of the stage before, changed by `between`. Chapter 12.

    Args:
        stage: (image, number) -> the run of that stage; all must have the same number of steps.
        image: the start, (B, C, H, W).
        stages: how many; less than one raises a ValueError.
        between: (image, number) -> the start of stage `number`; called before every stage but the first.
        word: what an error calls a stage.
    """
    stages, start = integer(stages, f"the number of {word}s", 1), as_image(image)

    @contextmanager
    def numbered(number: int) -> Iterator[None]:
        """Say which stage an error comes from, and how large its image is."""
        try:
            yield
        except (ValueError, FloatingPointError) as error:
            height, width = start.shape[-2:]
            where = f"{word} {number + 1} of {stages}, {height} x {width} pixels"
            kind = FloatingPointError if isinstance(error, FloatingPointError) else ValueError
            raise kind(f"{where}: {error}") from error

    with numbered(0):
        run = stage(start, 0)
    each, total = len(run), stages * len(run)

    def take_steps() -> Iterator[Step]:
        nonlocal run, start
        for number in range(stages):
            if number:
                start = between(run.image, number)
                with numbered(number):
                    run = stage(start, number)
            while True:
                with numbered(number):
                    step = next(run, None)
                if step is None:
                    break
                done, ends = number * each + step.number, step.number == each
                yield replace(step, number=done, total=total, stage=number, ends_stage=ends)

    return Run(take_steps(), total, image=lambda: run.image, best=lambda: run.best)


def grow(stage: Stage, image: Tensor, octaves: int = 20, scale: float = 1.1) -> Run:
    """Optimize, enlarge by `scale`, optimize again ...: first coarse structure, then detail. Chapter 04."""
    image, scale = as_image(image), _factor(scale, 0)
    height, width = image.shape[-2:]

    def enlarge(image: Tensor, octave: int) -> Tensor:
        return resize(image, (round(height * scale**octave), round(width * scale**octave)))

    return in_stages(stage, image, octaves, enlarge, "octave")


def zoom(stage: Stage, image: Tensor, frames: int = 60, scale: float = 1.04) -> Run:
    """Optimize, enlarge, crop the center to the old size, optimize again ...: an endless zoom. Chapters 04 and 11.

    Each stage gives one frame of a movie (`stage_images`).
    """
    image, scale = as_image(image), _factor(scale, 1)
    height, width = image.shape[-2:]

    def enlarge(image: Tensor, _: int) -> Tensor:
        return center_crop(resize(image, (round(height * scale), round(width * scale))), (height, width))

    return in_stages(stage, image, frames, enlarge, "frame")


def carry(stage: Stage, image: Tensor, octaves: int, scale: float) -> Run:
    """Run on the image made small, then larger, up to its own size, and carry along what the stages have added.

    A stage starts from the *image* at its size, with all of the image's own detail, plus the enlarged difference that
    the stages before have made. (`grow` would enlarge the small image and lose the detail of the photograph.)
    Chapter 11.

    Args:
        stage: (image, octave) -> the run at that size.
        image: (B, C, H, W) in [0, 1], at the largest size; another range raises a ValueError.
        octaves: the number of sizes; less than one, or a first octave below 1 pixel, raises a ValueError.
        scale: the enlargement from one octave to the next; less than 1 raises a ValueError.
    """
    image, scale, octaves = as_image(image), _factor(scale, 1), integer(octaves, "octaves", 1)
    height, width = image.shape[-2:]
    if min(height, width) * scale ** (1 - octaves) <= 0.5:
        raise ValueError(f"octave 1 of {octaves} would be smaller than 1 pixel: take fewer octaves or a smaller scale")
    sizes = [(round(height / scale**k), round(width / scale**k)) for k in reversed(range(octaves))]
    plain = [resize(image, size) for size in sizes]

    def onto_the_next(stage_image: Tensor, octave: int) -> Tensor:
        added = stage_image - plain[octave - 1].to(stage_image)
        # `resize` would clip it to [0, 1], but it is signed. A channels_last tensor takes twice as long to enlarge.
        enlarged = F.interpolate(added.contiguous(), sizes[octave], mode="bicubic")
        return (plain[octave].to(enlarged) + enlarged).clamp(0, 1)

    return in_stages(stage, plain[0], octaves, onto_the_next, "octave")


def stage_images(run: Run) -> Iterator[Tensor]:
    """Take the run's steps and give the image at the end of each stage: the octaves, or the frames of a movie."""
    for step in run:
        if step.ends_stage:
            yield run.image


def _factor(scale: float, least: float) -> float:
    scale = real(scale, "scale")
    if not least <= scale < math.inf:
        raise ValueError(f"scale must be at least {least} and finite, the enlargement from stage to stage, not {scale}")
    return scale
