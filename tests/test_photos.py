"""The photographs that come with the course."""

import pytest
import torch

from cnnlab.material.photos import PHOTOS, photo


@pytest.mark.parametrize("name", PHOTOS)
def test_every_photograph_is_an_rgb_image_in_range(name):
    image = photo(name, 64)
    assert image.shape == (1, 3, 64, 64)
    assert image.dtype == torch.float32
    assert 0 <= image.min() < image.max() <= 1
    assert image.std() > 0.03


def test_a_photograph_keeps_its_size_or_takes_the_one_asked_for():
    assert photo("cat").shape == (1, 3, 300, 451)
    assert photo("china", (100, 200)).shape == (1, 3, 100, 200)
    with pytest.raises(ValueError, match="unknown photo 'dog': there are astronaut, .*cat"):
        photo("dog")
