"""Run the tests on a machine unlike ours: `python -m tools.machines far`, or `closed`; more words go to pytest.

The tests run in a copy of the checkout in build/machines, with the packages of this Python, an empty HOME and a TMPDIR:

far      the copy lies in a folder with spaces and Chinese letters; one thread; tests in random order; a Turkish
         locale, which has decimal commas; the time of Kiribati; new files are for their owner only.
closed   the checkout and HOME are read-only, so that the notebooks run in a copy as `cnnlab lab` lays it; there is no
         network; files are ASCII for who names no encoding.

Both need Linux: `far` the sources of the locales (Debian's package `locales`), `closed` the commands `unshare` and
`ip`, as root or where a user may make namespaces. The order of `far` is printed as a seed; `--shuffle SEED` gives it
again.
"""

import locale
import os
import random
import re
import shutil
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

from cnnlab.__main__ import lay

ROOT = Path(__file__).resolve().parent.parent
MACHINES = {
    "far": {"LC_ALL": "tr_TR.UTF-8", "OMP_NUM_THREADS": "1", "TZ": "<+14>-14"},
    "closed": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
}
NEEDS = {"far": ("localedef",), "closed": ("unshare", "ip", "mount")}
COPIES = {"far": "我的 課程, a copy", "closed": "course"}
# The namespaces are gone with the command, and nothing outside of them changes. What lies under TMPDIR stays writable.
CLOSE = """
ip link set lo up
mount --bind "$1" "$1"
mount --bind "$2" "$2"
mount -o remount,bind,ro "$1"
cd "$3"
shift 3
exec "$@"
"""


def main() -> int:
    """Make the machine that the command line names, and run pytest on it; the result is pytest's exit code."""
    name, *words = sys.argv[1:] or [""]
    if name not in MACHINES:
        raise SystemExit(f"{name!r} is no machine; there are {', '.join(MACHINES)}")
    if missing := [command for command in NEEDS[name] if not shutil.which(command)]:
        raise SystemExit(f"`make test-{name}` needs Linux and the command {missing[0]}")
    folder = ROOT / "build" / "machines" / name
    shutil.rmtree(folder, ignore_errors=True)
    copy, home, temporary, locales = (folder / part for part in (COPIES[name], "home", "tmp", "locales"))
    for new in (copy, home, temporary, locales):
        new.mkdir(parents=True)
    copy_checkout(copy)

    variables = {name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS") if name in os.environ}
    variables |= {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONPATH": str(copy)}
    pytest_here = [sys.executable, "-m", "pytest", "-p", "tools.machines"]
    if name == "far":
        if subprocess.run(["localedef", "-i", "tr_TR", "-f", "UTF-8", str(locales / "tr_TR.UTF-8")]).returncode:
            raise SystemExit("`make test-far` needs the sources of the locales: on Debian, the package `locales`")
        variables["LOCPATH"] = str(locales)
        command = [*pytest_here, "--shuffle", str(random.randrange(10_000)), *words]
    else:
        course = temporary / "cnnlab-course"
        lay(course, copy / "notebooks")
        words = [re.sub("^notebooks", str(course), word) for word in words]
        spaces = ["unshare", "--user", "--map-root-user", "--mount", "--net"]
        closed = ["sh", "-euc", CLOSE, "sh", str(ROOT), str(temporary), str(copy)]
        command = [*spaces, *closed, *pytest_here, "-c", "pyproject.toml", "-p", "no:cacheprovider", *words]
    umask = 0o077 if name == "far" else -1
    return subprocess.run(command, cwd=copy, env=variables | MACHINES[name], umask=umask).returncode


def copy_checkout(folder: Path) -> None:
    """Copy what git knows of the checkout, and what it would ask about, as it lies there now."""
    listed = subprocess.check_output(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT)
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():  # not one that was removed just now
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


# What follows are pytest's hooks on the machine, where this module is a plugin.


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --shuffle SEED."""
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run tests in random order, except a notebook's cells")


def pytest_configure() -> None:
    """Take the locale's words and decimals, as a program around Python may do it; Python alone takes letters only."""
    locale.setlocale(locale.LC_ALL, "")


def pytest_report_header(config: pytest.Config) -> str:
    """Say what this machine is like; an error if it runs the tests of one checkout on the code of another."""
    import cnnlab

    here = Path.cwd()
    if not Path(cnnlab.__file__).is_relative_to(here):
        raise pytest.UsageError(f"the tests of {here} would run on {cnnlab.__file__}")
    comma, writable = locale.localeconv()["decimal_point"], os.access(here, os.W_OK)
    return (
        f"machine: {here}, which is {'writable' if writable else 'read-only'}; files are {locale.getencoding()}; "
        f"1{comma}5; seed: {config.getoption('shuffle')}"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle the files, and the tests in each file; a notebook's cells keep their order."""
    if (seed := config.getoption("shuffle")) is None:
        return
    order = random.Random(seed)
    files = [list(tests) for _, tests in groupby(items, lambda item: item.path)]
    order.shuffle(files)
    for tests in files:
        if tests[0].path.suffix != ".ipynb":
            order.shuffle(tests)
    items[:] = [test for tests in files for test in tests]


if __name__ == "__main__":
    sys.exit(main())
