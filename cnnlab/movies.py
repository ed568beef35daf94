"""Frames to a file that plays in a notebook."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from torch import Tensor

from cnnlab.descent import Step
from cnnlab.images import resize, to_pil


def save_movie(frames: Iterable[Tensor], file: str | os.PathLike, fps: int = 15, colors: int = 128) -> Path:
    """Write frames (1, C, H, W) as an animated GIF or WebP that loops; whole or not at all. Makes the folder, too.

    Args:
        frames: images of one size; an iterator is consumed, so a run can be filmed while it computes.
        file: ends in .gif (plays everywhere) or .webp (a fifth of the size).
        fps: frames per second.
        colors: palette size of a GIF, 2 to 256; fewer make a smaller file.
    """
    path = Path(file)
    if path.suffix.lower() not in (".gif", ".webp"):
        raise ValueError(f"file must end in .gif or .webp, not {path.suffix!r}")
    pictures = [to_pil(frame) for frame in frames]
    if not pictures:
        raise ValueError("frames must have at least one image")
    if path.suffix.lower() == ".gif":
        pictures = [picture.quantize(colors) for picture in pictures]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    try:
        pictures[0].save(
            temporary,
            format=path.suffix[1:],
            save_all=True,
            append_images=pictures[1:],
            duration=round(1000 / fps),
            loop=0,
        )
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def filmed(run: Iterable[Step], file: str | os.PathLike, frames: int = 40, side: int = 192) -> Iterator[Step]:
    """Pass a run's steps on unchanged, and write them as a movie when the run ends or is left.

    Args:
        run: a run of single images (1, C, H, W).
        file: as for `save_movie`.
        frames: how many steps, evenly spread, become frames.
        side: pixels of the longer side of the movie; a growing image fills it from the first frame.
    """
    kept: list[Tensor] = []
    try:
        for step in run:
            if step.number * frames // step.total > (step.number - 1) * frames // step.total:
                kept.append(step.image)
            yield step
    finally:
        if kept:
            height, width = kept[-1].shape[-2:]
            size = (round(side * height / max(height, width)), round(side * width / max(height, width)))
            save_movie((resize(image, size) for image in kept), file)
