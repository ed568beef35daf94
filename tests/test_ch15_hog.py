"""HOG in torch equals scikit-image's, has a useful gradient, and can be inverted by the loop."""

import pytest
import torch
from skimage.feature import hog

from cnnlab.chapters.ch15_hog import hog_net, hog_sheet
from cnnlab.descent import descend
from cnnlab.material.photos import photo
from cnnlab.objectives import code
from cnnlab.steps import adam


def theirs(image: torch.Tensor, orientations: int = 9) -> torch.Tensor:
    """scikit-image's, (C, H, W) -> (4 * orientations, rows - 1, columns - 1)."""
    blocks = hog(image.numpy(), orientations, (8, 8), (2, 2), "L2-Hys", channel_axis=0, feature_vector=False)
    return torch.from_numpy(blocks).permute(2, 3, 4, 0, 1).flatten(0, 2).float()


@pytest.mark.parametrize(
    ("name", "size", "orientations"), [("cat", (96, 128), 9), ("china", (75, 101), 9), ("coffee", (64, 50), 6)]
)
def test_it_is_scikit_images(name, size, orientations):
    image = torch.cat([photo(name, size), photo("rocket", size)])  # not square, more pixels than cells, a batch
    found = hog_net(orientations)(image)
    for got, one in zip(found, image, strict=True):
        assert (got - theirs(one, orientations)).abs().max() < 1e-5


def test_gray_images_and_flat_ones():
    image = photo("cat", 64).mean(1, keepdim=True)
    assert (hog_net()(image)[0] - theirs(image[0])).abs().max() < 1e-5
    flat = torch.full((1, 1, 32, 40), 0.5, requires_grad=True)
    found = hog_net()(flat)
    found.sum().backward()
    assert torch.equal(found, torch.zeros(1, 36, 3, 4))
    assert flat.grad is not None
    assert flat.grad.isfinite().all()


def test_contrast_and_its_sign_do_not_matter():
    image = photo("coffee", 80)
    describe = hog_net()
    assert torch.allclose(describe(image), describe(0.2 + 0.5 * (1 - image)), atol=2e-3)


def test_the_loop_finds_another_picture_with_the_same_hog():
    describe, photograph, other = hog_net(), photo("cat", 64), photo("coffee", 64)
    target = describe(photograph)
    run = descend(describe, code("hog", target), other, steps=60, step=adam(0.02))
    twin = run.finish(progress=False)
    assert run.values[-1] < 0.1 * run.values[0]
    assert (twin - photograph).square().mean() > 4 * (twin - other).square().mean()


def test_strokes_run_along_the_edge():
    image = torch.zeros(1, 1, 16, 16)
    image[..., 4:] = 1  # an upright edge
    drawn = hog_sheet(hog_net().activations(image, ["cells"])["cells"])
    assert drawn.shape == (1, 1, 16, 16)
    cell = drawn[0, 0, :8, :8]
    assert cell[0].argmax() in (3, 4)
    assert cell.sum(0).max() > 3 * cell.sum(1).max()  # one column holds far more than any row
