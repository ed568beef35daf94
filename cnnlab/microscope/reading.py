"""Read a microscope that was made: pictures and measurements of channels, as tensors and records."""

import json
import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from torch import Tensor

from cnnlab._data import DATA, course_file
from cnnlab.microscope.page import SETTINGS, path_of, pictures_of, record_of

SHIPPED: Path = DATA / "microscope"
"""The small microscope of SqueezeNet that comes with the course."""


@dataclass(frozen=True)
class Microscope:
    """The pages of a net's channels.

    Attributes:
        folder: where they are.
        net: the net's name.
        labels: one name per class.
        size: pixels of a picture.
        channels: layer -> the numbers of the channels whose pages are there, first layer first.
    """

    folder: Path
    net: str
    labels: list[str]
    size: int
    channels: dict[str, tuple[int, ...]]

    def record(self, layer: str, channel: int) -> dict[str, Any]:
        """What was measured of a channel. A layer or a channel without a page raises a ValueError.

        Its keys: "peak" (the largest activation in the photographs), "excited" (the activation of its three pictures,
        mean of the map), "patches" ((photograph, percent of the peak) each), "together" ((layer, channel, correlation)
        each), "votes" ((class, by how much its logit falls without the channel) each) and "made_of" ((channel of the
        layer before, percent of all weights) each).
        """
        return record_of(self.page(layer, channel))

    def pictures(self, layer: str, channel: int) -> Tensor:
        """Two pictures that excite the channel, one that excites it least, and its texture: (4, 3, size, size)."""
        return pictures_of(self.page(layer, channel), self.size)

    def before(self, layer: str) -> str | None:
        """The layer before, of whose channels this one's are made; None for the first."""
        place = list(self.channels).index(layer)
        return list(self.channels)[place - 1] if place else None

    def file(self, layer: str, channel: int) -> Path:
        """The picture file of a page. A layer or a channel without a page raises a ValueError."""
        if layer not in self.channels:
            raise ValueError(f"layer {layer!r} has no pages: there are {', '.join(self.channels)}")
        if channel not in self.channels[layer]:
            have = self.channels[layer]
            raise ValueError(f"channel {channel} of {layer!r} has no page: there are {have[0]} to {have[-1]}")
        return path_of(self.folder, layer, channel)

    def page(self, layer: str, channel: int) -> BytesIO | Path:
        """A page to read: the course's own is verified, and raises a RuntimeError if it is altered or missing."""
        file = self.file(layer, channel)
        return BytesIO(_verified(file)) if self.folder == SHIPPED else file


def load_microscope(folder: str | os.PathLike | None = None) -> Microscope:
    """Open a folder that `python -m cnnlab.microscope` has made; None: the small one that comes with the course.

    Raises ValueError if there is no microscope in the folder, RuntimeError if the course's own is altered or missing.
    """
    path = SHIPPED if folder is None else Path(folder).expanduser()
    try:
        about = json.loads(_verified(path / SETTINGS) if path == SHIPPED else (path / SETTINGS).read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"folder has no microscope in it ({SETTINGS}): {path}") from error
    found = {
        layer: tuple(sorted(int(file.stem) for file in path_of(path, layer, 0).parent.glob("[0-9]*.webp")))
        for layer in about["layers"]
    }
    channels = {layer: numbers for layer, numbers in found.items() if numbers}
    return Microscope(path, about["net"], about["labels"], about["size"], channels)


def _verified(file: Path) -> bytes:
    return course_file(file.relative_to(DATA).as_posix())
