"""The photographs that come with the course, inside scikit-image and scikit-learn."""

from PIL import Image
from torch import Tensor

from cnnlab.images import crop_to
from cnnlab.inputs import Size, from_pil

# name -> its name in scikit-image, or its file in scikit-learn
_SKIMAGE = {
    "astronaut": "astronaut", "brick": "brick", "camera": "camera", "cat": "cat", "coffee": "coffee", "coins": "coins",
    "grass": "grass", "gravel": "gravel", "hubble": "hubble_deep_field", "moon": "moon", "retina": "retina",
    "rocket": "rocket", "tissue": "immunohistochemistry",
}  # fmt: skip
_SKLEARN = {"china": "china.jpg", "flower": "flower.jpg"}
PHOTOS: tuple[str, ...] = tuple(sorted([*_SKIMAGE, *_SKLEARN, "motorcycle"]))


def photo(name: str, size: Size | None = None) -> Tensor:
    """A photograph that comes with the course, (1, 3, H, W).

    Args:
        name: one of `PHOTOS`; another one raises a ValueError. Their licenses are in data/README.md.
        size: pixels of a square center crop, or (H, W), resized with antialiasing; None keeps the original size.
    """
    if name in _SKLEARN:
        from sklearn.datasets import load_sample_image

        array = load_sample_image(_SKLEARN[name])
    elif name in _SKIMAGE or name == "motorcycle":
        from skimage import data

        array = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, _SKIMAGE[name])()
    else:
        raise ValueError(f"unknown photo {name!r}: there are {', '.join(PHOTOS)}")
    image = from_pil(Image.fromarray(array))
    return image if size is None else crop_to(image, size)
