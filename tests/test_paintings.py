"""The paintings: real images, painted the same each time, each with a style of its own; and what they are made with."""

import itertools

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from skimage.color import lab2rgb, rgb2lab

from cnnlab import brushes
from cnnlab.images import crop_to
from cnnlab.paintings import PAINTINGS, _canvas, painting

SMALL = 96


def style(image: torch.Tensor) -> torch.Tensor:
    """Colours and textures: means and covariances of the channels and their steps to the right and down."""
    right, down = image.diff(dim=-1)[..., :-1, :], image.diff(dim=-2)[..., :-1]
    features = torch.cat([image[..., :-1, :-1], 3 * right.abs(), 3 * down.abs()], 1)[0].flatten(1)  # (9, positions)
    return torch.cat([features.mean(1), torch.cov(features).flatten()])


def test_there_are_at_least_seven():
    assert len(set(PAINTINGS)) == len(PAINTINGS) >= 7


@pytest.mark.parametrize("name", PAINTINGS)
def test_it_is_an_image_with_contrast_colour_and_texture(name):
    image = painting(name)
    assert image.shape == (1, 3, 512, 512)
    assert image.dtype == torch.float32
    assert image.min() >= 0
    assert image.max() <= 1
    grey = image.mean(1)
    dark, light = grey.quantile(torch.tensor([0.02, 0.98]))
    assert light - dark > 0.35
    assert (image.amax(1) - image.amin(1)).mean() > 0.08  # the least colourful is ink on yellowish paper
    fine, coarse = grey - crop_to(crop_to(grey[None], 128), 512)[0], crop_to(grey[None], 16).std()
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


def test_a_painting_is_painted_the_same_again():
    for name in ("glass", "wave"):
        assert torch.equal(_canvas.__wrapped__(name), painting(name, brushes.SIZE))  # not from the cache


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


def test_ramp_mixes_in_lab():
    red, blue = [200 / 255, 50 / 255, 30 / 255], [20 / 255, 60 / 255, 150 / 255]
    colours = brushes.ramp(np.array([-1, 0, 0.5, 1, 2]), "c8321e 143c96")
    middle = lab2rgb((rgb2lab([red]) + rgb2lab([blue])) / 2)[0]
    np.testing.assert_allclose(colours, [red, red, middle, blue, blue], atol=2e-3)


def test_field_is_standardised_and_smoother_where_it_is_stretched():
    field = brushes.field(np.random.default_rng(0), 10, 2.5, (1, 5))
    assert field.mean() == pytest.approx(0, abs=1e-4)
    assert field.std() == pytest.approx(1, abs=1e-3)
    assert np.diff(field, axis=0).std() > 2 * np.diff(field, axis=1).std()


def test_a_stroke_follows_the_angle_and_takes_its_colour_from_its_middle():
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


def test_tesserae_are_near_their_centres_and_of_one_size():
    tile, centres = brushes.tesserae(np.random.default_rng(0), 0 * brushes.X, 1 / 30)
    area = np.bincount(tile.ravel(), minlength=len(centres))
    assert np.percentile(area, 5) > 0.7 * (brushes.SIZE / 30) ** 2
    assert np.percentile(area, 95) < 1.3 * (brushes.SIZE / 30) ** 2
    place = np.stack(np.divmod(np.arange(brushes.SIZE**2), brushes.SIZE), -1)[::97]
    nearest = cKDTree(centres).query(place, p=np.inf)[0]  # angle 0: nearly the maximum norm
    own = np.abs(place - centres[tile.ravel()[::97]]).max(1)
    assert np.mean(own - nearest) < 0.5  # pixels


def test_seams_are_distances_to_the_next_piece():
    pieces = np.zeros((5, 9), int)
    pieces[:, 4:] = 1
    np.testing.assert_array_equal(brushes.seams(pieces)[2], [4, 3, 2, 1, 0, 1, 2, 3, 4])
