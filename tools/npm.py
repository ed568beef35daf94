"""Packages from npm, for the site and the slides: installed once, into build/npm."""

import json
import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "build" / "npm"
OPTIONS = ["--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]


def node_modules(wanted: Path, name: str) -> Path:
    """The folder node_modules in build/npm/NAME that holds what a package.json wants.

    npm installs it on the first call, and whenever package.json has changed. Ends the program with a sentence if there
    is no npm, or if it fails.
    """
    folder = FOLDER / name
    there = folder / wanted.name  # it is copied last: what is there was installed
    if there.exists() and there.read_bytes() == wanted.read_bytes():
        return folder / "node_modules"
    if not (npm := shutil.which("npm")):
        raise SystemExit(
            f"For the {name}, npm is needed once: install Node.js 18 or later, which brings npm; then try again"
        )
    folder.mkdir(parents=True, exist_ok=True)
    there.unlink(missing_ok=True)
    packages = [f"{package}@{version}" for package, version in json.loads(wanted.read_bytes())["dependencies"].items()]
    if subprocess.run([npm, "install", *OPTIONS, "--no-save", "--prefix", folder, *packages]).returncode:
        raise SystemExit(f"npm could not install the packages of the {name}: see its message above")
    shutil.copy(wanted, there)
    return folder / "node_modules"
