"""Images: users' files of every kind, sizes, starts."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from cnnlab import images
from cnnlab.material.photos import photo


def encoded(picture: Image.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def test_loading_obeys_the_exif_orientation():
    array = np.zeros((20, 40, 3), np.uint8)
    array[:, :20] = 255  # left half white
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn 90 degrees clockwise"
    image = images.load_image(encoded(Image.fromarray(array), "PNG", exif=exif))
    assert image.shape == (1, 3, 40, 20)
    assert image[0, :, :20].min() == 1
    assert image[0, :, 20:].max() == 0


def test_transparency_is_laid_on_white():
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:2] = (255, 0, 0, 128)
    image = images.load_image(encoded(Image.fromarray(rgba, "RGBA"), "PNG"))
    assert image[0, :, 0, 0].tolist() == pytest.approx([1, 0.5, 0.5], abs=0.01)
    assert image[0, :, 3, 3].tolist() == [1, 1, 1]


@pytest.mark.parametrize(("mode", "format"), [("L", "PNG"), ("P", "GIF"), ("CMYK", "JPEG"), ("1", "PNG")])
def test_every_mode_becomes_rgb(mode, format):
    picture = Image.fromarray(np.tile(np.linspace(0, 255, 32, dtype=np.uint8), (32, 1))).convert(mode)
    image = images.load_image(encoded(picture, format))
    expected = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1) / 255
    assert image.shape == (1, 3, 32, 32)
    assert (image[0] - expected).abs().max() < 0.05  # JPEG loses a little


def test_16_bits_keep_their_range():
    array = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    image = images.load_image(encoded(Image.fromarray(array), "PNG"))
    assert torch.allclose(image[0, 0], torch.from_numpy(array / 65535).float(), atol=1 / 255)


def test_a_dark_16_bit_picture_stays_dark():
    image = images.load_image(encoded(Image.fromarray(np.full((8, 8), 200, np.uint16)), "PNG"))
    assert image.max() < 0.01


def test_files_that_are_refused_say_why(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="uploaded file cannot be read as a picture"):
        images.load_image(b"GIF89a nonsense")
    with pytest.raises(ValueError, match="cannot be read"):
        images.load_image(encoded(Image.effect_noise((200, 200), 50), "PNG")[:3000])
    with pytest.raises(FileNotFoundError):
        images.load_image(tmp_path / "none.png")
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    with pytest.raises(ValueError, match="40 x 50 pixels; at most 1,000"):
        images.load_image(encoded(Image.new("RGB", (40, 50)), "PNG"))


def test_saving_and_loading_gives_the_same_picture(tmp_path):
    image = photo("coffee", (30, 50))
    path = images.save_image(image, tmp_path / "coffee.png")
    assert torch.allclose(images.load_image(path), image, atol=0.5 / 255 + 1e-6)
    with pytest.raises(ValueError, match="file must end in"):
        images.save_image(image, tmp_path / "coffee.xyz")
    with pytest.raises(ValueError, match="one picture"):
        images.save_image(image.repeat(2, 1, 1, 1), tmp_path / "two.png")
    assert [file.name for file in tmp_path.iterdir()] == ["coffee.png"], "nothing half written"


def test_resizing_does_not_alias():
    checker = (torch.arange(64)[:, None] + torch.arange(64)) % 2
    small = images.resize(checker[None, None].float(), 16)
    assert (small[..., 2:-2, 2:-2] - 0.5).abs().max() < 0.02


def test_crops_are_centered():
    image = torch.arange(5 * 7.0).view(1, 1, 5, 7) / 35
    assert torch.equal(images.center_crop(image, (3, 3)), image[..., 1:4, 2:5])
    assert torch.equal(images.crop_to(image, (5, 5)), image[..., 1:6])
    with pytest.raises(ValueError, match="must fit"):
        images.center_crop(image, 6)


def test_noise_repeats_and_its_spectrum_falls_as_asked():
    shape = (4, 1, 128, 128)
    again = [images.noise(shape, torch.Generator().manual_seed(3), std=0.1, decay=1) for _ in range(2)]
    assert torch.equal(*again)
    assert again[0].std().item() == pytest.approx(0.1, rel=0.05)
    power = torch.fft.rfft2(again[0] - again[0].mean((-2, -1), keepdim=True)).abs().square().mean((0, 1))
    frequency = images.frequencies(128, 128)
    low, high = ((frequency > 0.05) & (frequency < 0.07)), ((frequency > 0.2) & (frequency < 0.28))
    slope = torch.log(power[high].mean() / power[low].mean()) / torch.log(
        frequency[high].mean() / frequency[low].mean()
    )
    assert slope.item() == pytest.approx(-2, abs=0.25)  # amplitude 1 / f, power 1 / f^2


def test_what_is_no_image_is_refused():
    images.check_image(torch.rand(2, 1, 3, 4))
    for wrong in (torch.full((1, 1, 2, 2), torch.nan), torch.zeros(1, 1, 0, 2), torch.zeros(1, 2, 2)):
        with pytest.raises(ValueError, match=r"image must be \(B, C, H, W\)"):
            images.check_image(wrong)
    with pytest.raises(ValueError, match=r"\(1, 1, 1, 2\) in \[0, 255\]"):
        images.check_image(torch.tensor([0.0, 255.0]).view(1, 1, 1, 2))
