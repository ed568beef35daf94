"""Images as tensors: files, sizes, starts; and what callers may hand in as an image or as a number.

An image is a float32 tensor (B, C, H, W) in [0, 1]; photographs have C = 3 (RGB), digits C = 1.
"""

import io
import math
import operator
import os
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from pathlib import Path
from typing import Any, BinaryIO, SupportsIndex

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Generator, Tensor

Size = SupportsIndex | Sequence[SupportsIndex]  # pixels of a square, or (H, W)
ROUNDING = 1e-4  # values that lie outside [0, 1] by so little are clipped
MAX_PIXELS, MAX_SIDE = 100_000_000, 65_535  # larger pictures are refused before they are decoded
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
    pair = None if size is None else _pair(size)
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
            return from_pil(upright, pair)


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


def resize(image: Tensor, size: Size) -> Tensor:
    """Bicubic resize to (H, W), or to a square, with antialiasing; clipped to [0, 1]."""
    image, pair = as_floats(image), _pair(size)
    if tuple(image.shape[-2:]) == pair:
        return image
    return F.interpolate(image, pair, mode="bicubic", antialias=True).clamp(0, 1)


def crop_to(image: Tensor, size: Size) -> Tensor:
    """The largest center crop with the proportions of `size`, resized to it."""
    image, (height, width) = as_floats(image), _pair(size)
    scale = min(image.shape[-2] / height, image.shape[-1] / width)
    return resize(center_crop(image, (max(round(height * scale), 1), max(round(width * scale), 1))), (height, width))


def center_crop(image: Tensor, size: Size) -> Tensor:
    """The middle (H, W) pixels."""
    image, (height, width) = as_floats(image), _pair(size)
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    if top < 0 or left < 0:
        raise ValueError(f"size must fit into the image's {tuple(image.shape[-2:])}, not {(height, width)}")
    return image[..., top : top + height, left : left + width]


def _pair(size: Size) -> tuple[int, int]:
    """A size as (H, W)."""
    numbers = integers(size, "size")
    pair = (numbers, numbers) if isinstance(numbers, int) else numbers
    if len(pair) != 2 or min(pair) < 1 or pair[0] * pair[1] > MAX_PIXELS:
        raise ValueError(f"size must be pixels, or (H, W), positive and at most {MAX_PIXELS:,} in all, not {size}")
    return pair[0], pair[1]


def image_shape(shape: Sequence[SupportsIndex]) -> tuple[int, ...]:
    """The shape of an image, checked."""
    numbers = integers(shape, "shape")
    if isinstance(numbers, int) or len(numbers) != 4 or min(numbers) < 1 or math.prod(numbers) > 10 * MAX_PIXELS:
        raise ValueError(f"shape must be four positive numbers, (B, C, H, W), not {shape}")
    return numbers


def gray(shape: Sequence[int]) -> Tensor:
    """Middle gray, (B, C, H, W)."""
    return torch.full(image_shape(shape), 0.5)


def noise(shape: Sequence[int], generator: Generator, std: float = 0.1, decay: float = 0.0) -> Tensor:
    """Gaussian noise around middle gray, clipped to [0, 1].

    Args:
        shape: (B, C, H, W).
        generator: where the random numbers come from.
        std: standard deviation per pixel, before clipping; at least 0.
        decay: amplitudes fall as 1 / frequency**decay: 0 is white noise, 1 as smooth as photographs are.
    """
    shape = image_shape(shape)
    std, decay = real(std, "std"), real(decay, "decay")
    if not (0 <= std < math.inf and abs(decay) <= 8):
        raise ValueError(f"std must be finite and at least 0, and decay lie in [-8, 8], not {std:g} and {decay:g}")
    white = torch.randn(shape, generator=generator)
    if decay and shape[-2] * shape[-1] > 1:
        amplitude = frequencies(shape[-2], shape[-1]) ** -decay
        white = torch.fft.irfft2(torch.fft.rfft2(white) * amplitude, s=shape[-2:])
        white = white / white.std(dim=(-2, -1), keepdim=True)
    return (0.5 + std * white).clamp(0, 1)


def frequencies(height: int, width: int) -> Tensor:
    """Cycles per pixel of each coefficient of `rfft2`, (H, W // 2 + 1); 0, the mean's, is raised to the lowest."""
    grid = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :])
    return grid.clamp(min=1 / max(height, width))


def from_pil(picture: Image.Image, size: Size | None = None) -> Tensor:
    """A Pillow picture as an image, (1, 3, H, W); `size` as in `load_image`.

    Raises ValueError for a picture of floats or 32-bit numbers whose values have no clear white.
    """
    if picture.mode.startswith("I") or picture.mode == "F":  # 16 bits and floats: Pillow would clip them at 255
        array = np.asarray(picture, dtype=np.float32)
        low, high = float(array.min()), float(array.max())  # NaN if there is one
        whites = (65535,) if picture.mode.startswith("I;") else (1, 255, 65535)
        white = next((white for white in whites if high <= white * (1 + ROUNDING)), 0)
        if not (white and low >= -ROUNDING and (white == whites[0] or high >= white / 16)):
            found = f"not [{low:.3g}, {high:.3g}]; scale it to [0, 1] before you save it"
            raise ValueError(f"the picture must have values in [0, 1], [0, 255] or [0, 65535], {found}")
        picture = Image.fromarray((array / white * 255).round().clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    array = np.array(picture.convert("RGB"))  # (H, W, 3)
    if not array.size:
        raise ValueError(f"the picture has {picture.width} x {picture.height} pixels")
    image = torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255  # (1, 3, H, W)
    return image if size is None else crop_to(image, size)


def as_image(image: Any) -> Tensor:
    """An image as the course has it, a float32 tensor (B, C, H, W) in [0, 1], from any form whose meaning is clear.

    Takes float tensors of other precision (gradients flow back), NumPy arrays (H, W), (H, W, C) or (B, C, H, W), and
    Pillow pictures. Whole numbers of 8 bits are divided by 255. Values that leave [0, 1] by rounding are clipped.

    Raises ValueError for anything else; it says what is wrong, and prints the range of the values.
    """
    if isinstance(image, Image.Image):
        return from_pil(image)
    if isinstance(image, np.ndarray) and (image.dtype.kind == "f" or image.dtype == np.uint8):
        array = image[..., None] if image.ndim == 2 else image
        array = array.transpose(2, 0, 1)[None] if array.ndim == 3 else array
        with np.errstate(over="ignore"):  # what becomes infinite is refused below
            image = torch.from_numpy(np.array(array, np.float32 if array.dtype.kind == "f" else np.uint8, order="C"))
    if not isinstance(image, Tensor):
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"image must be a tensor (B, C, H, W) with values in [0, 1], not {found}")
    if image.dtype == torch.uint8:
        image = image / 255
    found = f"{str(image.dtype).removeprefix('torch.')} {tuple(image.shape)}"
    if not image.is_floating_point() or image.ndim != 4 or image.numel() == 0:
        hint = "; image[None] makes a batch of one" if image.ndim == 3 else ""
        raise ValueError(f"image must be a float tensor (B, C, H, W) with values in [0, 1], not {found}{hint}")
    image = image.float()
    low, high = (extreme.item() for extreme in image.detach().aminmax())
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):
        hint = "; divide by 255?" if low >= 0 and high > 2 else ""
        raise ValueError(f"image must have values in [0, 1], not {found} in [{low:.3g}, {high:.3g}]{hint}")
    return image if low >= 0 and high <= 1 else image.clamp(0, 1)


def as_floats(image: Any) -> Tensor:
    """The same as `as_image`, but a float tensor (B, C, H, W) may have any finite values: it may be a difference, say.

    A tensor that requires a gradient is not looked at: it belongs to a run, which checks it.
    """
    ready = isinstance(image, Tensor) and image.dtype in (torch.float32, torch.float64)
    if not (ready and image.ndim == 4 and image.numel()):
        return as_image(image)
    if not image.requires_grad and not math.isfinite(image.sum()):
        raise ValueError(f"image must be finite, not {tuple(image.shape)} with NaN or infinity")
    return image


def integers(value: Any, name: str) -> int | tuple[int, ...]:
    """A whole number of Python, NumPy or torch as an int, or several of them as a tuple of ints.

    Raises ValueError for anything else, such as 1.0, True or an empty list; it calls the value by `name`.
    """
    plain: Any = value.tolist() if isinstance(value, Tensor | np.ndarray | np.generic) else value
    several = isinstance(plain, Iterable) and not isinstance(plain, str)
    numbers: list[int] = []
    for item in plain if several else [plain]:
        number: Any = item.item() if isinstance(item, Tensor | np.ndarray) and item.ndim == 0 else item
        if isinstance(number, bool) or not hasattr(number, "__index__") or isinstance(number, Tensor | np.ndarray):
            raise ValueError(f"{name} must be a whole number or a row of them, not {value!r}")
        numbers.append(operator.index(number))
    if not numbers or max(map(abs, numbers)) >= 2**63:
        raise ValueError(f"{name} must be whole numbers of at most 64 bits, at least one, not {value!r}")
    return tuple(numbers) if several else numbers[0]


def integer(value: Any, name: str, least: int = 0) -> int:
    """One whole number of Python, NumPy or torch, at least `least`, as an int; ValueError for anything else."""
    number = integers(value, name)
    if not isinstance(number, int):
        raise ValueError(f"{name} must be one whole number, not {value!r}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, not {number}")
    return number


def real(value: Any, name: str) -> float:
    """One number of Python, NumPy or torch as a float, which may be NaN; ValueError for anything else."""
    one = isinstance(value, Real) or (isinstance(value, Tensor | np.ndarray) and value.ndim == 0)
    if not one or isinstance(value, bool):
        raise ValueError(f"{name} must be a number, not {value!r}")
    return float(value)
