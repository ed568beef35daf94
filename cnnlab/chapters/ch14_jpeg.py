"""What a JPEG file does to a photograph: in chapter 14, the control for a change that nobody sees."""

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def as_jpeg(images: Tensor, quality: int) -> Tensor:
    """Save each image, (B, 3, H, W) in [0, 1], as a JPEG file of a quality from 1 to 95, and load it again."""
    loaded = []
    for pixels in (255 * images).round().byte().permute(0, 2, 3, 1).numpy():
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        loaded.append(torch.from_numpy(np.array(Image.open(file))))
    return torch.stack(loaded).permute(0, 3, 1, 2).float() / 255
