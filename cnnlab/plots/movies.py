"""Frames to a file that plays in a notebook."""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from torch import Tensor

from cnnlab.files import to_pil, write_whole
from cnnlab.images import resize
from cnnlab.runs import Run, Step

FRAMES, SIDE = 40, 192  # of a filmed run: its number of frames, and the pixels of a frame's longer side


def save_movie(frames: Iterable[Tensor], file: str | os.PathLike, fps: int = 15, colors: int = 128) -> Path:
    """Write frames (1, C, H, W) as an animated GIF or WebP that loops.

    The folder is made if it does not exist. The file is written as a whole or not at all.

    Args:
        frames: images of one size, a list or an iterator.
        file: ends in .gif (plays everywhere) or .webp (a fifth of the size).
        fps: frames per second.
        colors: palette size of a GIF, 2 to 256. Fewer colors make a smaller file.

    Raises ValueError for another ending, or if there is no frame.
    """
    path = Path(file)
    ending = path.suffix.lower()
    if ending not in (".gif", ".webp"):
        raise ValueError(f"file must end in .gif or .webp, not {path.suffix!r}")
    pictures = [to_pil(frame) for frame in frames]
    if not pictures:
        raise ValueError("frames must have at least one image")
    if ending == ".gif":
        pictures = [picture.quantize(colors) for picture in pictures]
    rest, duration = pictures[1:], round(1000 / fps)  # in milliseconds
    return write_whole(path, partial(pictures[0].save, save_all=True, append_images=rest, duration=duration, loop=0))


def filmed(run: Run, file: str | os.PathLike) -> Run:
    """Film a run: give a run of the same steps and images, which writes a movie at its end.

    The movie has up to `FRAMES` frames, evenly spread over the steps. A run that is left before its end writes the
    frames so far as soon as no variable holds it. An image that grows fills the movie from the first frame.

    Args:
        run: a run of single images (1, C, H, W).
        file: as for `save_movie`.
    """
    frames: list[Tensor] = []

    def steps() -> Iterator[Step]:
        try:
            for step in run:
                if step.number * FRAMES // step.total > (step.number - 1) * FRAMES // step.total:
                    frames.append(run.image)
                yield step
        finally:
            if frames:
                height, width = frames[-1].shape[-2:]
                scale = SIDE / max(height, width)
                size = round(scale * height), round(scale * width)
                save_movie((resize(frame, size) for frame in frames), file)

    return Run(steps(), len(run), lambda: run.image, lambda: run.best)
