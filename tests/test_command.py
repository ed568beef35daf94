"""The command `cnnlab`: how the course is laid into a folder, and laid again after an upgrade; what `check` finds."""

import importlib.util
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from cnnlab import __main__ as command, _data
from cnnlab.__main__ import RECORD, START, lay, main

OLD = {START: "start", "01_pooling.ipynb": "chapter 1", "GLOSSARY.md": "words", "tour.jpg": "picture"}
CHAPTER = "01_pooling.ipynb"


def names(folder: Path) -> list[str]:
    """The files of a folder, without the record."""
    return sorted(path.name for path in folder.iterdir() if path.name != RECORD)


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    """A course of two chapters, with things around it that are not of the course."""
    folder = tmp_path / "originals"
    (folder / "out").mkdir(parents=True)
    for name, content in OLD.items() | {"Untitled.ipynb": "", "own_net.safetensors": ""}.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, list[str]]]:
    """What JupyterLab was opened with; the course is laid, but no server starts."""
    calls: list[tuple[Path, list[str]]] = []
    monkeypatch.setattr(command, "open_lab", lambda folder, options: calls.append((folder, options)))
    return calls


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a newer chapter 1 that comes beside, on a day in May."""
    monkeypatch.setattr(command, "date", SimpleNamespace(today=lambda: SimpleNamespace(isoformat=lambda: "2026-05-01")))
    return "01_pooling (new 2026-05-01).ipynb"


@pytest.mark.parametrize("name", ["course", "a folder with spaces", "卷积网络/看见 什么", "a/new/path"])
def test_the_course_is_laid_once(tmp_path: Path, originals: Path, name: str) -> None:
    folder = tmp_path / name
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        pytest.skip("the locale of this machine has no letters for this name")
    assert sorted(lay(folder, originals)) == names(folder) == sorted(OLD)
    assert {name: text(folder / name) for name in OLD} == OLD
    assert lay(folder, originals) == []
    assert names(folder) == sorted(OLD)


def test_what_the_reader_changed_stays_and_what_they_removed_comes_again(tmp_path: Path, originals: Path) -> None:
    folder = tmp_path / "course"
    lay(folder, originals)
    (folder / CHAPTER).write_text("my answer")
    (folder / "my notes.md").write_text("mine")
    (folder / START).unlink()
    (folder / "GLOSSARY.md").write_text("scribbles")
    assert lay(folder, originals) == [START, "GLOSSARY.md"]
    assert (text(folder / CHAPTER), text(folder / "my notes.md")) == ("my answer", "mine")
    assert text(folder / "GLOSSARY.md") == "words"


def test_a_newer_chapter_comes_beside_the_readers_work_once(tmp_path: Path, originals: Path, newer: str) -> None:
    folder = tmp_path / "course"
    lay(folder, originals)
    (folder / CHAPTER).write_text("my answer")
    (originals / CHAPTER).write_text("chapter 1, improved")
    assert lay(folder, originals) == [newer]
    assert (text(folder / CHAPTER), text(folder / newer)) == ("my answer", "chapter 1, improved")
    assert lay(folder, originals) == []
    (folder / newer).unlink()  # the reader does not want it
    assert lay(folder, originals) == []
    (originals / CHAPTER).write_text("improved again")  # on another day, or on the same: the reader's file has the name
    (folder / newer).write_text("my work in the newer one")
    assert lay(folder, originals) == ["01_pooling (new 2026-05-01, 2).ipynb"]
    assert text(folder / newer) == "my work in the newer one"


def test_files_that_the_reader_never_changed_become_the_newer_ones(tmp_path: Path, originals: Path) -> None:
    folder = tmp_path / "course"
    lay(folder, originals)
    for name in (CHAPTER, "GLOSSARY.md"):
        (originals / name).write_text("improved")
    (originals / "02_training.ipynb").write_text("chapter 2")
    assert lay(folder, originals) == [CHAPTER, "02_training.ipynb", "GLOSSARY.md"]
    assert names(folder) == sorted([*OLD, "02_training.ipynb"])
    assert text(folder / CHAPTER) == "improved"


@pytest.mark.parametrize("damage", [None, b"", b"[1, 2]", b"\xff\xfe", b'{"01_pooling'])
def test_without_its_record_all_chapters_count_as_the_readers(
    tmp_path: Path, originals: Path, newer: str, damage: bytes | None
) -> None:
    folder = tmp_path / "course"
    lay(folder, originals)
    (folder / RECORD).unlink()
    if damage is not None:
        (folder / RECORD).write_bytes(damage)
    (folder / CHAPTER).write_text("my answer")
    (originals / START).write_text("start, improved")
    assert lay(folder, originals) == []
    assert (text(folder / CHAPTER), text(folder / START)) == ("my answer", "start")
    (originals / CHAPTER).write_text("chapter 1, improved")
    assert lay(folder, originals) == [newer]


def test_an_upgrade_that_was_stopped_goes_on(
    tmp_path: Path, originals: Path, newer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "course"
    lay(folder, originals)
    (folder / CHAPTER).write_text("my answer")
    (originals / CHAPTER).write_text("chapter 1, improved")
    (originals / "GLOSSARY.md").write_text("new words")
    replace = os.replace

    def full(source: Path, target: Path) -> None:
        if target.name == "GLOSSARY.md":
            raise OSError(28, "No space left on device", str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        lay(folder, originals)
    assert names(folder) == sorted([*OLD, newer])  # nothing half written
    monkeypatch.setattr(os, "replace", replace)
    assert lay(folder, originals) == ["GLOSSARY.md"]
    assert names(folder) == sorted([*OLD, newer])


def test_other_folders_are_refused(tmp_path: Path, opened: list, capsys: pytest.CaptureFixture) -> None:
    file, full = tmp_path / "a file", tmp_path / "thesis"
    file.write_text("")
    (full / ".git").mkdir(parents=True)
    for name in ("thesis.tex", "b.bib", "a.bib", "c.bib"):
        (full / name).write_text("")
    cases = {
        file: "must be a folder",
        file / "course": str(file),
        full: "holds a.bib, b.bib, c.bib",
        command.PACKAGE / "course": "outside the package",
    }
    for folder, words in cases.items():
        assert main(["lab", str(folder)]) == 1
        message = capsys.readouterr().err
        assert message.startswith("cnnlab lab: ")
        assert words in message
    assert names(full) == [".git", "a.bib", "b.bib", "c.bib", "thesis.tex"]
    assert not opened


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, opened: list, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(place: Path, content: bytes) -> None:  # not by chmod: root may write everywhere
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.setattr(Path, "write_bytes", read_only)
    assert main(["lab", str(tmp_path / "course")]) == 1
    message = capsys.readouterr().err
    assert message.startswith("cnnlab lab: FOLDER cannot be used: Permission denied")
    assert str(tmp_path / "course") in message
    assert not opened


@pytest.mark.parametrize(
    ("words", "folder", "options"),
    [
        ([], "cnnlab-course", []),
        (["my course"], "my course", []),
        (["--no-browser", "--port", "9000"], "cnnlab-course", ["--no-browser", "--port", "9000"]),
        (["mine", "--no-browser", "--port", "9000"], "mine", ["--no-browser", "--port", "9000"]),
        (["mine", "--", "--ip=0.0.0.0"], "mine", ["--ip=0.0.0.0"]),
    ],
)
def test_the_folder_comes_first_and_all_the_rest_goes_to_jupyterlab(
    words: list[str],
    folder: str,
    options: list[str],
    tmp_path: Path,
    originals: Path,
    opened: list,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "lay", lambda folder: lay(folder, originals))
    assert main(["lab", *words]) == 0
    assert opened == [(tmp_path / folder, options)]
    assert (tmp_path / folder / START).is_file()
    monkeypatch.chdir(tmp_path / folder)
    assert main(["lab"]) == 0
    assert opened[1] == (tmp_path / folder, [])  # in a copy, that copy, not a second one in it


def test_authors_open_the_originals_themselves(opened: list) -> None:
    before = names(command.NOTEBOOKS)
    assert main(["lab", str(command.NOTEBOOKS)]) == 0
    assert opened == [(command.NOTEBOOKS, [])]
    assert names(command.NOTEBOOKS) == before
    assert not (command.NOTEBOOKS / RECORD).exists()


def test_help_names_the_commands(capsys: pytest.CaptureFixture) -> None:
    assert main([]) == 2
    assert {"lab", "check"} <= {*capsys.readouterr().out.split()}
    with pytest.raises(SystemExit, match="0"):
        main(["lab", "--port", "9000", "--help"])
    assert "--no-browser" in capsys.readouterr().out


def test_check_says_that_all_is_in_order(capsys: pytest.CaptureFixture) -> None:
    assert main(["check"]) == 0
    shown = capsys.readouterr().out
    assert shown.endswith("Everything is in order.\n")
    assert all(name in shown for name in ("Python 3.", "torch 2.", "torchvision", "jupyterlab 4.", "ipywidgets", "GB"))


@pytest.mark.parametrize("writable", [True, False])
def test_jupyter_gets_other_folders_where_home_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writable: bool
) -> None:
    home, lent = tmp_path / "home", tmp_path / "lent"
    home.mkdir() if writable else home.write_text("a file cannot hold a folder, not even for root")
    names = {"JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"}
    for name in names | {"JUPYTER_DATA_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"}:
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE", "APPDATA"):
        monkeypatch.setenv(name, str(home))
    assert command._instead_of_home(lent) == ({} if writable else {name: str(lent / name) for name in names})
    assert not writable or not list(home.iterdir())


def test_check_names_every_damaged_and_missing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    data, notebooks = tmp_path / "data", tmp_path / "notebooks"
    shutil.copytree(_data.DATA, data, ignore=shutil.ignore_patterns("pictures"))
    with (data / "zfnet" / "epoch-01.safetensors").open("r+b") as file:
        file.write(b"!")
    (data / "mnist_cnn.safetensors").unlink()
    (data / "evidence" / "ch02_widths.json").write_text("{}")
    (data / "microscope/channels/fire3/0007.webp").unlink()
    lines = (data / "SHA256SUMS.packages").read_text().splitlines(keepends=True)
    (data / "SHA256SUMS.packages").write_text("".join(line for line in lines if line.endswith("moon.png\n")))
    found = importlib.util.find_spec
    monkeypatch.setattr(_data, "find_spec", lambda name: None if name == "skimage" else found(name))
    notebooks.mkdir()
    (notebooks / START).write_text("[next](01_pooling.ipynb), [word](GLOSSARY.md#pooling), ![tour](tour.jpg)")
    (notebooks / CHAPTER).write_text("{}")
    monkeypatch.setattr(_data, "DATA", data)
    monkeypatch.setattr(command, "NOTEBOOKS", notebooks)
    assert main(["check"]) == 1
    problems = [line[2:].split(":")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("- ")]
    assert problems == [
        f"{data}/evidence/ch02_widths.json is altered",
        f"{data}/microscope/channels/fire3/0007.webp is missing",
        f"{data}/mnist_cnn.safetensors is missing",
        f"{data}/zfnet/epoch-01.safetensors is altered",
        "site-packages/skimage/data/moon.png is missing",
        "notebooks/GLOSSARY.md is missing",
        "notebooks/tour.jpg is missing",
    ]


def test_check_names_packages_and_kernels_that_do_not_fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    wishes = ["torch>=99", "no-such-package", 'hypothesis>=99; extra == "test"']
    monkeypatch.setattr(command.metadata, "requires", lambda name: wishes)
    spec = {"argv": [str(tmp_path / "bin" / "python"), "-m", "ipykernel_launcher"], "display_name": "", "language": ""}
    kernel = tmp_path / "kernels" / "python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert main(["check"]) == 1
    shown = capsys.readouterr().out
    assert "the package torch is 2." in shown
    assert 'run `pip install "torch>=99"`' in shown
    assert "no-such-package is missing" in shown
    assert "the kernel python3 is another Python" in shown
    assert "hypothesis" not in shown


def test_check_goes_on_where_something_does_not_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def broken() -> None:
        raise OSError("a library of torch cannot be loaded")

    monkeypatch.setattr("cnnlab.nets.best_device", broken)
    assert main(["check"]) == 1
    shown = capsys.readouterr().out
    assert "- machine: OSError: a library of torch cannot be loaded" in shown
    assert "files are whole" in shown
