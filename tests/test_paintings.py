"""The paintings: real images, each with a style of its own; the files are what the painters paint; the brushes."""

import hashlib
import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from skimage.color import lab2rgb, rgb2lab

from cnnlab._data import DATA
from cnnlab.files import load_image
from cnnlab.images import crop_to
from cnnlab.material.paintings import PAINTINGS, _canvas, painting
from tools.make_paintings import make_painting
from tools.paintings import brushes
from tools.paintings.painters import PAINTERS

SMALL = 96


def style(image: torch.Tensor) -> torch.Tensor:
    """Colors and textures: means and covariances of the channels and their steps to the right and down."""
    right, down = image.diff(dim=-1)[..., :-1, :], image.diff(dim=-2)[..., :-1]
    features = torch.cat([image[..., :-1, :-1], 3 * right.abs(), 3 * down.abs()], 1)[0].flatten(1)  # (9, positions)
    return torch.cat([features.mean(1), torch.cov(features).flatten()])


def test_every_painting_has_a_painter_and_a_file_of_the_recorded_hash():
    assert tuple(PAINTERS) == PAINTINGS
    recorded = dict(line.split()[::-1] for line in (DATA / "SHA256SUMS").read_text().splitlines())
    files = {f"paintings/{file.name}": file for file in (DATA / "paintings").iterdir()}
    assert set(files) == {f"paintings/{name}.webp" for name in PAINTINGS}
    for name, file in files.items():
        assert hashlib.sha256(file.read_bytes()).hexdigest() == recorded[name], name


@pytest.mark.parametrize("name", PAINTINGS)
def test_it_is_an_image_with_contrast_color_and_texture(name):
    image = painting(name)
    assert image.shape == (1, 3, 512, 512)
    assert image.dtype == torch.float32
    assert image.min() >= 0
    assert image.max() <= 1
    gray = image.mean(1)
    dark, light = gray.quantile(torch.tensor([0.02, 0.98]))
    assert light - dark > 0.35
    assert (image.amax(1) - image.amin(1)).mean() > 0.08  # the least colorful is ink on yellowish paper
    fine, coarse = gray - crop_to(crop_to(gray[None], 128), 512)[0], crop_to(gray[None], 16).std()
    assert fine.std() > 0.02
    assert coarse > 0.05  # and a composition: light and dark places
    assert (image == image.round()).float().mean() < 0.15  # hardly anything is clipped to 0 or 1


@pytest.mark.parametrize("size", [64, (48, 80), (80, 48)])
def test_sizes(size):
    height, width = (size, size) if isinstance(size, int) else size
    image = painting("wave", size)
    assert image.shape == (1, 3, height, width)
    torch.testing.assert_close(image, crop_to(painting("wave", 720), size), atol=1e-5, rtol=0)


def test_the_composition_does_not_depend_on_the_size():
    for name in PAINTINGS:
        assert (painting(name, 64) - crop_to(painting(name, 512), 64)).abs().mean() < 0.02, name


def test_a_file_holds_what_its_painter_paints(tmp_path: Path):
    painter, seed = PAINTERS["wave"]
    canvas = torch.from_numpy(painter(np.random.default_rng(seed))).permute(2, 0, 1)[None].clamp(0, 1).float()
    shipped = painting("wave", brushes.SIZE)
    assert (shipped - canvas).abs().mean() < 0.015  # what the compression costs
    written = tmp_path / "paintings" / "wave.webp"
    sha256 = make_painting("wave", written)
    assert hashlib.sha256(written.read_bytes()).hexdigest() == sha256
    assert (load_image(written) - shipped).abs().mean() < 0.01  # 0 on the processor that made the files


def test_a_caller_cannot_spoil_the_canvas():
    whole = painting("wave", brushes.SIZE)
    kept = whole.clone()
    whole.zero_()
    assert torch.equal(painting("wave", brushes.SIZE), kept)


def test_each_has_a_style_of_its_own():
    whole = {name: style(painting(name, SMALL)) for name in PAINTINGS}
    left = {name: style(painting(name, SMALL)[..., : SMALL // 2]) for name in PAINTINGS}
    right = {name: style(painting(name, SMALL)[..., SMALL // 2 :]) for name in PAINTINGS}
    within = np.median([(left[name] - right[name]).norm() for name in PAINTINGS])
    for one, other in itertools.combinations(PAINTINGS, 2):
        assert (whole[one] - whole[other]).norm() > max(within, 0.1), (one, other)


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=f"'nachtwacht'.*{', '.join(PAINTINGS)}"):
        painting("nachtwacht")


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    shutil.copy(DATA / "SHA256SUMS", tmp_path)
    shutil.copy(DATA / "SHA256SUMS.packages", tmp_path)
    monkeypatch.setattr("cnnlab._data.DATA", tmp_path)
    _canvas.cache_clear()
    with pytest.raises(RuntimeError, match=r"paintings.wave\.webp is missing: install cnnlab again"):
        painting("wave")


def test_ramp_mixes_in_lab():
    red, blue = [200 / 255, 50 / 255, 30 / 255], [20 / 255, 60 / 255, 150 / 255]
    colors = brushes.ramp(np.array([-1, 0, 0.5, 1, 2]), "c8321e 143c96")
    middle = lab2rgb((rgb2lab([red]) + rgb2lab([blue])) / 2)[0]
    np.testing.assert_allclose(colors, [red, red, middle, blue, blue], atol=2e-3)


def test_field_is_standardized_and_smoother_where_it_is_stretched():
    field = brushes.field(np.random.default_rng(0), 10, 2.5, (1, 5))
    assert field.mean() == pytest.approx(0, abs=1e-4)
    assert field.std() == pytest.approx(1, abs=1e-3)
    assert np.diff(field, axis=0).std() > 2 * np.diff(field, axis=1).std()


def test_a_stroke_follows_the_angle_and_takes_its_color_from_its_middle():
    canvas, target = np.zeros((brushes.SIZE, brushes.SIZE, 4)), np.zeros((brushes.SIZE, brushes.SIZE, 3))
    target[..., 0] = brushes.X
    brushes.brush(np.random.default_rng(1), canvas, target, np.pi / 2 + 0 * brushes.X, 1, 0.2, 0.02, jitter=0, dry=0)
    row, column = np.nonzero(canvas[..., 3])
    assert np.ptp(row) == pytest.approx(0.2 * brushes.SIZE, abs=3)  # pi / 2 points down
    assert np.ptp(column) == pytest.approx(0.02 * brushes.SIZE, abs=3)
    assert canvas[row, column, 0].mean() == pytest.approx(column.mean() / brushes.SIZE, rel=0.05)
    assert not canvas[row, column, 1:3].any()


def test_strokes_begin_only_where_they_may():
    canvas, target = np.zeros((brushes.SIZE, brushes.SIZE, 4)), np.ones((brushes.SIZE, brushes.SIZE, 3))
    brushes.brush(np.random.default_rng(0), canvas, target, 0 * brushes.X, 500, 0.02, 0.01, brushes.X > 0.5)
    assert canvas[..., 3].any()
    assert not canvas[:, : brushes.SIZE // 2 - 1].any()


def test_tesserae_are_near_their_centers_and_of_one_size():
    tile, centers = brushes.tesserae(np.random.default_rng(0), 0 * brushes.X, 1 / 30)
    area = np.bincount(tile.ravel(), minlength=len(centers))
    assert np.percentile(area, 5) > 0.7 * (brushes.SIZE / 30) ** 2
    assert np.percentile(area, 95) < 1.3 * (brushes.SIZE / 30) ** 2
    positions = np.stack(np.divmod(np.arange(brushes.SIZE**2), brushes.SIZE), -1)[::97]
    nearest = cKDTree(centers).query(positions, p=np.inf)[0]  # angle 0: nearly the maximum norm
    own = np.abs(positions - centers[tile.ravel()[::97]]).max(1)
    assert np.mean(own - nearest) < 0.5  # pixels


def test_seams_are_distances_to_the_next_piece():
    pieces = np.zeros((5, 9), int)
    pieces[:, 4:] = 1
    np.testing.assert_array_equal(brushes.seams(pieces)[2], [4, 3, 2, 1, 0, 1, 2, 3, 4])
