"""Runs in stages: growing from small to large, zooming without end, dreaming over octaves.

A stage is any run that starts from an image; the caller writes it, so that nothing is passed through:

    grow(lambda image, octave: descend(net, objective, image, steps=16), noise((1, 3, 64, 64), generator), octaves=20)
"""

from collections.abc import Callable, Iterator

import torch.nn.functional as F
from torch import Tensor

from cnnlab.descent import Run, Step, check_image
from cnnlab.images import centre_crop, resize

Stage = Callable[[Tensor, int], Run]


def in_stages(stage: Stage, image: Tensor, stages: int, between: Callable[[Tensor, int], Tensor]) -> Run:
    """One run made of several: each stage starts from the image of the one before, changed by `between`.

    Args:
        stage: (image, number) -> the run of that stage; all have as many steps.
        image: the start, (B, C, H, W).
        stages: how many.
        between: (image, number) -> the start of stage `number`, called before every stage but the first.
    """
    if stages < 1:
        raise ValueError(f"the number of stages must be at least 1, not {stages}")
    first = stage(image, 0)
    total = stages * len(first)

    def generate() -> Iterator[Step]:
        run, done = first, 0
        for number in range(stages):
            if number:
                run = stage(between(run.image, number), number)
            for step in run:
                done += 1
                yield Step(done, total, step.value, step.now, step.lowest, number, ends_stage=done % len(first) == 0)

    return Run(generate(), total, image)


def grow(stage: Stage, image: Tensor, octaves: int = 20, scale: float = 1.1) -> Run:
    """Optimise, enlarge by `scale`, optimise again ...: coarse structure first, detail on top of it."""
    height, width = image.shape[-2:]

    def enlarge(image: Tensor, octave: int) -> Tensor:
        return resize(image, (round(height * scale**octave), round(width * scale**octave)))

    return in_stages(stage, image, octaves, enlarge)


def zoom(stage: Stage, image: Tensor, frames: int = 60, scale: float = 1.04) -> Run:
    """Optimise, enlarge, crop the centre to the old size, optimise again ...: an endless zoom, a stage per frame."""
    size = (image.shape[-2], image.shape[-1])

    def enlarge(image: Tensor, _: int) -> Tensor:
        return centre_crop(resize(image, (round(size[0] * scale), round(size[1] * scale))), size)

    return in_stages(stage, image, frames, enlarge)


def carry(stage: Stage, image: Tensor, octaves: int = 4, scale: float = 1.4) -> Run:
    """Run on the image made small, then larger, up to its own size; what a stage has added is carried along.

    The start of the next stage is the *image* at that size, with all its own detail, plus the enlarged difference that
    the stages so far have made. (`grow` would enlarge the small image, and lose the photograph's detail.)

    Args:
        stage: (image, octave) -> the run at that size.
        image: (B, C, H, W), at the largest size.
        octaves: how many sizes.
        scale: from one size to the next.
    """
    if scale < 1:
        raise ValueError(f"scale must be at least 1, the enlargement from one octave to the next, not {scale}")
    check_image(image)  # here, for resizing clips
    height, width = image.shape[-2:]
    sizes = [(round(height / scale**k), round(width / scale**k)) for k in reversed(range(octaves))]
    plain = [resize(image, size) for size in sizes]

    def onto_the_next(stage_image: Tensor, octave: int) -> Tensor:
        added = stage_image - plain[octave - 1].to(stage_image)
        # It has a sign, and is not clipped as `resize` does. What is channels_last takes twice as long to enlarge.
        enlarged = F.interpolate(added.contiguous(), sizes[octave], mode="bicubic")
        return (plain[octave].to(enlarged) + enlarged).clamp(0, 1)

    return in_stages(stage, plain[0] if plain else image, octaves, onto_the_next)


def stage_images(run: Run) -> Iterator[Tensor]:
    """Take the run's steps and give the image at the end of each stage: octaves to compare, or a movie's frames."""
    for step in run:
        if step.ends_stage:
            yield step.image
