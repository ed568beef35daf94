"""Files of every kind that may be uploaded: each becomes a picture or is refused in words, within memory and time."""

import io
import os
import struct
import subprocess
import sys
import traceback
import zlib
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from cnnlab import files
from cnnlab.teaching.frames import SIDE, encode, picture

Image.init()
AVIF = ["AVIF"] if "AVIF" in Image.SAVE else []  # older Pillows lack it
RED = Image.new("RGB", (20, 10), "red")
BLOCKS = Image.fromarray(np.random.default_rng(0).integers(0, 256, (3, 5, 3), np.uint8)).resize((40, 24), 0)  # of 8 x 8


def encoded(content: Image.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    content.save(buffer, format, **options)
    return buffer.getvalue()


def refusal(data, **options) -> str:
    """The words of the refusal; no line of the whole error shows the address of an object."""
    with pytest.raises(ValueError, match="picture") as caught:
        files.load_image(data, **options)
    assert " at 0x" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


# What loads


def written(format: str, mode: str) -> bytes:
    """A file, or nothing if Pillow writes no such one."""
    gray = BLOCKS.convert("L")
    content = (BLOCKS if mode in ("RGB", "RGBA", "CMYK") else gray).convert(mode)
    if mode.startswith("I;16"):
        array = np.asarray(gray).astype(">u2" if mode == "I;16B" else "<u2") * 257
        content = Image.frombytes(mode, gray.size, array.astype(">u2" if mode == "I;16B" else "<u2").tobytes())
    try:
        return encoded(content, format, **({"quality": 100, "subsampling": 0} if format in ("JPEG", "MPO") else {}))
    except (OSError, KeyError, ValueError):
        return b""


FORMATS = ["PNG", "JPEG", "WEBP", *AVIF, "GIF", "BMP", "TIFF", "PPM", "MPO"]
MODES = ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16", "I;16B", "I", "F"]  # as PNG, "I" has 16 bits


@pytest.mark.parametrize(
    ("format", "mode"), [pair for pair in product(FORMATS, MODES) if pair != ("PNG", "I") and written(*pair)]
)
def test_each_mode_in_each_format_is_the_same_picture_and_its_reduction_the_mean_of_squares(format, mode):
    data = written(format, mode)
    plain = Image.open(io.BytesIO(data))
    plain = (BLOCKS.convert("L") if plain.mode[0] in "IF" else plain).convert("RGB")
    image, small = files.load_image(data), files.load_image(data, most=15)
    assert (image[0] - torch.from_numpy(np.array(plain)).permute(2, 0, 1) / 255).abs().max() < 0.01
    assert small.shape == (1, 3, 3, 5)
    assert (small - F.avg_pool2d(image, 8)).abs().max() < (0.03 if format in ("JPEG", "MPO") else 0.01)


@pytest.mark.parametrize("most", [1, 7, 100, 959, 960, 10_000])
def test_a_picture_has_about_as_many_pixels_as_asked(most):
    for data in (encoded(BLOCKS, "PNG"), encoded(BLOCKS, "JPEG")):
        _, _, height, width = files.load_image(data, most=most).shape
        assert min(most, 960) / 8 <= height * width <= most + height + width  # the last squares may be cut
    for wrong in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="most must be"):
            files.load_image(data, most=wrong)


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF", *AVIF])
def test_of_an_animation_the_first_picture_is_read(format):
    image = files.load_image(
        encoded(RED, format, save_all=True, append_images=[Image.new("RGB", RED.size, "blue")] * 20)
    )
    assert (image[0, :, 5, 5] - torch.tensor([1.0, 0, 0])).abs().max() < 0.03


# EXIF data: TIFF's directories, entries (tag, type, count, four bytes)


def exif(*entries: tuple[int, int, int, bytes], after: int = 0) -> bytes:
    body = b"".join(struct.pack(">HHL", *entry[:3]) + entry[3] for entry in entries)
    return b"Exif\0\0MM\0*" + struct.pack(">LH", 8, len(entries)) + body + struct.pack(">L", after) + bytes(16)


def turned(way: int) -> tuple[int, int, int, bytes]:
    return 0x0112, 3, 1, struct.pack(">HH", way, 0)


def with_exif(format: str, data: bytes) -> bytes:
    if format == "JPEG":
        plain = encoded(BLOCKS, "JPEG", quality=95, subsampling=0)
        return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data + plain[2:]
    if format == "text":  # ImageMagick writes it so
        plain = encoded(BLOCKS, "PNG")
        return (
            plain[:33]
            + chunk(b"tEXt", b"Raw profile type exif\0\nexif\n%8d\n" % len(data) + data.hex().encode())
            + plain[33:]
        )
    if format == "PNG":
        plain = encoded(BLOCKS, "PNG")
        return plain[:33] + chunk(b"eXIf", data[6:]) + plain[33:]
    return encoded(BLOCKS, format, exif=data, quality=95)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def near(image: torch.Tensor, expected: Image.Image) -> bool:
    array = torch.from_numpy(np.array(expected)).permute(2, 0, 1)[None] / 255
    return image.shape == array.shape and bool((image - array).abs().mean() < 0.05)


T = Image.Transpose
WAYS = {1: None, 2: T.FLIP_LEFT_RIGHT, 3: T.ROTATE_180, 4: T.FLIP_TOP_BOTTOM, 5: T.TRANSPOSE, 6: T.ROTATE_270}
WAYS |= {7: T.TRANSVERSE, 8: T.ROTATE_90, 0: None, 9: None, 60_000: None}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "text", "WEBP", *AVIF])
def test_each_orientation_is_obeyed_whole_and_reduced(format, way):
    data = with_exif(format, exif(turned(way)))
    expected = BLOCKS if WAYS[way] is None else BLOCKS.transpose(WAYS[way])
    assert near(files.load_image(data), expected)
    assert near(files.load_image(data, most=60), expected.reduce(4))


@pytest.mark.parametrize("way", [way for way in WAYS if 1 <= way <= 8])
def test_each_orientation_of_a_tiff_is_obeyed(way):
    tags = Image.Exif()
    tags[0x0112] = way
    expected = BLOCKS if WAYS[way] is None else BLOCKS.transpose(WAYS[way])
    for compression in ("raw", "tiff_adobe_deflate"):
        assert near(files.load_image(encoded(BLOCKS, "TIFF", exif=tags, compression=compression)), expected)


MALFORMED = {
    "no number": exif(turned(6), (0x011A, 10, 1, struct.pack(">L", 40)), after=0)[:-16] + struct.pack(">lL", -1, 0),
    "one byte for a resolution": exif(turned(6), (0x011A, 7, 1, b"\5\0\0\0"), (0x0128, 3, 1, b"\0\2\0\0")),
    "a huge offset": exif(turned(6), (0x0132, 2, 20, b"\xff\xff\xff\xff")),
    "a huge count": exif(turned(6), (0x010F, 2, 2**32 - 1, b"\0\0\0\x08")),
    "a directory that is its own": exif(
        turned(6), (0x8769, 4, 1, b"\0\0\0\x08"), (0x8825, 4, 1, b"\0\0\0\x08"), after=8
    ),
    "an unknown type": exif(turned(6), (0x010F, 99, 1, b"abcd")),
    "cut": exif(turned(6), (0x0110, 2, 50, b"\0\0\0\x28"))[:-14],
}


@pytest.mark.parametrize("kind", MALFORMED)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "text", "WEBP"])
def test_a_good_picture_with_malformed_exif_data_loads(format, kind):
    image = files.load_image(with_exif(format, MALFORMED[kind]))
    assert near(image, BLOCKS) or near(image, BLOCKS.transpose(T.ROTATE_270)), "turned, or as it is"
    if kind not in ("one byte for a resolution", "cut", "a huge count"):
        assert image.shape[2:] == (40, 24), "what can be read is obeyed"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "text", "WEBP"])
def test_rubbish_for_exif_data_is_passed_over(format):
    for rubbish in (
        b"Exif\0\0",
        b"Exif\0\0rubbish",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\0\xff",
    ):
        assert near(files.load_image(with_exif(format, rubbish)), BLOCKS)
    data = with_exif("text", exif(turned(6))).replace(b"4d4d", b"4d4x")  # no hexadecimal number
    start = data.index(b"tEXt")
    size = struct.unpack(">L", data[start - 4 : start])[0]
    data = data[: start - 4] + chunk(b"tEXt", data[start + 4 : start + 4 + size]) + data[start + 8 + size :]
    assert near(files.load_image(data), BLOCKS)


def test_a_broken_color_profile_is_passed_over():
    for format in ("JPEG", "PNG", "WEBP", "TIFF"):
        assert near(files.load_image(encoded(BLOCKS, format, icc_profile=b"rubbish" * 30)), BLOCKS)


# What is refused


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "it is HEIC; convert it to PNG or JPEG"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avif", "it is AVIF; convert"),
        (b"%PDF-1.7 ...", "it is PDF; convert"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n", "it is EPS; convert"),
        (b'<?xml version="1.0"?>\n<!-- drawn -->\n<SVG width="9"/>', "it is SVG; convert"),
        (b"", "it is empty"),
        (b"\0", "or damaged; convert it to PNG or JPEG"),
        (b"My holidays\n", "or damaged; convert"),
        (b"<!DOCTYPE html><html><svg></svg></html>", "or damaged; convert"),
        (b"PK\x03\x04" + bytes(99), "or damaged; convert"),
        (zlib.compress(b"<svg/>", wbits=31), "or damaged; convert"),
        (encoded(RED, "ICO"), "or damaged; convert"),
        (encoded(RED, "TGA"), "or damaged; convert"),
        (b"GIF89a nonsense", "or damaged; convert"),
    ],
)
def test_what_is_no_picture_is_refused_in_words_that_help(data, words, tmp_path):
    assert words in refusal(data)
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    assert words in refusal(path, most=1000)
    assert str(path) in refusal(path)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", *AVIF, "GIF", "BMP", "TIFF", "PPM"])
def test_half_a_file_is_refused(format):
    data = encoded(Image.effect_noise((90, 70), 60).convert("RGB"), format)
    for part in (data[: len(data) // 2], data[:40]):
        assert (
            "get it again" in refusal(part) or "damaged; convert" in refusal(part) or "AVIF; convert" in refusal(part)
        )


def test_no_file_starts_a_program(monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *arguments, **options: pytest.fail("a program"))
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
    for data in (eps, encoded(RED, "EPS"), b"\xc5\xd0\xd3\xc6" + struct.pack("<LL", 32, len(eps)) + bytes(20) + eps):
        assert "convert it to PNG or JPEG" in refusal(data)


def test_only_a_file_is_a_file(tmp_path):
    (tmp_path / "folder.png").mkdir()
    places = [tmp_path / "folder.png", Path(os.devnull)]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")  # to open it would wait for ever
        places.append(tmp_path / "pipe.png")
    for place in places:
        with pytest.raises(ValueError, match="file must be the path of a picture"):
            files.load_image(place)
    with (tmp_path / "video.mp4").open("wb") as video:
        video.truncate(2_000_000_000)
    with pytest.raises(ValueError, match="of at most 1 GB"):
        files.load_image(tmp_path / "video.mp4")


@pytest.mark.parametrize("keyword", ["zTXt", "iCCP"])
def test_text_that_decompresses_to_much_is_not_kept(keyword):
    plain, text = encoded(RED, "PNG"), zlib.compress(b"a" * 30_000_000)
    assert "get it again" in refusal(plain[:33] + chunk(keyword.encode(), b"name\0\0" + text) + plain[33:])


# Memory and time, measured in pixels


@pytest.mark.parametrize(
    ("format", "mode", "each"),  # bytes a pixel: how many pixels fit into `MEMORY`
    [
        ("PNG", "RGB", 4), ("PNG", "RGBA", 4), ("PNG", "L", 1), ("PNG", "P", 1), ("PNG", "1", 1), ("GIF", "P", 1),
        ("WEBP", "RGB", 16), *[(name, "RGB", 16) for name in AVIF], ("TIFF", "RGB", 8),
        ("TIFF", "F", 8), ("JPEG", "RGB", 4), ("MPO", "RGB", 4), ("progressive", "RGB", 10),
        ("progressive", "CMYK", 12),
    ],
)  # fmt: skip
def test_an_upload_is_refused_before_it_is_decoded_if_that_takes_too_much(format, mode, each, monkeypatch):
    monkeypatch.setattr(files, "MEMORY", 260_000)
    options = {"progressive": True} if format == "progressive" else {}
    options |= {"compression": "tiff_lzw"} if format == "TIFF" else {}
    pixels = 260_000 // each

    def file(share: float) -> bytes:
        side = int((share * pixels) ** 0.5)
        return encoded(Image.new(mode, (side, side)), {"progressive": "JPEG"}.get(format, format), **options)

    assert files.load_image(file(0.8), most=10**9).shape[1] == 3
    assert files.load_image(file(3)).shape[1] == 3, "without a size, only `MAX_PIXELS` is the limit"
    monkeypatch.setattr(files, "_reduced", lambda *_: pytest.fail("it was decoded"))
    for options_ in ({"most": 10**9}, {"size": 448}):
        words = refusal(file(1.3), **options_)
        assert "of such a file, and 65,535 a side: make it smaller, or save it as JPEG" in words


def test_a_large_jpeg_is_decoded_reduced(monkeypatch):
    monkeypatch.setattr(files, "MEMORY", 100_000)
    data = encoded(BLOCKS.resize((800, 480), 0), "JPEG")
    assert near(files.load_image(data, most=15), BLOCKS.reduce(8))
    assert "800 x 480 pixels" in refusal(data, most=10**6)


def tiff(width: int, height: int, across: int, down: int) -> bytes:
    """A TIFF file of one tile."""
    data = zlib.compress(bytes(across * down))
    numbers = {
        256: width,
        257: height,
        258: 8,
        259: 8,
        262: 1,
        277: 1,
        322: across,
        323: down,
        324: 300,
        325: len(data),
    }
    body = b"".join(struct.pack("<HHLL", tag, 4, 1, number) for tag, number in numbers.items())
    return (b"II*\0" + struct.pack("<LH", 8, len(numbers)) + body + bytes(4)).ljust(300, b"\0") + data


def test_a_small_tiff_with_a_huge_tile_is_refused():
    assert files.load_image(tiff(10, 10, 16, 16), most=1000).shape == (1, 3, 10, 10)
    assert "10 x 10 pixels; at most" in refusal(tiff(10, 10, 8192, 8192), most=1000)


def scanned(side: int, more: int) -> bytes:
    """A gray JPEG whose last scan comes `more` times more."""
    data = encoded(Image.new("RGB", (side, side), "gray"), "JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    return data[:-2] + data[start:-2] * more + data[-2:]


def test_a_jpeg_of_very_many_scans_is_refused():
    assert files.load_image(scanned(200, 50), most=1000).shape == (1, 3, 25, 25)
    assert "2000 x 2000 pixels; at most" in refusal(scanned(2000, 3000), most=1000)
    hidden = scanned(2000, 3000)
    hidden = hidden[:2] + b"\xff\xfe\0\x06\xff\xd9\xff\xd9" + hidden[2:]  # a comment that looks like the end
    assert "2000 x 2000 pixels; at most" in refusal(hidden, most=1000)


def test_what_pillow_decodes_in_python_is_refused_if_it_is_large():
    def rle(width: int, height: int) -> bytes:
        body = b"\1\1\0\0" * height + b"\0\1"  # a pixel, and the end of the row
        head = struct.pack("<LllHHLLllLL", 40, width, height, 1, 8, 1, len(body), 0, 0, 256, 0)
        return b"BM" + struct.pack("<LHHL", 1078 + len(body), 0, 0, 1078) + head + bytes(1024) + body

    assert files.load_image(rle(20, 10), most=1000).shape == (1, 3, 10, 20)
    assert "9000 x 7000 pixels" in refusal(rle(9000, 7000), most=1000)
    assert files.load_image(b"P2 3 1 255\n0 255 51", most=1000)[0, 0, 0].tolist() == pytest.approx([0, 1, 0.2])
    assert "9000 x 7000 pixels" in refusal(b"P2 9000 7000 255\n0", most=1000)


def flat(mode: str, width: int, height: int) -> Callable[..., bytes]:
    def write(format: str, **options) -> bytes:
        return encoded(Image.new(mode, (width, height), 77 if mode in "LP" else None), format, **options)

    return write


TURN = Image.Exif()
TURN[0x0112] = 6
LARGE = {  # as large as it is loaded
    "rgb.png": lambda: flat("RGB", 8000, 8000)("PNG", compress_level=1),
    "rgba.png": lambda: flat("RGBA", 8000, 8000)("PNG", compress_level=1),
    "strip.png": lambda: flat("RGB", 65_000, 990)("PNG", compress_level=1),
    "palette.png": lambda: flat("P", 9900, 9900)("PNG", transparency=3, compress_level=1),
    "bits.png": lambda: flat("1", 9900, 9900)("PNG", compress_level=1),
    "16.png": lambda: flat("I;16", 8000, 8000)("PNG", compress_level=1),
    "palette.gif": lambda: flat("P", 9900, 9900)("GIF"),
    "baseline.jpg": lambda: flat("RGB", 9900, 9900)("JPEG"),
    "cmyk.jpg": lambda: flat("CMYK", 9900, 9900)("JPEG"),
    "progressive.jpg": lambda: flat("RGB", 6000, 6200)("JPEG", progressive=True, subsampling=0),
    "turned.tif": lambda: flat("RGB", 5600, 5700)("TIFF", compression="tiff_adobe_deflate", exif=TURN),
    "one_strip.tif": lambda: flat("RGB", 5600, 5700)("TIFF", compression="tiff_adobe_deflate", strip_size=2**30),
    "floats.tif": lambda: flat("F", 5600, 5700)("TIFF", compression="tiff_adobe_deflate", strip_size=2**30),
    "alpha.webp": lambda: flat("RGBA", 4000, 4000)("WEBP", method=0),
    "whole.bmp": lambda: flat("RGB", 6000, 6000)("BMP"),
} | ({"alpha.avif": lambda: flat("RGBA", 4000, 4000)("AVIF", speed=10)} if AVIF else {})
HUGE = {  # larger
    "rgb.png": lambda: flat("RGB", 9900, 9900)("PNG", compress_level=1),
    "alpha.webp": lambda: flat("RGBA", 5000, 5000)("WEBP", method=0),
    "progressive.jpg": lambda: flat("RGB", 9900, 9900)("JPEG", progressive=True),
    "tile.tif": lambda: tiff(10, 10, 20_000, 20_000),
}
MEASURE = """
import os, sys
from itertools import product
import torch
from PIL import Image
from cnnlab.files import load_image
def status(key):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(key)) * 1024
torch.set_num_threads(1)
Image.init()
for path, options in product(sys.argv[1:], ({"most": 4_000_000}, {"size": 448})):
    if child := os.fork():
        os.waitpid(child, 0)
        continue
    data = memoryview(open(path, "rb").read())  # as a widget hands it over
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # VmHWM begins anew
    stood = status("VmRSS")
    try:
        found = "x".join(map(str, load_image(data, **options).shape))
    except ValueError:
        found = "refused"
    print(path, status("VmHWM") - stood, found, flush=True)
    os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux counts the memory of a process")
def test_an_upload_takes_at_most_300_mb(tmp_path):
    for folder, cases in (("large", LARGE), ("huge", HUGE)):
        (tmp_path / folder).mkdir()
        for name, make in cases.items():
            (tmp_path / folder / name).write_bytes(make())
    paths = [str(path) for path in sorted(tmp_path.glob("*/*"))]
    command = [sys.executable, "-c", MEASURE, *paths]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    assert len(output.splitlines()) == 2 * (len(LARGE) + len(HUGE))
    for line in output.splitlines():
        path, peak, found = line.rsplit(" ", 2)
        assert int(peak) <= 300_000_000, line
        assert (found == "refused") == ("huge" in path), line


# Previews


def test_a_preview_is_no_larger_than_a_sharp_screen_shows():
    noise = torch.rand(1, 3, 1500, 2000, generator=torch.Generator().manual_seed(0))
    shown = picture(noise)
    assert shown.size == (2000, 1500), "what is saved stays whole"
    data = encode(shown)
    assert Image.open(io.BytesIO(data)).size == (2 * SIDE, 2 * SIDE * 3 // 4)
    assert len(data) < 2_500_000
    for size in ((65_000, 1), (1, 4000)):
        assert max(Image.open(io.BytesIO(encode(Image.new("RGB", size)))).size) == 2 * SIDE
    small = Image.effect_noise((2 * SIDE, 30), 50)
    assert Image.open(io.BytesIO(encode(small))).tobytes() == small.tobytes(), "a smaller one stays as it is"
