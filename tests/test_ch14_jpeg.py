import torch

from cnnlab.chapters.ch14_jpeg import as_jpeg


def test_a_better_jpeg_is_closer_and_each_image_stays_its_own() -> None:
    ramp = torch.linspace(0, 1, 48).expand(3, 40, 48)
    images = torch.stack([ramp, ramp.flip(2)])
    good, poor = as_jpeg(images, 95), as_jpeg(images, 5)
    assert good.shape == images.shape
    assert (good - images).abs().max() < 0.03 < (poor - images).abs().max()
