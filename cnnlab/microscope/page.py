"""A channel's page is one file: a WebP picture that holds its sheet of pictures and, as XMP, what was measured."""

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from cnnlab.files import to_pil, write_whole
from cnnlab.images import resize
from cnnlab.inputs import from_pil

SMALL = 56  # pixels of a patch and of its projection on the sheet
COUNT = 9
SETTINGS = "microscope.json"  # beside the pages: what they were made with
QUALITY = 28  # of WebP: a page with pictures of 128 pixels takes about 12 KB


def path_of(folder: Path, layer: str, channel: int) -> Path:
    """Where the page of a channel lies: channels/fire4/0012.webp."""
    return folder / "channels" / layer.replace("/", "_") / f"{channel:04d}.webp"


def sheet(pictures: Tensor, texture: Tensor | None, patches: list[Tensor], projections: list[Tensor]) -> Tensor:
    """All pictures of a channel as one, (1, 3, size + 2 * 56, width): pictures and texture, patches, projections.

    Args:
        pictures: (3, 3, size, size), as `recipe.portraits` gives them.
        texture: (3, size, size), or None.
        patches, projections: at most nine squares (1, 3, n, n) each, in [0, 1].
    """
    size = pictures.shape[-1]
    width = max(4 * size, COUNT * SMALL)
    result = torch.full((1, 3, size + 2 * SMALL, width), 0.5)
    for column, picture in enumerate([*pictures, *([] if texture is None else [texture])]):
        result[0, :, :size, column * size : (column + 1) * size] = picture
    for row, squares in enumerate((patches, projections)):
        top = size + row * SMALL
        for column, square in enumerate(squares):
            result[..., top : top + SMALL, column * SMALL : (column + 1) * SMALL] = resize(square, SMALL)
    return result.clamp(0, 1)


def pack(image: Tensor, record: dict[str, Any]) -> bytes:
    """The file of a page: the sheet (1, 3, H, W) and its record."""
    buffer = BytesIO()
    text = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()
    to_pil(image).save(buffer, "WEBP", quality=QUALITY, method=6, xmp=text)
    return buffer.getvalue()


def record_of(file: Path | BytesIO) -> dict[str, Any]:
    """What was measured of the channel. Reads no pixel."""
    with Image.open(file) as picture:
        return json.loads(picture.info["xmp"])


def sheet_of(file: Path | BytesIO) -> Tensor:
    """The sheet, as `sheet` has made it: (1, 3, size + 2 * 56, width)."""
    with Image.open(file) as picture:
        return from_pil(picture)


def pictures_of(file: Path | BytesIO, size: int) -> Tensor:
    """The three pictures and the texture, (4, 3, size, size)."""
    image = sheet_of(file)
    return torch.cat([image[..., :size, column * size : (column + 1) * size] for column in range(4)])


def write(file: Path, content: bytes | str) -> None:
    """Write a whole file or nothing: a run that is killed leaves no half of one."""
    data = content if isinstance(content, bytes) else content.encode()
    write_whole(file, lambda name: Path(name).write_bytes(data))


def pages_in(folder: Path) -> list[Path]:
    """The files of all pages that are there. What a killed run may have left over begins with no digit."""
    return sorted((folder / "channels").glob("*/[0-9]*.webp"))


def packed(numbers: Tensor) -> str:
    """A vector as text: one byte for each number, relative to the largest, (n,)."""
    relative = numbers / numbers.abs().max().clamp(min=1e-12)
    return base64.b64encode((127 * relative).round().to(torch.int8).numpy().tobytes()).decode()


def unpacked(text: str) -> Tensor:
    """The vector, up to its length: (n,)."""
    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.int8).float()
