"""Files of the reader's own weights: whatever is wrong with one is said in words, and costs no memory."""

import contextlib
import errno
import os
import pickle
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Generator, Tensor

from cnnlab.zoo.checkpoints import read_weights
from cnnlab.zoo.digits_cnn import mnist_cnn
from cnnlab.zoo.load import load_net

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.filterwarnings("ignore:Detected pickle protocol", "ignore:'torch.load' received a zip file")
LITTLE = 300_000  # KiB: more than any file here needs, less than any of the lies asks for


@pytest.fixture
def state() -> dict[str, Tensor]:
    return mnist_cnn(Generator().manual_seed(0)).state_dict()


def written(state: object, file: Path, zipped: bool = True) -> Path:
    if file.suffix == ".safetensors":
        save_file(state, file)
    else:
        torch.save(state, file, _use_new_zipfile_serialization=zipped)
    return file


def refused(file: Path | str, words: str) -> None:
    """Say that reading the file raises a ValueError with these words and takes little memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=words) as error:
        load_net("mnist", "cpu", file)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < LITTLE
    assert not re.search("0x[0-9a-f]{6}|\n", str(error.value))


@pytest.mark.parametrize("ending", [".pth", ".pt", ".safetensors"])
def test_what_is_no_file_is_said(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"folder{ending}").mkdir()
    (tmp_path / f"empty{ending}").touch()
    for name, to in (("loop", "loop"), ("one", "other"), ("other", "one"), ("dangling", "nowhere")):
        (tmp_path / f"{name}{ending}").symlink_to(tmp_path / f"{to}{ending}")
    os.mkfifo(tmp_path / f"pipe{ending}")
    for name in ("folder", "loop", "one", "dangling", "nowhere", "pipe", "a\0b"):
        refused(tmp_path / f"{name}{ending}", rf"weights must be a file .*{name}{ending} is no file")
    refused(tmp_path / f"empty{ending}", f"empty{ending} is empty")
    refused(
        tmp_path / ("long" * 100 + ending),
        f"weights must be a file that can be opened; .*{os.strerror(errno.ENAMETOOLONG)}",
    )
    refused(f"~nobody-of-this-name/w{ending}", "weights must be a file that can be opened; ~nobody.* cannot")


def test_a_folder_that_may_not_be_looked_into_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", "w.pth")

    monkeypatch.setattr(Path, "is_file", closed)
    refused(tmp_path / "w.pth", "weights must be a file that can be opened; .*Permission denied")


@pytest.mark.parametrize("link", ["link.pth", "a folder/link.pth"])
def test_a_link_to_a_file_is_that_file(tmp_path: Path, state: dict[str, Tensor], link: str) -> None:
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(written(state, tmp_path / "w.pth"))
    assert read_weights(tmp_path / link).keys() == state.keys()


@pytest.mark.parametrize("name", ["w.pth", "old.pth", "w.safetensors"])
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, state: dict[str, Tensor], name: str) -> None:
    small = {"a": torch.ones(3), "b.weight": torch.rand(4, 5)}
    content = written(small, tmp_path / name, zipped=name != "old.pth").read_bytes()
    for length in range(0, len(content), max(1, len(content) // 200)):
        (tmp_path / name).write_bytes(content[:length])
        refused(tmp_path / name, "is empty" if length == 0 else "is damaged, or holds something else|holds other")


@pytest.mark.parametrize("name", ["w.pth", "old.pth", "w.safetensors"])
def test_a_file_with_any_byte_changed_is_read_or_refused_in_words(tmp_path: Path, name: str) -> None:
    small = {"a": torch.ones(3), "b.weight": torch.rand(4, 5)}
    content = written(small, tmp_path / name, zipped=name != "old.pth").read_bytes()
    for place in range(0, len(content), max(1, len(content) // 300)):
        for change in (0x01, 0x80, 0xFF):
            altered = bytearray(content)
            altered[place] ^= change
            (tmp_path / name).write_bytes(altered)
            with contextlib.suppress(ValueError):  # any other error fails the test, and so does a crash
                read_weights(tmp_path / name)


HEADERS: dict[str, bytes] = {
    "2**60 bytes of header": struct.pack("<Q", 2**60) + b"{}",
    "2**64 - 1 bytes of header": struct.pack("<Q", 2**64 - 1) + b"{}",
    "a header longer than the file": struct.pack("<Q", 2**20) + b"{}",
    "no JSON": struct.pack("<Q", 4) + b"\xff\xfe{}",
    "a tensor longer than the file": b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}',
    "a shape larger than its data": b'{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4]}}',
    "a shape that overflows": b'{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,4]}}',
    "a negative shape": b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}',
    "offsets that run backward": b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}',
    "an unknown kind of number": b'{"a":{"dtype":"X99","shape":[1],"data_offsets":[0,4]}}',
    "a deep nest": b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_safetensors_file_that_lies_is_refused_at_once(tmp_path: Path, header: str) -> None:
    content = HEADERS[header]
    if content.startswith(b"{"):
        content = struct.pack("<Q", len(content)) + content + bytes(4)
    (tmp_path / "w.safetensors").write_bytes(content)
    refused(tmp_path / "w.safetensors", "w.safetensors is damaged, or holds something else")


def changed(file: Path, change: Callable[[str, bytes], bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    """The archive of torch.save with each part changed."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, part in parts.items():
            archive.writestr(name, change(name, part))
    return file


@pytest.mark.parametrize("size", [2**20, 2**34, 2**44])
def test_a_storage_that_claims_more_than_the_file_has_is_refused(tmp_path: Path, size: int) -> None:
    thousand, claim = b"M" + struct.pack("<H", 1000), b"\x8a\x08" + struct.pack("<q", size)
    for count in (1, 2):  # the storage's size alone; the tensor's shape as well
        file = written({"a": torch.ones(1000)}, tmp_path / "w.pth")
        changed(file, lambda name, part: part.replace(thousand, claim, count) if name.endswith(".pkl") else part)  # noqa: B023
        refused(file, "w.pth is damaged, or holds something else")
        file = written({"a": torch.ones(1000)}, tmp_path / "old.pth", zipped=False)
        content = file.read_bytes()
        assert content.count(thousand) >= 2
        file.write_bytes(content.replace(thousand, claim, count))
        refused(file, "old.pth is damaged, or holds something else")


def test_a_file_that_would_grow_when_it_is_read_is_refused(tmp_path: Path) -> None:
    file = written({"a": torch.zeros(100_000_000, dtype=torch.uint8)}, tmp_path / "w.pth")
    changed(file, lambda name, part: part, zipfile.ZIP_DEFLATED)
    assert file.stat().st_size < 1_000_000
    refused(file, "w.pth is damaged, or holds something else")


@pytest.mark.parametrize(
    "value",
    [
        torch.ones(1).expand(10**12),
        torch.ones(2, 3).to_sparse(),
        torch.ones(2, 3).to_sparse().coalesce(),
        torch.ones(10**12, device="meta"),
        torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        [1.0, 2.0],
        3.0,
        None,
    ],
    ids=["expanded", "sparse", "coalesced", "meta", "quantized", "list", "number", "nothing"],
)
@pytest.mark.filterwarnings("ignore:Sparse CSR", "ignore:.*quantiz", "ignore:TypedStorage")
def test_what_is_no_dense_tensor_is_refused(tmp_path: Path, value: object) -> None:
    for zipped in (True, False):
        file = written({"a": torch.ones(2), "b": value}, tmp_path / "w.pth", zipped)
        refused(file, "weights (must be parameters by name|cannot be read)")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_numbers_that_are_not_finite_are_named(
    tmp_path: Path, state: dict[str, Tensor], bad: float, dtype: torch.dtype, name: str
) -> None:
    state = {key: value.to(dtype) for key, value in state.items()}
    assert read_weights(written(state, tmp_path / name)).keys() == state.keys()
    state["conv2.weight"][3, 1, 0, 2] = bad
    refused(written(state, tmp_path / name), f"must be finite; in .*{name} conv2.weight holds NaN or infinite numbers")


@pytest.mark.parametrize("dtype", [torch.int64, torch.int8, torch.uint8, torch.bool, torch.complex64])
def test_whole_and_complex_numbers_are_no_weights(tmp_path: Path, state: dict[str, Tensor], dtype: torch.dtype) -> None:
    state["conv1.weight"] = state["conv1.weight"].to(dtype)
    refused(written(state, tmp_path / "w.pth"), rf"do not fit mnist: .*conv1.weight has {dtype}, not torch.float32")


def test_weights_of_another_net_are_refused(tmp_path: Path, state: dict[str, Tensor]) -> None:
    other = mnist_cnn(Generator(), filters=(8, 16)).state_dict()
    refused(
        written(other, tmp_path / "w.pth"), r"do not fit mnist: .*conv1.weight is \(8, 1, 3, 3\), not \(25, 1, 3, 3\)"
    )
    swapped = state | {"conv1.weight": state["dense1.weight"], "dense1.weight": state["conv1.weight"]}
    refused(written(swapped, tmp_path / "w.safetensors"), "do not fit mnist: .*conv1.weight is .*dense1.weight is")


def test_names_that_are_no_words_and_nothing_at_all_are_refused(tmp_path: Path) -> None:
    for content in ({}, {1: torch.ones(2)}, {("a", 1): torch.ones(2)}, {None: torch.ones(2)}, [torch.ones(2)]):
        refused(written(content, tmp_path / "w.pth"), "w.pth holds others")
    (tmp_path / "w.pth").write_bytes(pickle.dumps({"a": 1}))
    refused(tmp_path / "w.pth", "w.pth is damaged, or holds something else")
    for page in (b"<!DOCTYPE html><html>Please log in</html>", b"version https://git-lfs.github.com/spec/v1\n"):
        for name in ("w.pth", "w.safetensors"):
            (tmp_path / name).write_bytes(page)
            refused(tmp_path / name, f"{name} is damaged, or holds something else")
