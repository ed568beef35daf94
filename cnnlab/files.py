"""Picture files: load, reduce and save them. You can understand the core without this module."""

import io
import math
import os
import re
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from cnnlab.images import crop_to
from cnnlab.inputs import MAX_PIXELS, Size, as_image, from_pil, integer, on_white, size_of

MAX_SIDE = 65_535  # pixels; a picture with a longer side is refused before it is decoded
LARGE = 4_000_000  # pixels; a larger picture is reduced while it is loaded, if a size is given
MEMORY = 260_000_000  # bytes that the file and its decoding may take, if a size or `most` is given
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM")
TURNS = dict(enumerate((0, 3, 1, 5, 4, 6, 2), start=2))  # EXIF's orientation: the number of Pillow's `Transpose`
MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd8]")  # begins a part of a JPEG file: DA a scan, D9 the end
OTHERS = rb"(?is)....ftyp(?P<HEIC>hei|hev|mif)|....ftyp(?P<AVIF>a)|%(?P<PDF>P)|%!(?P<EPS>P)|((?!<html).)*<(?P<SVG>svg)"
File = str | os.PathLike | bytes | bytearray | memoryview | BinaryIO


def load_image(file: File, size: Size | None = None, most: int | None = None) -> Tensor:
    """Load a picture of your own, (1, 3, H, W): PNG, JPEG, WebP, AVIF, GIF, BMP, TIFF or PPM.

    It is turned as its EXIF orientation says (if the EXIF data can be read) and laid on white where it is transparent.
    Gray, palette, 16-bit and CMYK pictures become RGB. Only the first picture of an animation is read. No other format
    is read, because Pillow's reader of EPS starts another program.

    A picture takes up to 30 bytes per pixel while it is loaded, and 12 afterwards. With a size or `most`, the file and
    its decoding take at most 260 MB: enough for 16 megapixels of WebP or AVIF, 30 of TIFF or progressive JPEG, 65 of
    other formats, and 100 of JPEG (which is decoded reduced), of gray and of palettes.

    Args:
        file: a path (~ is your home), the file's bytes (as an upload gives them), or a file opened in mode "rb".
        size: pixels of a square center crop, or (H, W); None keeps the size.
        most: pixels; a larger picture is averaged over squares of whole pixels until about so many are left. A size
            implies 4 megapixels, or 16 times the size's if these are more.

    Raises:
        ValueError: if it cannot be read as a picture or is too large (100 megapixels, 65,535 pixels a side; see above).
        FileNotFoundError: if there is no such file.
    """
    pair = None if size is None else size_of(size)
    most = None if most is None else integer(most, "most", 1)
    if pair:
        most = min(most or MAX_PIXELS, max(LARGE, 16 * pair[0] * pair[1]))
    data, name = _content(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of large pictures and of broken metadata
        try:
            picture = _decoded(data, most)
        except Exception as error:  # on a damaged file Pillow's readers raise errors of every type
            raise ValueError(f"{name} cannot be read as a picture ({_reason(error, data)})") from None
        image = from_pil(picture)
    return image if pair is None else crop_to(image, pair)


def as_jpeg(images: Tensor, quality: int) -> Tensor:
    """Each image, (B, 3, H, W), as it comes back from a JPEG file of this quality, 1 to 95. Chapters 09 and 14."""
    loaded = []
    for image in images.split(1):
        file = io.BytesIO()
        to_pil(image).save(file, "JPEG", quality=integer(quality, "quality", 1))
        loaded.append(load_image(file.getvalue()))
    return torch.cat(loaded)


def _content(file: Any) -> tuple[bytes, str]:
    """The bytes of a picture, and how an error calls it."""
    if hasattr(file, "read") and not isinstance(file, io.TextIOBase):
        if file.seekable():
            file.seek(0)
        file = file.read()
    if isinstance(file, bytes | bytearray | memoryview):
        return bytes(file), "the uploaded file"
    if not isinstance(file, os.PathLike) and not (isinstance(file, str) and file.isprintable() and file):
        raise ValueError(f"file must be a path, bytes, or a file opened in mode 'rb', not {type(file).__name__}")
    path = Path(file).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if not path.is_file() or path.stat().st_size > 10 * MAX_PIXELS:  # a named pipe would never end
        raise ValueError(f"file must be the path of a picture of at most 1 GB, not {path}")
    return path.read_bytes(), str(path)


def _reason(error: Exception, data: bytes) -> str:
    """Why there is no picture, in plain words: Pillow's own may be the address of an object."""
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {MAX_PIXELS:,} pixels; make it smaller"
    if not isinstance(error, UnidentifiedImageError):
        words = str(error) or type(error).__name__
        return words if isinstance(error, MemoryError) else f"it is damaged or not whole, so get it again: {words}"
    found = re.match(OTHERS, data[:4000])
    kind = found.lastgroup if found else "of a kind that is not read, or damaged"
    return f"it is {kind}; convert it to PNG or JPEG" if data else "it is empty"


def _decoded(data: bytes, most: int | None) -> Image.Image:
    """The upright picture, reduced to about `most` pixels."""

    def factor() -> int:  # so many pixels of a side become one
        return math.ceil(math.sqrt(picture.width * picture.height / most)) if most else 1

    with _opened(data) as picture:
        width, height = picture.size
        picture.draft(None, (max(width // factor(), 1), max(height // factor(), 1)))  # JPEG: 1/2, 1/4 or 1/8
        memory = MEMORY if most else 30 * MAX_PIXELS
        limit = min(MAX_PIXELS, memory * width * height // (len(data) + _cost(picture, data, width * height)))
        if width * height > limit or max(width, height) > MAX_SIDE:
            allowed = f"at most {limit:,} are loaded of such a file, and {MAX_SIDE:,} a side"
            raise MemoryError(f"it has {width} x {height} pixels; {allowed}: make it smaller, or save it as JPEG")
        return _upright(_reduced(picture, factor()), picture)


def _opened(data: bytes) -> Image.Image:
    """Open a picture; if Pillow cannot, perhaps because its EXIF data is malformed, without that."""
    Image.init()  # an older Pillow lacks a format
    formats = [name for name in FORMATS if name in Image.OPEN]
    try:
        return Image.open(io.BytesIO(data), formats=formats)
    except Exception:
        return Image.open(io.BytesIO(data.replace(b"Exif", b"none")), formats=formats)


def _cost(picture: Any, data: bytes, pixels: int) -> int:
    """How many bytes the decoding of a file of so many pixels takes: Pillow's picture, and what a decoder needs."""
    decoded = picture.width * picture.height  # fewer, if a JPEG is decoded reduced
    held = decoded * (1 if picture.mode in ("1", "L", "P") else 4)
    if picture.format in ("WEBP", "AVIF"):
        return held + 12 * pixels
    if picture.tile[0][0] in Image.DECODERS:  # decoders in Python are slow, which we count as bytes, too
        return held + 100 * pixels
    if picture.format == "TIFF":  # a strip or tile, which may be larger than the picture; or a turned copy
        tags = picture.tag_v2
        return held + max(pixels, tags.get(322, 0) * tags.get(323, 0)) * max(4, sum(tags.get(258, (1,))) // 8)
    scans, found = 0, MARKER.search(data, 2) if picture.format in ("JPEG", "MPO") else None
    while found and found[0] != b"\xff\xd9":
        scans += found[0] == b"\xff\xda"
        found = MARKER.search(data, found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big"))
    # A progressive JPEG keeps all coefficients. It has about 10 scans; more of them are slow.
    return held + (2 * len(picture.getbands()) + scans // 16) * pixels * (scans > 1)


def _reduced(picture: Image.Image, factor: int) -> Image.Image:
    """The decoded picture; if the factor is not 1, on white, each pixel the mean of factor x factor."""
    picture.load()
    if factor == 1 or picture.mode in ("I", "F"):  # the white of these depends on all pixels
        return picture.reduce(factor)
    width, height = picture.size
    sheet = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    rows = factor * max(LARGE // (8 * width * factor), 1)  # a strip, because `on_white` copies it several times
    for top in range(0, height, rows):
        strip = picture.crop((0, top, width, min(top + rows, height)))
        sheet.paste(on_white(strip).reduce(factor), (0, top // factor))
    return sheet


def _upright(picture: Image.Image, original: Image.Image) -> Image.Image:
    """The picture as the EXIF orientation of the original says, or as it is if the EXIF data is malformed."""
    try:
        turn = TURNS.get(original.getexif().get(0x0112, 1))
    except Exception:  # Pillow's reader of EXIF raises errors of every type
        turn = None
    return picture if turn is None else picture.transpose(Image.Transpose(turn))


def save_image(image: Tensor, file: str | os.PathLike) -> Path:
    """Write one image (1, C, H, W) as PNG, JPEG, WebP ..., as the name ends: the whole file or nothing."""
    path = Path(file).expanduser()
    picture = to_pil(image)
    if path.suffix.lower() not in Image.registered_extensions():
        raise ValueError(f"file must end in .png, .jpg, .webp or the like, not {path.suffix!r}")
    return write_whole(path, picture.save)


def write_whole(path: Path, save: Callable[[str], object]) -> Path:
    """Let `save` write a file, and move it to the path when it is whole; an older file stays there until then."""
    path.parent.mkdir(parents=True, exist_ok=True)
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
