"""The pictures of chapter 01 show what they say."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cnnlab.chapters import ch01_figures


def test_dots_stand_where_they_belong_and_the_image_stays_as_it_was() -> None:
    image = np.full((20, 30), 0.5)
    colored = ch01_figures.dotted(image, np.array([[0, 3], [10, 20]]))
    assert colored[:, 10, 20].tolist() == colored[:, 0, 3].tolist() == [1, 0, 0]
    assert colored[:, 10, 3].tolist() == [0.5] * 3
    assert (image == 0.5).all()


def test_a_spotlight_darkens_what_a_neuron_does_not_see() -> None:
    seen = ch01_figures.spotlight(torch.ones(1, 3, 8, 8), 2, 3)
    assert int((seen == 1).sum()) == 3 * 9
    assert (seen[..., 2:5, 2:5] == 1).all()


def test_the_window_slides_over_every_position(tmp_path: Path) -> None:
    numbers, kernel, response = np.eye(4), np.ones((2, 3)), np.arange(6.0).reshape(3, 2)
    file = tmp_path / "out" / "sliding.gif"
    shown = ch01_figures.sliding_movie(numbers, kernel, response, str(file))
    assert shown.data == file.read_bytes()
    assert Image.open(file).n_frames == 6
