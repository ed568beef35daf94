"""Where the course's files lie: an installed wheel holds them inside the package, a checkout beside it."""

from pathlib import Path

PACKAGE: Path = Path(__file__).resolve().parent
DATA, NOTEBOOKS = (
    PACKAGE / name if (PACKAGE / name).is_dir() else PACKAGE.parent / name for name in ("data", "notebooks")
)
