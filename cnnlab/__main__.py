"""The command `cnnlab`, also `python -m cnnlab`: `cnnlab lab` opens the course, `cnnlab check` says if all is whole.

cnnlab lab [FOLDER] [options of JupyterLab, such as --no-browser --port 9000]
cnnlab check
"""

import argparse
import hashlib
import json
import os
import platform
import re
import sys
import tempfile
from datetime import date
from importlib import metadata
from pathlib import Path

from cnnlab._data import NOTEBOOKS, PACKAGE, course_file, recorded_hashes

VERSION = metadata.version("cnnlab")
START = "00_start_here.ipynb"
FOLDER = "cnnlab-course"  # in the current folder: where a reader sees it, and finds it again
RECORD = ".cnnlab.json"  # in the reader's folder: the hash of the original of each file that was laid there
PARTS = ("[0-9][0-9]_*.ipynb", "*.md", "*.jpg")
REMEDY = "install cnnlab again, or run `git restore data notebooks` in a clone"
Findings = tuple[str, list[str]]  # a line to show, and what is wrong


def main(words: list[str] | None = None) -> int:
    """Do what the command line says; the result is the exit code."""
    parser = argparse.ArgumentParser("cnnlab", description="See what convolutional networks see.")
    parser.add_argument("--version", action="version", version=f"cnnlab {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("check", help="say what is installed, which device calculates, and if every file is whole")
    about = "open a copy of the course in JupyterLab; your own work in it is never overwritten"
    usage = "cnnlab lab [FOLDER] [options of JupyterLab, such as --no-browser --port 9000]"
    lab = commands.add_parser("lab", help=about, description=about, usage=usage)
    text = f"where the copy lies (the current folder, if it holds a copy, else {FOLDER} in it)"
    lab.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help=text)

    words = sys.argv[1:] if words is None else words
    ours = len(words)
    if words[:1] == ["lab"] and not {"-h", "--help"} & {*words}:  # what follows FOLDER is for JupyterLab
        ours = 2 if words[1:] and not words[1].startswith("-") else 1
    options = parser.parse_args(words[:ours])
    if options.command == "check":
        return check()
    if options.command is None:
        parser.print_help()
        return 2
    folder = (options.folder or Path("." if Path(RECORD).exists() else FOLDER)).expanduser().resolve()
    try:
        written = [] if folder == NOTEBOOKS and not NOTEBOOKS.is_relative_to(PACKAGE) else lay(folder)
    except (OSError, ValueError) as error:
        reason = f"FOLDER cannot be used: {error.strerror} ({error.filename})" if isinstance(error, OSError) else error
        print(f"cnnlab lab: {reason}", file=sys.stderr)
        return 1
    print(f"The course is in {folder}.", flush=True)
    for name in written:
        if not (NOTEBOOKS / name).exists():
            print(f"A chapter that you have worked on has a newer version, which lies beside yours: {name}", flush=True)
    open_lab(folder, words[ours + (words[ours : ours + 1] == ["--"]) :])
    return 0


def lay(folder: Path, originals: Path = NOTEBOOKS) -> list[str]:
    """Copy what is missing of the course into the folder; the names of the files that were written.

    After an upgrade, a file that is as it was laid is replaced. A chapter that the reader has changed stays as it is;
    the newer one comes beside it, once, under a name with the date. The pages (the ledger, the glossary ...) are not
    the reader's work and are always brought up to date.

    Raises ValueError for a folder that is not fit for it, and OSError if a file cannot be read or written.
    """
    laid = _recorded(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for original in sorted(path for pattern in PARTS for path in originals.glob(pattern)):
        content, place = original.read_bytes(), folder / original.name
        new, before = hashlib.sha256(content).hexdigest(), laid.get(original.name)
        there = hashlib.sha256(place.read_bytes()).hexdigest() if place.exists() else None
        laid[original.name] = new
        work = there is not None and there != before and original.suffix == ".ipynb"
        if there == new or (work and before in (new, None)):
            continue  # nothing new; a chapter that is not in the record counts as the reader's
        if work:
            place = _beside(place, content)
        if not place.exists() or place.name == original.name:
            _write(place, content)
            written.append(place.name)
    _write(folder / RECORD, json.dumps(laid, indent=1).encode())
    return written


def _recorded(folder: Path) -> dict[str, str]:
    """What was laid into the folder: the name of each file, and the hash of its original. Refuse other folders."""
    if folder.is_relative_to(PACKAGE):
        raise ValueError(f"FOLDER must lie outside the package {PACKAGE}, as an upgrade replaces all that is in there")
    if not folder.is_dir():
        if folder.exists():
            raise ValueError(f"FOLDER must be a folder; {folder} is a file")
        return {}
    others = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if others and not (folder / RECORD).exists() and START not in others:
        raise ValueError(f"FOLDER must be new, empty or a copy of the course; {folder} holds {', '.join(others[:3])}")
    try:
        laid = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return {str(name): str(sha256) for name, sha256 in laid.items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}  # lost or damaged: all chapters that are there count as the reader's


def _beside(chapter: Path, content: bytes) -> Path:
    """A name for a newer chapter that is free, or that already holds just this content."""
    day, number = date.today().isoformat(), 1
    while True:
        place = chapter.with_stem(f"{chapter.stem} (new {day}{f', {number}' if number > 1 else ''})")
        if not place.exists() or place.read_bytes() == content:
            return place
        number += 1


def _write(place: Path, content: bytes) -> None:
    """The whole file or nothing. (`files.write_whole` would load PyTorch into the server's process.)"""
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, place)
    finally:
        temporary.unlink(missing_ok=True)


def open_lab(folder: Path, options: list[str]) -> None:
    """Run JupyterLab in the folder until it is stopped; its first page is the start page.

    Our settings are in jupyter/: uploads up to 200 MB, no question about news, readable names of files. They are
    defaults: the reader's own settings stay, and nothing is written into their configuration.
    """
    paths = [os.environ.get("JUPYTER_CONFIG_PATH"), str(PACKAGE / "jupyter")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # in a container, say
    page = f"--LabApp.default_url=/lab/tree/{START}"
    with tempfile.TemporaryDirectory() as lent:
        os.environ |= _instead_of_home(Path(lent))
        from jupyterlab.labapp import LabApp  # it reads the environment

        LabApp.launch_instance([f"--ServerApp.root_dir={folder}", page, *root, *options])


def _instead_of_home(lent: Path) -> dict[str, str]:
    """Variables that name folders in `lent`, for those of HOME that cannot be written: JupyterLab would not start."""
    from jupyter_core.paths import jupyter_config_dir, jupyter_runtime_dir

    wanted = {"JUPYTER_CONFIG_DIR": jupyter_config_dir(), "JUPYTER_RUNTIME_DIR": jupyter_runtime_dir()}
    wanted["MPLCONFIGDIR"] = os.environ.get("MPLCONFIGDIR", "~")  # Matplotlib would warn in every chapter
    given = {}
    for name, folder in wanted.items():
        place = Path(folder).expanduser().absolute()
        try:
            tempfile.TemporaryFile(dir=next(path for path in (place, *place.parents) if os.path.exists(path))).close()
        except OSError:
            given[name] = str(lent / name)
    return given


def check() -> int:
    """Print what is installed, which device calculates, and whether every file is whole; 1 if something is wrong."""
    problems = []
    for title, look in LOOKS.items():
        try:
            found, wrong = look()
        except Exception as error:  # a broken installation raises anything
            found, wrong = "do not work", [f"{title}: {type(error).__name__}: {error}"]
        print(f"{title:<9} {found}")
        problems += wrong
    print("\nEverything is in order." if not problems else "\nThis is not in order:")
    for problem in problems:
        print(f"- {problem}")
    return int(bool(problems))


def _packages() -> Findings:
    from packaging.requirements import Requirement

    wrong = []
    for requirement in map(Requirement, metadata.requires("cnnlab") or []):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            version = "missing"
        if version == "missing" or not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f'the package {requirement.name} is {version}: run `pip install "{requirement}"`')
    names = ("torch", "torchvision", "jupyterlab", "ipywidgets")
    shown = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    return f"cnnlab {VERSION}, Python {platform.python_version()}, {shown}", wrong


def _machine() -> Findings:
    import psutil
    import torch

    from cnnlab.nets import best_device

    device = best_device()
    torch.rand(8, 8, device=device).mm(torch.rand(8, 8, device=device)).sum().item()  # raises if it does not calculate
    name = f"threads: {torch.get_num_threads()}" if device == "cpu" else device
    name = torch.cuda.get_device_name() if device == "cuda" else name
    memory = psutil.virtual_memory()
    free = f"{memory.total / 2**30:.1f} GB of memory, {memory.available / 2**30:.1f} of them free"
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {free}; {device} ({name}) calculates", []


def _data() -> Findings:
    wrong = []
    files = recorded_hashes()
    for name in files:
        try:
            course_file(name)
        except RuntimeError as error:
            wrong.append(f"{error}")
    return f"{len(files) - len(wrong)} of {len(files)} files are whole", wrong


def _notebooks() -> Findings:
    """Every chapter names the next one, so that all are there if the links of those that are there lead somewhere."""
    chapters = sorted(NOTEBOOKS.glob(PARTS[0]))
    texts = "".join(path.read_text(encoding="utf-8") for path in chapters)
    linked = {START, *re.findall(r"\]\(([\w-]+\.(?:ipynb|md|jpg))[#)]", texts)}
    wrong = [f"notebooks/{name} is missing: {REMEDY}" for name in sorted(linked) if not (NOTEBOOKS / name).is_file()]
    return f"{len(chapters)} chapters", wrong


def _kernel() -> Findings:
    from jupyter_client.kernelspec import KernelSpecManager

    program = Path(KernelSpecManager().get_kernel_spec("python3").argv[0])  # a bare "python" becomes this one
    if program.is_absolute() and program.parent != Path(sys.executable).parent:
        remedy = "run `jupyter kernelspec remove python3`; Jupyter then takes this one"
        return f"its kernel python3 runs {program}", [f"the kernel python3 is another Python ({program}): {remedy}"]
    return "its kernel python3 runs this Python", []


LOOKS = {"packages": _packages, "machine": _machine, "data": _data, "notebooks": _notebooks, "Jupyter": _kernel}

if __name__ == "__main__":
    sys.exit(main())
