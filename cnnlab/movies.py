"""Frames to a file that plays in a notebook."""

import os
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor

from cnnlab.images import to_pil


def save_movie(frames: Iterable[Tensor], file: str | os.PathLike, fps: int = 15, colors: int = 128) -> Path:
    """Write frames (1, C, H, W) as an animated GIF or WebP that loops; whole or not at all.

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
