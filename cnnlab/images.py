"""Images as tensors: files, sizes, starts.

An image is a float32 tensor (B, C, H, W) in [0, 1]; photographs have C = 3 (RGB), digits C = 1.
"""

import io
import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Generator, Tensor

Size = int | tuple[int, int]


MAX_PIXELS = 100_000_000  # larger pictures are refused before they are decoded


def load_image(file: str | os.PathLike | bytes, size: Size | None = None) -> Tensor:
    """Load a picture of your own, (1, 3, H, W).

    It is turned as its EXIF orientation says and laid on white where it is transparent. Gray, palette, 16-bit and CMYK
    pictures become RGB.

    Args:
        file: a path, or the file's bytes (as an upload gives them).
        size: pixels of a square center crop, or (H, W); None keeps the size.

    Raises:
        ValueError: if Pillow cannot read it as a picture, or it is too large.
        FileNotFoundError: if there is no such file.
    """
    source = io.BytesIO(file) if isinstance(file, bytes) else Path(file)
    name = "the uploaded file" if isinstance(file, bytes) else str(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS is our own limit
            with Image.open(source) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise ValueError(f"{name} has {width} x {height} pixels; at most {MAX_PIXELS:,} are loaded")
                return from_pil(ImageOps.exif_transpose(picture), size)
    except (Image.UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{name} cannot be read as a picture ({error})") from error


def save_image(image: Tensor, file: str | os.PathLike) -> Path:
    """Write one image (1, C, H, W) as PNG, JPEG, WebP ..., as the name ends: the whole file or nothing."""
    path = Path(file)
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
    if image.ndim == 4 and len(image) == 1:
        image = image[0]
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise ValueError(f"image must be one picture (1, C, H, W) with C = 1 or 3, not {tuple(image.shape)}")
    array = (image.detach().float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()  # (H, W, C)
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def resize(image: Tensor, size: Size) -> Tensor:
    """Bicubic resize to (H, W), or to a square, with antialiasing; clipped to [0, 1]."""
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if min(pair) < 1:
        raise ValueError(f"size must be positive pixels, not {size}")
    if tuple(image.shape[-2:]) == pair:
        return image
    return F.interpolate(image, pair, mode="bicubic", antialias=True).clamp(0, 1)


def crop_to(image: Tensor, size: Size) -> Tensor:
    """The largest center crop with the proportions of `size`, resized to it."""
    height, width = (size, size) if isinstance(size, int) else size
    scale = min(image.shape[-2] / height, image.shape[-1] / width)
    return resize(center_crop(image, (round(height * scale), round(width * scale))), (height, width))


def center_crop(image: Tensor, size: Size) -> Tensor:
    """The middle (H, W) pixels."""
    height, width = (size, size) if isinstance(size, int) else size
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    if top < 0 or left < 0:
        raise ValueError(f"size must fit into the image's {tuple(image.shape[-2:])}, not {(height, width)}")
    return image[..., top : top + height, left : left + width]


def gray(shape: Sequence[int]) -> Tensor:
    """Middle gray, (B, C, H, W)."""
    return torch.full(tuple(shape), 0.5)


def noise(shape: Sequence[int], generator: Generator, std: float = 0.1, decay: float = 0.0) -> Tensor:
    """Gaussian noise around middle gray, clipped to [0, 1].

    Args:
        shape: (B, C, H, W).
        generator: where the random numbers come from.
        std: standard deviation per pixel, before clipping.
        decay: amplitudes fall as 1 / frequency**decay: 0 is white noise, 1 as smooth as photographs are.
    """
    white = torch.randn(tuple(shape), generator=generator)
    if decay:
        amplitude = frequencies(shape[-2], shape[-1]) ** -decay
        white = torch.fft.irfft2(torch.fft.rfft2(white) * amplitude, s=tuple(shape[-2:]))
        white = white / white.std(dim=(-2, -1), keepdim=True)
    return (0.5 + std * white).clamp(0, 1)


def frequencies(height: int, width: int) -> Tensor:
    """Cycles per pixel of each coefficient of `rfft2`, (H, W // 2 + 1); 0, the mean's, is raised to the lowest."""
    grid = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :])
    return grid.clamp(min=1 / max(height, width))


def from_pil(picture: Image.Image, size: Size | None = None) -> Tensor:
    """A Pillow picture as an image, (1, 3, H, W); `size` as in `load_image`."""
    if picture.mode.startswith("I") or picture.mode == "F":  # 16 bits and floats: Pillow would clip them at 255
        array = np.asarray(picture, dtype=np.float32)
        white = 65535 if picture.mode != "F" else 255 if array.max() > 1 else 1
        picture = Image.fromarray((array / white * 255).round().clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    array = np.array(picture.convert("RGB"))  # (H, W, 3)
    image = torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255  # (1, 3, H, W)
    return image if size is None else crop_to(image, size)


def check_image(image: Tensor) -> None:
    """Raise a ValueError unless it is an image, (B, C, H, W) with values in [0, 1]."""
    if image.ndim != 4 or image.numel() == 0 or not all(0 <= extreme.item() <= 1 for extreme in image.aminmax()):
        raise ValueError(f"image must be (B, C, H, W) with values in [0, 1], not {tuple(image.shape)}" + _range(image))


def _range(image: Tensor) -> str:
    return f" in [{image.min():.3g}, {image.max():.3g}]" if image.numel() else ""
