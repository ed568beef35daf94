"""Where the files of data/ lie."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
DATA: Path = _PACKAGE / "data" if (_PACKAGE / "data").is_dir() else _PACKAGE.parent / "data"
"""The folder data/: an installed wheel holds it inside the package, a checkout beside it."""
