"""Make the small microscope that the course ships, in data/microscope: `python -m tools.ship_microscope` (minutes).

Pages that are there stay. For all of them anew, delete the folder first.
"""

import shutil
import sys
from pathlib import Path

from cnnlab._data import DATA
from cnnlab.microscope.__main__ import main
from cnnlab.microscope.page import SETTINGS
from tools.hashes import record

PAGES = ("--layers", "relu1", "fire3", "fire5", "fire7", "fire9", "--channels", "0:48")


def ship(pages: tuple[str, ...] = PAGES, folder: Path = DATA) -> int:
    """Make the pages in `folder`/microscope and record their hashes; the result is the exit code."""
    made = folder / "microscope"
    code = main([*pages, "--out", str(made)])
    for path in made.iterdir() if code == 0 else ():
        if path.name not in ("channels", SETTINGS):  # the site, which is made where it is read
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    record(folder, *(file.relative_to(folder).as_posix() for file in made.rglob("*") if file.is_file()))
    return code


if __name__ == "__main__":
    sys.exit(ship())
