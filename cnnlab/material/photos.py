"""The photographs that come with the course, inside scikit-image and scikit-learn."""

import io

from PIL import Image
from torch import Tensor

from cnnlab._data import course_file
from cnnlab.images import crop_to
from cnnlab.inputs import Size, from_pil

# name -> its file in scikit-image, or in scikit-learn
_SKIMAGE = {
    "astronaut": "astronaut.png", "brick": "brick.png", "camera": "camera.png", "cat": "chelsea.png",
    "coffee": "coffee.png", "coins": "coins.png", "grass": "grass.png", "gravel": "gravel.png",
    "hubble": "hubble_deep_field.jpg", "moon": "moon.png", "motorcycle": "motorcycle_left.png", "retina": "retina.jpg",
    "rocket": "rocket.jpg", "tissue": "ihc.png",
}  # fmt: skip
_SKLEARN = {"china": "china.jpg", "flower": "flower.jpg"}
PHOTOS: tuple[str, ...] = tuple(sorted([*_SKIMAGE, *_SKLEARN]))


def photo(name: str, size: Size | None = None) -> Tensor:
    """A photograph that comes with the course, (1, 3, H, W).

    Args:
        name: one of `PHOTOS`, whose licenses are in data/README.md; another one raises a ValueError.
        size: pixels of a square center crop, or (H, W), resized with antialiasing; None keeps the original size.
    """
    if name not in PHOTOS:
        raise ValueError(f"unknown photo {name!r}: there are {', '.join(PHOTOS)}")
    file = f"skimage/data/{_SKIMAGE[name]}" if name in _SKIMAGE else f"sklearn/datasets/images/{_SKLEARN[name]}"
    with Image.open(io.BytesIO(course_file(file))) as picture:
        image = from_pil(picture)
    return image if size is None else crop_to(image, size)
