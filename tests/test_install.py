"""`pip install .` gives a package that works alone: it holds networks, paintings, measurements and notebooks."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from cnnlab.__main__ import PARTS

ROOT = Path(__file__).parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
SCRIPT = """
import sys
from pathlib import Path

import pytest

import torch

import cnnlab
from cnnlab import load_net, painting
from cnnlab.__main__ import lay
from cnnlab.chapters.ch10_readers import trained_decoder
from cnnlab.chapters.ch12_style_net import trained_style_net
from cnnlab.material.evidence import recorded
from cnnlab.material.paintings import PAINTINGS
from cnnlab.zoo.zfnets import trained_zfnet

assert Path(cnnlab.__file__).is_relative_to(sys.prefix), cnnlab.__file__
[best, *_] = load_net("mnist", "cpu").predict(torch.zeros(1, 1, 28, 28))
assert best.label in "0123456789", best
assert load_net("squeezenet", "cpu").predict(torch.zeros(1, 3, 64, 64))
assert trained_zfnet().predict(torch.zeros(1, 3, 64, 64))
nets = trained_zfnet("radius 5e-2"), trained_decoder("fire7", 384), trained_style_net()
assert all(painting(name).shape[:2] == (1, 3) for name in PAINTINGS)
assert recorded("ch02_widths")
lay(Path("a course"))
"""


class Empty(venv.EnvBuilder):
    """A virtual environment without packages, not even pip."""

    def post_setup(self, context: SimpleNamespace) -> None:
        self.python = context.env_exe


def run(command: list[object], folder: Path) -> str:
    """What the command prints; fails with all it printed, errors included, if it fails."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, env=variables, text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.mark.slow
def test_a_wheel_works_without_the_checkout(tmp_path: Path) -> None:
    source, elsewhere = tmp_path / "the source", tmp_path / "another folder"
    elsewhere.mkdir()
    # Built from a copy, because a build leaves a folder build/ whose old files would get into the next wheel.
    ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "pictures", "out")
    for folder in ("cnnlab", "data", "notebooks"):
        shutil.copytree(ROOT / folder, source / folder, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in ("Untitled.ipynb", "own_net.safetensors", "out/dream.webp"):  # what notebooks/ of an author may hold
        (source / "notebooks" / name).parent.mkdir(exist_ok=True)
        (source / "notebooks" / name).write_text("{}", encoding="utf-8")
    run([*PIP, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", tmp_path, source], elsewhere)
    shutil.rmtree(source)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("cnnlab/notebooks/")}
    course = [path for pattern in PARTS for path in (ROOT / "notebooks").glob(pattern)]
    assert held == {f"cnnlab/notebooks/{path.name}" for path in course}

    environment = Empty(symlinks=os.name != "nt")
    environment.create(tmp_path / "new environment")
    run([*PIP, "--python", environment.python, "install", "--no-deps", "--no-index", wheel], elsewhere)
    # The new environment sees this one's packages behind its own, and those that this one sees behind its own. A plain
    # path does not bring in what the .pth files there name, so that the editable install of the checkout stays out.
    site = run([environment.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], elsewhere)
    paths = [path for path in sys.path if Path(path).name == "site-packages"]
    (Path(site) / "packages_of_the_tests.pth").write_text("\n".join(paths) + "\n", encoding="utf-8")
    run([environment.python, "-I", "-c", SCRIPT], elsewhere)
    assert {path.name for path in course} <= {path.name for path in (elsewhere / "a course").iterdir()}
    assert run([Path(environment.python).with_name("cnnlab"), "check"], elsewhere).endswith("Everything is in order.")


def test_conda_and_binder_get_one_python_and_the_pins() -> None:
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    read = [(ROOT / name / "environment.yml").read_text(encoding="utf-8") for name in (".", "binder")]
    assert all("- python=3.12\n" in text for text in read)  # repo2docker does not understand a range
    assert "- -c constraints.txt\n" in read[0]
    assert f"- pytorch-cpu={pins['torch']}\n- torchvision={pins['torchvision']}\n" in read[1].replace("  ", "")
