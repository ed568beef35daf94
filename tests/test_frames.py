"""What a panel shows: pictures of images and Figures, the curve of a run, and the files that it writes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from cnnlab.plots.base import BLUE
from cnnlab.teaching.frames import SIDE, curve, picture, write_new


def test_a_failed_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AttributeError):
        write_new("half", "no picture")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_the_curve_is_drawn_from_the_objective() -> None:
    flat, falling = curve([1.0] * 30, 60, 320), curve([-float(n) for n in range(30)], 60, 320)
    assert flat.size == falling.size == (640, 280)
    assert flat.tobytes() != falling.tobytes()
    line = [round(255 * value) for value in to_rgb(BLUE)]
    rows, columns = (np.asarray(falling) == line).all(axis=-1).nonzero()
    assert columns.max() < 400  # 30 of 60 steps: the line ends in the middle of the axis
    assert rows[columns.argmin()] < rows[columns.argmax()]  # and falls


@pytest.mark.parametrize(("batch", "columns", "rows"), [(1, 1, 1), (3, 2, 2), (4, 2, 2), (5, 3, 2)])
def test_small_batches_are_tiled_and_enlarged_by_whole_pixels(batch: int, columns: int, rows: int) -> None:
    images = torch.rand(batch, 1, 8, 8)
    sheet = picture(images)
    factor = SIDE // (columns * 9 - 1)
    assert sheet.size == (factor * (columns * 9 - 1), factor * (rows * 9 - 1))
    level = round(float(images[batch - 1, 0, 7, 3]) * 255)
    column, row = (batch - 1) % columns, (batch - 1) // columns
    assert sheet.getpixel((factor * (9 * column + 3) + factor // 2, factor * (9 * row + 7))) == (level,) * 3


def test_images_pictures_and_figures_are_drawn_and_nothing_else() -> None:
    assert picture(torch.rand(1, 3, 224, 224)).size == (224, 224)
    assert picture(torch.rand(4, 3, 200, 200, requires_grad=True)).size == (404, 404)  # wider gaps for large images
    assert picture(Image.new("L", (100, 70))).size == (100, 70)
    figure = Figure(figsize=(3, 2), dpi=50)
    figure.add_subplot().plot([0, 1])
    assert picture(figure).size == (150, 100)
    for wrong in (torch.rand(3, 8, 8), torch.rand(1, 2, 8, 8), torch.rand(0, 3, 8, 8), "cat", None):
        with pytest.raises(ValueError, match=r"a panel shows images \(B, C, H, W\)"):
            picture(wrong)  # type: ignore[arg-type]
