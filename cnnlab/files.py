"""Picture files: load, reduce and save them. You can understand the core without this module."""

import io
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from cnnlab.images import crop_to
from cnnlab.inputs import MAX_PIXELS, Size, as_image, from_pil, integer, size_of

MAX_SIDE = 65_535  # pixels; a picture with a longer side is refused before it is decoded
LARGE = 16_000_000  # pixels; a larger picture is reduced before it becomes a tensor, if a size is given


def load_image(file: str | os.PathLike | bytes | bytearray | memoryview | BinaryIO, size: Size | None = None) -> Tensor:
    """Load a picture of your own, (1, 3, H, W).

    It is turned as its EXIF orientation says (if the EXIF data can be read) and laid on white where it is transparent.
    Gray, palette, 16-bit and CMYK pictures become RGB.

    Args:
        file: a path (~ is your home), the file's bytes (as an upload gives them), or a file opened in mode "rb".
        size: pixels of a square center crop, or (H, W); None keeps the size. With a size, a picture of more than 16
            megapixels is reduced while it is loaded, which saves memory.

    Raises:
        ValueError: if Pillow cannot read it as a picture, or it is too large (100 megapixels, 65,535 pixels a side).
        FileNotFoundError: if there is no such file.
    """
    pair = None if size is None else size_of(size)
    source, name = _source(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of large pictures and of broken metadata
        with _readable(source, name):
            picture = Image.open(source)
        with picture:
            width, height = picture.size
            if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
                limit = f"{MAX_PIXELS:,} are loaded, and {MAX_SIDE:,} a side"
                raise ValueError(f"{name} has {width} x {height} pixels; at most {limit}")
            with _readable(source, name):
                upright = _upright(_reduced(picture, pair))
            image = from_pil(upright)
    return image if pair is None else crop_to(image, pair)


def as_jpeg(images: Tensor, quality: int) -> Tensor:
    """Each image, (B, 3, H, W), as it comes back from a JPEG file of this quality, 1 to 95. Chapters 09 and 14."""
    loaded = []
    for image in images.split(1):
        file = io.BytesIO()
        to_pil(image).save(file, "JPEG", quality=integer(quality, "quality", 1))
        loaded.append(load_image(file.getvalue()))
    return torch.cat(loaded)


def _source(file: Any) -> tuple[Path | io.BytesIO, str]:
    """What Pillow opens, and how an error calls it."""
    if hasattr(file, "read") and not isinstance(file, io.TextIOBase):
        if file.seekable():
            file.seek(0)
        file = file.read()
    if isinstance(file, bytes | bytearray | memoryview):
        return io.BytesIO(file), "the uploaded file"
    if not isinstance(file, os.PathLike) and not (isinstance(file, str) and file.isprintable() and file):
        raise ValueError(f"file must be a path, bytes, or a file opened in mode 'rb', not {type(file).__name__}")
    path = Path(file).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    return path, str(path)


@contextmanager
def _readable(source: Path | io.BytesIO, name: str) -> Iterator[None]:
    """Say in plain words what Pillow cannot read: on a damaged file its readers raise errors of every type."""
    try:
        yield
    except Exception as error:
        reason, head = f"{error}", b""
        if isinstance(error, UnidentifiedImageError):
            head = source.getvalue() if isinstance(source, io.BytesIO) else source.read_bytes()
            kinds = {
                "HEIC": head[4:11] in (b"ftyphei", b"ftyphev", b"ftypmif"),
                "PDF": head[:4] == b"%PDF",
                "SVG": b"<svg" in head[:2000],
            }
            kind = next((kind for kind, found in kinds.items() if found), "of no kind that Pillow knows, or damaged")
            reason = f"it is {kind}; convert it to PNG or JPEG" if head else "it is empty"
        raise ValueError(f"{name} cannot be read as a picture ({reason})") from error


def _reduced(picture: Image.Image, size: tuple[int, int] | None) -> Image.Image:
    """The decoded picture; if it is large and a size is given, reduced to at least twice that size."""
    width, height = picture.size
    factor = 1 if size is None or width * height <= LARGE else min(width, height) // (2 * max(size))
    if factor > 1:
        picture.draft(None, (width // factor, height // factor))  # a JPEG is decoded at 1/2, 1/4 or 1/8
        factor = min(picture.size) // (2 * max(size or (1,)))
    picture.load()
    if factor <= 1:
        return picture
    if picture.mode in ("1", "P", "PA"):  # `reduce` takes neither these nor 16 bits
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    return (picture.convert("I") if picture.mode.startswith("I;") else picture).reduce(factor)


def _upright(picture: Image.Image) -> Image.Image:
    """The picture as its EXIF orientation says, or as it is if the EXIF data is malformed."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # Pillow's reader of EXIF raises errors of every type
        return picture


def save_image(image: Tensor, file: str | os.PathLike) -> Path:
    """Write one image (1, C, H, W) as PNG, JPEG, WebP ..., as the name ends: the whole file or nothing."""
    path = Path(file).expanduser()
    picture = to_pil(image)
    if path.suffix.lower() not in Image.registered_extensions():
        raise ValueError(f"file must end in .png, .jpg, .webp or the like, not {path.suffix!r}")
    return write_whole(path, picture.save)


def write_whole(path: Path, save: Callable[[str], object]) -> Path:
    """Let `save` write a file, and move it to the path when it is whole; an older file stays there until then."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=path.suffix)
    os.close(handle)
    try:
        save(temporary)
        os.chmod(temporary, 0o644)  # mkstemp makes private files
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


def to_pil(image: Tensor) -> Image.Image:
    """One image (1, C, H, W) or (C, H, W) as a Pillow picture: 8 bits, rounded, values outside [0, 1] clipped."""
    if isinstance(image, Tensor) and image.ndim == 3:
        image = image[None]
    if not isinstance(image, Tensor) or not image.is_floating_point():
        image = as_image(image)
    if image.ndim != 4 or len(image) != 1 or image.shape[1] not in (1, 3) or not image.numel():
        raise ValueError(f"image must be one picture (1, C, H, W) with C = 1 or 3, not {tuple(image.shape)}")
    if image.isnan().any():
        raise ValueError("image must have values in [0, 1], not NaN")
    array = (image[0].detach().float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()  # (H, W, C)
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)
