"""Movies: as many frames as given, whole files, clear errors."""

import pytest
import torch
from PIL import Image

from cnnlab.movies import save_movie


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_a_movie_has_its_frames_and_plays_for_ever(tmp_path, ending):
    frames = (torch.rand(1, 3, 16, 20) for _ in range(5))
    path = save_movie(frames, tmp_path / f"m.{ending}", fps=10)
    with Image.open(path) as movie:
        assert movie.n_frames == 5
        assert movie.size == (20, 16)
        assert movie.info["loop"] == 0
        movie.seek(1)
        movie.load()
        assert movie.info["duration"] == 100


def test_errors_leave_nothing_behind(tmp_path):
    with pytest.raises(ValueError, match="end in .gif or .webp"):
        save_movie([torch.rand(1, 3, 4, 4)], tmp_path / "m.avi")
    with pytest.raises(ValueError, match="at least one"):
        save_movie([], tmp_path / "m.gif")
    with pytest.raises(ValueError, match="one picture"):
        save_movie([torch.rand(2, 3, 4, 4)], tmp_path / "m.gif")
    assert not list(tmp_path.iterdir())
