"""Crops of the photographs: two parts that share nothing, random squares, other colors."""

import pytest
import torch
from torch import Generator

from cnnlab.images import resize
from cnnlab.material.crops import augment_crops, photo_crops, photo_part, random_crops
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.training import Examples


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def few() -> Examples:
    return photo_crops(10, seeded())  # 160 crops


@pytest.mark.parametrize("name", ["cat", "retina", "camera"])
def test_the_two_parts_share_no_pixel_and_lose_none(name: str) -> None:
    learned, tested = photo_part(name), photo_part(name, held_out=True)
    assert min(learned.shape[2], learned.shape[3] + tested.shape[3]) == 400
    whole = torch.cat([learned, tested], dim=3)
    torch.testing.assert_close(whole, resize(photo(name), tuple(whole.shape[2:])))
    assert 0.6 < learned.shape[3] / whole.shape[3] < 0.7


def test_random_crops_lie_inside_the_image_and_are_what_they_show() -> None:
    height, width = 200, 300
    image = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))[None] + 0.5
    image = torch.cat([image, torch.ones(1, 1, height, width)], dim=1)  # each pixel says where it is
    shown = random_crops(image, 200, seeded())  # (200, 3, 72, 72)
    rows, columns = shown[:, 0], shown[:, 1]
    assert rows.min() > 0
    assert rows.max() < height
    assert columns.min() > 0
    assert columns.max() < width
    sides = (rows[:, -1, 0] - rows[:, 0, 0]) * 72 / 71
    across = (columns[:, 0, -1] - columns[:, 0, 0]) * 72 / 71
    assert 60 < sides.min() < 80  # the filter of the border takes a little
    assert 120 < sides.max() <= 128.5
    torch.testing.assert_close(across.abs(), sides, rtol=0.03, atol=0.5)
    assert 60 < (across < 0).sum() < 140, "half of them are mirrored"


def test_crops_are_labeled_and_repeat_with_their_generator(few: Examples) -> None:
    assert few.images.shape == (160, 3, 72, 72)
    assert few.labels.tolist() == list(range(16)) * 10
    assert torch.equal(few.images, photo_crops(10, seeded()).images)
    assert not torch.equal(few.images, photo_crops(10, seeded(1)).images)
    brick, coffee = few.images[PHOTOS.index("brick") :: 16], few.images[PHOTOS.index("coffee") :: 16]
    assert brick.std(dim=1).max() < 1e-5 < coffee.std(dim=1).mean()  # gray, and colored


def test_augmented_crops_are_mirrored_parts_in_other_colors() -> None:
    image = torch.rand((1, 3, 72, 72), generator=seeded()).expand(40, -1, -1, -1) * 0.5
    seen = augment_crops(image, seeded())
    assert seen.shape == (40, 3, 64, 64)
    assert torch.equal(seen, augment_crops(image, seeded()))
    gray_image = torch.full((40, 3, 72, 72), 0.5)
    light = augment_crops(gray_image, seeded())
    assert light.flatten(2).std(dim=2).max() < 1e-6
    assert light.min() >= 0.5 * 0.75 - 1e-6
    assert light.max() <= 0.5 * 1.25 + 1e-6
