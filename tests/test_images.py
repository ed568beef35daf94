"""Images: users' files of every kind, sizes, starts."""

import io
import tracemalloc
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from cnnlab import files, images, inputs
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
    image = files.load_image(encoded(Image.fromarray(array), "PNG", exif=exif))
    assert image.shape == (1, 3, 40, 20)
    assert image[0, :, :20].min() == 1
    assert image[0, :, 20:].max() == 0


def test_transparency_is_laid_on_white():
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:2] = (255, 0, 0, 128)
    image = files.load_image(encoded(Image.fromarray(rgba, "RGBA"), "PNG"))
    assert image[0, :, 0, 0].tolist() == pytest.approx([1, 0.5, 0.5], abs=0.01)
    assert image[0, :, 3, 3].tolist() == [1, 1, 1]


@pytest.mark.parametrize(("mode", "format"), [("L", "PNG"), ("P", "GIF"), ("CMYK", "JPEG"), ("1", "PNG")])
def test_every_mode_becomes_rgb(mode, format):
    picture = Image.fromarray(np.tile(np.linspace(0, 255, 32, dtype=np.uint8), (32, 1))).convert(mode)
    image = files.load_image(encoded(picture, format))
    expected = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1) / 255
    assert image.shape == (1, 3, 32, 32)
    assert (image[0] - expected).abs().max() < 0.05  # JPEG loses a little


def test_16_bits_keep_their_range():
    array = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    image = files.load_image(encoded(Image.fromarray(array), "PNG"))
    assert torch.allclose(image[0, 0], torch.from_numpy(array / 65535).float(), atol=1 / 255)


def test_a_dark_16_bit_picture_stays_dark():
    image = files.load_image(encoded(Image.fromarray(np.full((8, 8), 200, np.uint16)), "PNG"))
    assert image.max() < 0.01


def test_files_that_are_refused_say_why(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="uploaded file cannot be read as a picture"):
        files.load_image(b"GIF89a nonsense")
    with pytest.raises(ValueError, match="cannot be read"):
        files.load_image(encoded(Image.effect_noise((200, 200), 50), "PNG")[:3000])
    with pytest.raises(FileNotFoundError):
        files.load_image(tmp_path / "none.png")
    monkeypatch.setattr(files, "MAX_PIXELS", 1000)
    with pytest.raises(ValueError, match="40 x 50 pixels; at most 1,000"):
        files.load_image(encoded(Image.new("RGB", (40, 50)), "PNG"))


def test_saving_and_loading_gives_the_same_picture(tmp_path):
    image = photo("coffee", (30, 50))
    path = files.save_image(image, tmp_path / "coffee.png")
    assert torch.allclose(files.load_image(path), image, atol=0.5 / 255 + 1e-6)
    with pytest.raises(ValueError, match="file must end in"):
        files.save_image(image, tmp_path / "coffee.xyz")
    with pytest.raises(ValueError, match="one picture"):
        files.save_image(image.repeat(2, 1, 1, 1), tmp_path / "two.png")
    assert [file.name for file in tmp_path.iterdir()] == ["coffee.png"], "nothing half written"


def test_a_picture_makes_its_folder(tmp_path):
    """A reader may begin with any chapter: none can count on the folder out/ of an earlier one."""
    assert files.save_image(photo("coffee", (30, 50)), tmp_path / "out" / "of the day" / "coffee.png").is_file()


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
    for wrong, words in (
        (torch.full((1, 1, 2, 2), torch.nan), r"values in \[0, 1\], not float32 \(1, 1, 2, 2\) in \[nan, nan\]"),
        (torch.zeros(1, 1, 0, 2), r"float tensor \(B, C, H, W\)"),
        (torch.zeros(1, 2, 2), r"image\[None\] makes a batch of one"),
        (torch.tensor([0.0, 255.0]).view(1, 1, 1, 2), r"\(1, 1, 1, 2\) in \[0, 255\]; divide by 255"),
        (np.zeros((4, 4, 3), np.int32), "not int32"),
        ([[0.5]], "not list"),
    ):
        with pytest.raises(ValueError, match=words):
            inputs.as_image(wrong)


def test_an_image_in_any_clear_form_is_the_same_image():
    image = (torch.rand(1, 3, 5, 4, generator=torch.Generator().manual_seed(0)) * 255).round() / 255
    rows = image[0].permute(1, 2, 0).numpy()  # (H, W, C)
    bytes_ = (rows * 255).round().astype(np.uint8)
    double = image.double()
    for form in (
        image, double, image.numpy(), image + 1e-6 * torch.tensor([-1.0, 1]).repeat(2), Image.fromarray(bytes_),
        rows, rows[::-1][::-1], rows.astype(">f8"), bytes_, torch.from_numpy(bytes_).permute(2, 0, 1)[None],
    ):  # fmt: skip
        found = inputs.as_image(form)
        assert found.dtype == (torch.float64 if form is double else torch.float32)
        assert found.min() >= 0
        assert found.max() <= 1
        assert torch.allclose(found.float(), image, atol=1e-5)
    assert torch.allclose(inputs.as_image(image.half()), image, atol=1e-3)
    assert inputs.as_image(rows[..., 0]).shape == (1, 1, 5, 4)


PNG = encoded(Image.new("RGB", (20, 10), "red"), "PNG")


def test_a_file_may_come_in_any_form(tmp_path, monkeypatch):
    (tmp_path / "red.png").write_bytes(PNG)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    spent = io.BytesIO(PNG)
    spent.read()
    forms = [PNG, bytearray(PNG), memoryview(PNG), io.BytesIO(PNG), spent, "~/red.png", tmp_path / "red.png"]
    for form in forms:
        image = files.load_image(form)
        assert image.shape == (1, 3, 10, 20)
        assert image[0, :, 0, 0].tolist() == [1, 0, 0]
    with (tmp_path / "red.png").open("rb") as opened:
        assert files.load_image(opened).shape == (1, 3, 10, 20)
    for wrong in (io.StringIO("text"), 7, None, [PNG], ""):
        with pytest.raises(ValueError, match="file must be a path, bytes, or a file opened in mode 'rb'"):
            files.load_image(wrong)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", "it is HEIC; convert it to PNG or JPEG"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "it is SVG; convert"),
        (b"%PDF-1.7 ...", "it is PDF; convert"),
        (b"nothing at all", "of a kind that is not read, or damaged; convert"),
        (PNG[:30], "of a kind that is not read, or damaged"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(data, words):
    with pytest.raises(ValueError, match=words) as caught:
        files.load_image(data)
    assert " at 0x" not in str(caught.value)


def test_a_picture_with_malformed_exif_loads():
    good = encoded(Image.effect_noise((8, 6), 50), "JPEG")
    plain = files.load_image(good)
    for exif in (b"Exif\0\0MM\0*\0\0\0\x08\0\xff", b"Exif\0\0rubbish", b"Exif\0\0"):
        block = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
        assert torch.equal(files.load_image(good[:2] + block + good[2:]), plain)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x0132] = "2026"
    turned = encoded(Image.effect_noise((8, 6), 50), "JPEG", exif=exif)
    assert files.load_image(turned).shape == (1, 3, 8, 6)


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


@pytest.mark.parametrize(("width", "height"), [(1, 99_000_000), (70_000, 2), (20_000, 20_000)])
def test_a_declared_size_is_refused_before_it_is_decoded(width, height):
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    tracemalloc.start()
    with pytest.raises(ValueError, match=f"{width} x {height} pixels; at most|cannot be read"):
        files.load_image(file)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("mode", "format"), [("RGB", "JPEG"), ("RGB", "PNG"), ("P", "GIF"), ("1", "PNG"), ("I;16", "PNG")]
)
def test_a_large_picture_is_reduced_while_it_is_loaded(monkeypatch, mode, format):
    ramp = np.tile(np.linspace(0, 255, 400, dtype=np.uint8), (300, 1))
    whole = ramp.astype(np.uint16) * 257 if mode == "I;16" else ramp
    data = encoded(Image.fromarray(whole) if mode == "I;16" else Image.fromarray(ramp).convert(mode), format)
    expected, shapes = files.load_image(data, (30, 40)), []
    monkeypatch.setattr(files, "LARGE", 1000)
    full = files.from_pil
    monkeypatch.setattr(files, "from_pil", lambda picture: shapes.append(picture.size) or full(picture))
    found = files.load_image(data, (30, 40))
    assert found.shape == (1, 3, 30, 40)
    assert (found - expected).abs().mean() < 0.02
    assert shapes[0][0] <= 200, "reduced before it becomes a tensor"
    assert shapes[0][0] >= 80, "but not below twice the size"
    files.load_image(data)
    assert shapes[1] == (400, 300), "without a size, all pixels are kept"


def test_a_picture_one_pixel_wide_works():
    thin = encoded(Image.new("L", (1, 40), 128), "PNG")
    assert files.load_image(thin).shape == (1, 3, 40, 1)
    assert files.load_image(thin, 8).shape == (1, 3, 8, 8)
    assert files.load_image(thin, (2, 900)).shape == (1, 3, 2, 900)
    assert files.load_image(thin, (900, 2))[0, 0, 0, 0].item() == pytest.approx(128 / 255, abs=1e-4)


@pytest.mark.parametrize(
    ("values", "brightest"),
    [
        (np.float32([0, 0.5, 1]), 1.0), (np.float32([0, 51, 204]), 0.8), (np.float32([0, 1, 1 + 1e-6]), 1.0),
        (np.int32([0, 1, 1]), 1.0), (np.int32([0, 20, 204]), 0.8), (np.int32([0, 1, 65535]), 1.0), (np.int32([0]), 0),
        (np.float32([0, np.nan]), None), (np.float32([0, np.inf]), None), (np.float32([-1, 1]), None),
        (np.float32([0, 3]), None), (np.float32([0, 1e9]), None), (np.int32([-5, 5]), None), (np.int32([2**30]), None),
    ],
)  # fmt: skip
def test_a_tiff_of_floats_or_32_bits_has_a_clear_white_or_is_refused(values, brightest):
    data = encoded(Image.fromarray(values[None]), "TIFF")
    if brightest is None:
        with pytest.raises(ValueError, match="the picture must have values in"):
            files.load_image(data)
    else:
        assert files.load_image(data).max().item() == pytest.approx(brightest, abs=1e-3)


def test_nothing_is_saved_of_an_image_with_nan(tmp_path):
    with pytest.raises(ValueError, match="not NaN"):
        files.save_image(torch.full((1, 3, 2, 2), torch.nan), tmp_path / "black.png")
    assert not list(tmp_path.iterdir())
    assert np.asarray(files.to_pil(torch.full((1, 1, 2, 2), 200, dtype=torch.uint8))).max() == 200


@pytest.mark.parametrize(
    "number", [3, np.int64(3), np.uint8(3), np.array(3), torch.tensor(3), torch.tensor(3, dtype=torch.uint8)]
)
def test_a_whole_number_is_one_in_every_library(number):
    assert type(inputs.integers(number, "n")) is int
    assert inputs.integers(number, "n") == 3
    assert inputs.integers([number, 5], "n") == inputs.integers((number, 5), "n") == (3, 5)


def test_several_numbers_come_in_every_row():
    for row in ([1, 2], (1, 2), range(1, 3), np.array([1, 2]), torch.tensor([1, 2], dtype=torch.int16), iter([1, 2])):
        assert inputs.integers(row, "n") == (1, 2)
    for wrong in (
        1.0,
        True,
        np.bool_(True),
        torch.tensor(True),
        "1",
        None,
        [],
        [1.0],
        [True],
        [[1]],
        np.eye(2),
        torch.tensor(0.5),
        2**70,
    ):
        with pytest.raises(ValueError, match="n must be"):
            inputs.integers(wrong, "n")


def test_a_jpeg_of_higher_quality_is_closer_and_each_image_stays_its_own() -> None:
    ramp = torch.linspace(0, 1, 48).expand(3, 40, 48)
    batch = torch.stack([ramp, ramp.flip(2)])
    good, poor = files.as_jpeg(batch, 95), files.as_jpeg(batch, 5)
    assert good.shape == batch.shape
    assert (good - batch).abs().max() < 0.03 < (poor - batch).abs().max()
    saved = io.BytesIO(encoded(files.to_pil(batch[:1]), "JPEG", quality=95))
    assert torch.equal(good[:1], torch.from_numpy(np.array(Image.open(saved))).permute(2, 0, 1)[None] / 255)
