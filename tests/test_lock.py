"""The lock: every pin with the hashes of its files, and nothing else; what the audit calls an all-clear."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.audit import answer, differences, license_of
from tools.lock import FOLDER, HEADS, PEERS, PINS, part, pins

ROOT = Path(__file__).parent.parent
FILES = [FOLDER / f"{name}.txt" for name in HEADS]
LOCKED = {name: version for file in FILES for name, version in pins(file).items()}
WHOLE = "".join(file.read_text(encoding="utf-8") for file in FILES)
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
PLATFORMS = [("linux", "posix", "Linux"), ("darwin", "posix", "Darwin"), ("win32", "nt", "Windows")]


def test_every_pin_is_locked_in_its_version() -> None:
    constraints = pins(ROOT / "constraints.txt")
    assert len(constraints) > 200
    assert {name: LOCKED.get(name) for name in constraints} == constraints


def test_nothing_is_locked_that_is_not_pinned() -> None:
    pinned = {name for file in PINS for name in pins(ROOT / file)} | {"torch", "torchvision"}
    free = {name for name in LOCKED if name not in pinned}
    assert all(part(name) == "torch" for name in free), free  # torch brings its CUDA libraries
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    texts = [*asked["dependencies"], *sum(asked["optional-dependencies"].values(), []), *PEERS.split()]
    assert {canonicalize_name(Requirement(text).name) for text in texts} <= LOCKED.keys()


def test_every_package_has_hashes_and_stands_in_its_file_once() -> None:
    hashes: dict[str, int] = {}
    for file in FILES:
        head, *blocks = re.split(r"^(?=\w)", file.read_text(encoding="utf-8"), flags=re.M)
        assert all(line.startswith("# ") for line in head.splitlines())
        for block in blocks:
            found = re.fullmatch(r"([\w-]+)==[\w.]+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n", block)
            assert found, block
            name = found[1]
            assert name not in hashes, f"{name} is locked twice"
            assert f"{part(name)}.txt" == file.name
            hashes[name] = block.count("--hash=")
    assert hashes.keys() == LOCKED.keys()


def test_the_lock_names_no_host_and_no_index() -> None:
    assert "://" not in WHOLE
    assert not re.search(r"^-|pypi|pythonhosted|\.(org|com|io)\b", WHOLE, flags=re.M)


@pytest.fixture(scope="module")
def wishes() -> list[tuple[str, Requirement]]:
    """What the packages that are installed here in their locked version ask for, each with the package that asks."""
    found = []
    for name in sorted(LOCKED.keys() - {"torchattacks"}):  # it asks for an older requests
        try:
            if Version(metadata.version(name)).public == LOCKED[name]:  # not so for `make test-oldest`
                found += [(name, Requirement(text)) for text in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            continue  # another platform's
    assert len(found) > 500
    return found


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize(("sys_platform", "os_name", "platform_system"), PLATFORMS)
def test_each_platform_gets_what_its_packages_ask_for(
    wishes: list[tuple[str, Requirement]], python: str, sys_platform: str, os_name: str, platform_system: str
) -> None:
    here = {"sys_platform": sys_platform, "os_name": os_name, "platform_system": platform_system, "extra": ""}
    here |= {"python_version": python, "python_full_version": f"{python}.9"}
    lines = re.findall(r"^([\w-]+)==[\w.]+(?: ; ([^\\]+))? \\$", WHOLE, flags=re.M)
    there = {name for name, marker in lines if not marker or Marker(marker).evaluate(here)}
    for name, wish in wishes:
        if name in there and (wish.marker is None or wish.marker.evaluate(here)):
            wanted = canonicalize_name(wish.name)
            assert wanted in there, f"{name} asks for {wish}"
            assert wish.specifier.contains(LOCKED[wanted], prereleases=True), f"{name} asks for {wish}"


def make(*words: str) -> subprocess.CompletedProcess[str]:
    """Call make as if no make had called us."""
    outer = ("HASHES", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    return subprocess.run(["make", *words], cwd=ROOT, env=environment, capture_output=True, text=True)


def commands(*words: str) -> list[str]:
    """How pip would be called by `make install`."""
    run = make("-n", "install", *words)
    assert not run.returncode, run.stderr
    return [line for line in run.stdout.splitlines() if "pip-version-check install" in line]


@needs_make
def test_make_installs_from_the_lock_only_if_it_is_asked() -> None:
    [plain] = commands("VENV=build/no-such")
    assert plain.endswith("install -c constraints.txt -e .")
    wheels, sources, ours = commands("VENV=build/no-such", "HASHES=1")
    assert all(word in wheels for word in ("--require-hashes", "--only-binary :all:", "-r locked/wheels.txt"))
    assert wheels.endswith("-r locked/torch.txt")
    assert all(word in sources for word in ("--require-hashes", "--no-build-isolation", "-r locked/sources.txt"))
    assert all(word in ours for word in ("--no-index", "--no-build-isolation", "-e ."))  # nothing more is fetched


@needs_make
def test_an_environment_with_hashes_stays_so_and_keeps_its_build_of_pytorch(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.touch()
    (tmp_path / ".with-hashes").write_text(f"{mine}\n")
    wheels, *_, ours = commands(f"VENV={tmp_path}")
    assert "--require-hashes" in wheels
    assert wheels.endswith(f"-r {mine}")
    assert "--no-index" in ours


@needs_make
def test_hashes_are_refused_where_something_is_installed_already(tmp_path: Path) -> None:
    run = make("install", "HASHES=1", f"VENV={tmp_path}")
    assert run.returncode
    assert "may hold packages whose hash nobody checked" in run.stdout
    assert not list(tmp_path.iterdir())


def test_the_proxy_of_the_hub_is_locked() -> None:
    wanted, lock = (json.loads((ROOT / "deploy" / name).read_bytes()) for name in ("package.json", "package-lock.json"))
    root, *packages = lock["packages"].values()
    assert root["dependencies"] == wanted["dependencies"]
    assert len(packages) > 20
    for package in packages:
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package  # a host
        assert not package.get("hasInstallScript")
    assert all(
        lock["packages"][f"node_modules/{name}"]["version"] == version
        for name, version in wanted["dependencies"].items()
    )


def flaw(name: str) -> dict[str, object]:
    return {"id": name, "fix_versions": ["2.0"]}


def test_a_package_that_could_not_be_looked_up_is_no_all_clear() -> None:
    good = {"name": "one", "version": "1.0", "vulns": []}
    assert answer({"dependencies": [good]}) == (["none is known of these 1 packages"], 0)
    lines, code = answer({"dependencies": [good, {"name": "two", "skip_reason": "not found"}]})
    assert code == 1
    assert lines == ["1 of 2 packages could not be looked up, so this is no all-clear (two: not found)"]
    lines, code = answer({"dependencies": [good, {"name": "two", "version": "1.1", "vulns": [flaw("CVE-1")]}]})
    assert (lines, code) == (["two 1.1: CVE-1, mended in 2.0"], 1)


def test_an_installed_version_that_is_not_the_locked_one_is_named() -> None:
    torch = metadata.version("torch").partition("+")[0]
    assert differences({"torch": torch, "no-such-package": "1.0"}) == []
    assert differences({"torch": "0.1"}) == [f"torch is installed as {metadata.version('torch')}, and locked as 0.1"]


def test_the_license_is_read_from_the_metadata() -> None:
    def read(**fields: str) -> str:
        package = Message()
        for field, text in fields.items():
            package[field.replace("_", "-")] = text
        return license_of(package)  # type: ignore[arg-type]

    assert read(License_Expression="Apache-2.0 AND MIT") == "Apache"
    assert read(Classifier="License :: OSI Approved :: BSD License") == "BSD"
    assert read(License="MIT") == "MIT"
    assert read(License="NO LIABILITY, LIMITED TO", Classifier="Topic :: MIT") == "other"
    assert read() == "other"
