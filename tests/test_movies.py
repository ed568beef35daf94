"""Movies: as many frames as given, whole files, clear errors."""

import pytest
import torch
from PIL import Image

from cnnlab import Run, Step
from cnnlab.plots import movies
from cnnlab.plots.movies import filmed, save_movie


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


def brightening(steps, side):
    """A run of `steps` steps whose image gets brighter; `side(n)` is its height after step n."""
    run = Run((Step(n, steps, float(n)) for n in range(1, steps + 1)), steps, lambda: image(len(run.values)))

    def image(n):
        return torch.full((1, 3, side(n), 2 * side(n)), n / steps)

    return run


def test_a_filmed_run_is_unchanged_and_its_movie_covers_it_evenly(tmp_path, monkeypatch):
    monkeypatch.setattr(movies, "FRAMES", 5)
    run = filmed(brightening(20, lambda n: 4 + n), tmp_path / "m.gif")
    assert len(run) == 20
    assert list(run) == list(brightening(20, lambda n: 4 + n))
    assert torch.equal(run.image, torch.ones(1, 3, 24, 48))
    with Image.open(tmp_path / "m.gif") as movie:
        assert (movie.n_frames, movie.size) == (5, (192, 96))
        grays = []
        for frame in range(5):
            movie.seek(frame)
            grays.append(movie.convert("L").getpixel((8, 4)))
    assert grays == pytest.approx([255 * k / 5 for k in range(1, 6)], abs=2)


def test_a_run_that_is_left_is_filmed_so_far(tmp_path):
    run = filmed(brightening(20, lambda n: 8), tmp_path / "m.gif")
    for step in run:
        if step.number == 7:
            break
    del run
    with Image.open(tmp_path / "m.gif") as movie:
        assert movie.n_frames == 7


def test_a_run_left_before_its_first_frame_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(movies, "FRAMES", 2)
    run = filmed(brightening(20, lambda n: 8), tmp_path / "m.gif")
    next(run)
    del run
    assert not list(tmp_path.iterdir())


def test_the_folder_of_a_movie_is_made(tmp_path):
    file = save_movie([torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8)], tmp_path / "new" / "film.gif")
    assert file.exists()
