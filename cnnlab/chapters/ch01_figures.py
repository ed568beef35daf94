"""Pictures of chapter 01: found positions as dots, what a neuron sees as a bright square, a window that slides."""

import numpy as np
import torch
from IPython.display import Image
from torch import Tensor

from cnnlab.inputs import from_pil
from cnnlab.plots.grids import show_numbers
from cnnlab.plots.movies import save_movie
from cnnlab.teaching.frames import picture


def dotted(image: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Draw red dots into a gray image (H, W) in [0, 1], one at each position (y, x): (3, H, W)."""
    colored = np.stack([image] * 3)
    for y, x in positions:
        colored[:, max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = np.array([1, 0, 0])[:, None, None]
    return colored


def spotlight(image: Tensor, begin: int, size: int) -> Tensor:
    """Darken an image (1, C, H, W) outside a square: pixels `begin` to `begin` + `size` of both axes."""
    light = torch.full_like(image, 0.25)
    light[..., begin : begin + size, begin : begin + size] = 1
    return image * light


def sliding_movie(numbers: np.ndarray, kernel: np.ndarray, response: np.ndarray, file: str) -> Image:
    """Show as a movie how the window slides over small numbers (H, W), and how their response is filled in."""
    frames, (h, w) = [], kernel.shape
    for y, x in np.ndindex(response.shape):
        window, so_far = numbers[y : y + h, x : x + w], np.zeros(response.shape)
        so_far.flat[: y * response.shape[1] + x + 1] = response.flat[: y * response.shape[1] + x + 1]
        shown = {"picture": numbers, "kernel": kernel, "products": window * kernel, "response: their sum": so_far}
        boxes = {"picture": [(y, x, h, w)], "products": [(0, 0, h, w)], "response: their sum": [(y, x, 1, 1)]}
        frames.append(from_pil(picture(show_numbers(shown, boxes))))
    return Image(save_movie(frames, file, fps=1, colors=32))
