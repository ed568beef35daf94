"""What callers may hand in: images, numbers, labels, activations; and the words that refuse the rest.

An image is a float32 tensor (B, C, H, W) in [0, 1]; photographs have C = 3 (RGB), digits C = 1.
"""

import math
import operator
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, SupportsIndex

import numpy as np
import torch
from PIL import Image
from torch import Tensor

Size = SupportsIndex | Sequence[SupportsIndex]  # pixels of a square, or (H, W)
ROUNDING = 1e-4  # values that lie outside [0, 1] by so little are clipped
MAX_PIXELS = 100_000_000  # a larger picture is refused before it is decoded, a larger size before it is made


def size_of(size: Size) -> tuple[int, int]:
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


def from_pil(picture: Image.Image) -> Tensor:
    """A Pillow picture as an image, (1, 3, H, W).

    Raises ValueError for a picture of floats or 32-bit numbers whose values have no clear white.
    """
    array = np.array(on_white(picture))  # (H, W, 3)
    if not array.size:
        raise ValueError(f"the picture has {picture.width} x {picture.height} pixels")
    return torch.from_numpy(array).permute(2, 0, 1)[None].float().div_(255)  # (1, 3, H, W)


def on_white(picture: Image.Image) -> Image.Image:
    """A Pillow picture of any mode in 8-bit RGB, on white where it is transparent; raises as `from_pil`."""
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
    return picture.convert("RGB")


def as_image(image: Any) -> Tensor:
    """An image as the course has it, a float tensor (B, C, H, W) in [0, 1], from any form whose meaning is clear.

    Takes float tensors of any precision (gradients flow back; 16 bits become 32), NumPy arrays (H, W), (H, W, C) or
    (B, C, H, W), and Pillow pictures. Whole numbers of 8 bits are divided by 255. Values that leave [0, 1] by rounding
    are clipped.

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
    image = image if image.dtype == torch.float64 else image.float()
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


def finite(size: Any, name: str) -> float:
    """One number, finite and at least 0, as a float; ValueError for anything else."""
    size = real(size, name)
    if not 0 <= size < math.inf:
        raise ValueError(f"{name} must be finite and at least 0, not {size:g}")
    return size


def pixel_eps(eps: Any) -> float:
    """Check an eps in pixel units: a ValueError if it is not in [0, 1], as 8 where 8/255 is meant."""
    eps = real(eps, "eps")
    if not 0 <= eps <= 1:
        hint = f"; did you mean {eps:g}/255?" if 1 < eps <= 255 else ""
        raise ValueError(f"eps must be in [0, 1], as pixels are, not {eps:g}{hint}")
    return eps


def as_labels(labels: Any, count: int) -> Tensor:
    """Whole numbers of any type, one per image, as int64, (count,); ValueError for anything else."""
    try:
        found = torch.as_tensor(labels)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"labels must be whole numbers, one per image, not {labels!r:.80}") from error
    if found.is_floating_point() or found.is_complex() or found.dtype == torch.bool:
        raise ValueError(f"labels must be whole numbers, the classes, not {found.dtype}")
    if not found.ndim or len(found) != count:
        number = len(found) if found.ndim else "one number"
        raise ValueError(f"examples must have a label for each image, not {number} for {count} images")
    return found.long().clone() if found.is_inference() else found.long()


def constant(target: Any, name: str = "target") -> Tensor:
    """A copy of what an objective aims at, as a float32 tensor without a gradient, whatever mode it was made in.

    Raises ValueError if it is no tensor, or has a value that is not finite.
    """
    with torch.inference_mode(False), torch.no_grad():
        try:
            copied = torch.as_tensor(target).detach().clone().float()
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"{name} must be a tensor of activations, not {type(target).__name__}") from error
        if not copied.ndim or not copied.isfinite().all():
            raise ValueError(f"{name} must be finite, (B, ...), not {tuple(copied.shape)} with NaN or infinity")
    return copied


def feature_maps(activations: Any, name: str = "activations") -> Tensor:
    """Check that activations are feature maps (B, channels, h, w): a ValueError if they are not, or not finite.

    What requires a gradient belongs to a run, which checks that it is finite.
    """
    if not isinstance(activations, Tensor) or activations.ndim != 4 or not activations.is_floating_point():
        found = tuple(activations.shape) if isinstance(activations, Tensor) else type(activations).__name__
        raise ValueError(f"{name} must be feature maps (B, channels, h, w), not {found}")
    activations = activations.float() if activations.dtype in (torch.float16, torch.bfloat16) else activations
    if not activations.requires_grad and not activations.isfinite().all():
        raise ValueError(f"{name} must be finite, not {tuple(activations.shape)} with NaN or infinity")
    return activations
