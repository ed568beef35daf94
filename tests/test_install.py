"""`pip install .` gives a package that works alone: its networks and paintings load where there is no checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
SCRIPT = """
import sys
from pathlib import Path

import torch

import cnnlab
from cnnlab import load_net, painting
from cnnlab.zoo.zfnets import trained_zfnet

assert Path(cnnlab.__file__).is_relative_to(sys.prefix), cnnlab.__file__
[best, *_] = load_net("mnist", "cpu").predict(torch.zeros(1, 1, 28, 28))
assert best.label in "0123456789", best
assert trained_zfnet().predict(torch.zeros(1, 3, 64, 64))
assert painting("wave").shape[:2] == (1, 3)
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


def test_a_wheel_works_without_the_checkout(tmp_path: Path) -> None:
    source, elsewhere = tmp_path / "the source", tmp_path / "another folder"
    elsewhere.mkdir()
    # Built from a copy, because a build leaves a folder build/ whose old files would get into the next wheel.
    for folder in ("cnnlab", "data"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__", "pictures"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    run([*PIP, "wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", tmp_path, source], elsewhere)
    shutil.rmtree(source)

    environment = Empty(symlinks=os.name != "nt")
    environment.create(tmp_path / "new environment")
    [wheel] = tmp_path.glob("*.whl")
    run([*PIP, "--python", environment.python, "install", "--no-deps", "--no-index", wheel], elsewhere)
    # The new environment sees this one's packages behind its own. A plain path does not bring in what the .pth files
    # there name, so that the editable install of the checkout stays out.
    site = run([environment.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], elsewhere)
    paths = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (Path(site) / "packages_of_the_tests.pth").write_text("\n".join(paths) + "\n", encoding="utf-8")
    run([environment.python, "-I", "-c", SCRIPT], elsewhere)
