"""Count the lines of cnnlab and hold them against the limits: `python -m tools.count_lines`.

A student reads the core in one sitting, so it must stay short. `chapters/` belongs to the notebooks: checks of
exercises, figures and measurements of one chapter each. `microscope/` is a program of its own that rests on the rest.
Every line counts: code, docstrings, blank lines.
"""

import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "cnnlab"
CORE = ("nets", "images", "objectives", "parametrizations", "transforms", "steps", "runs", "descent", "training")
CORE_LIMIT, PACKAGE_LIMIT, CHAPTERS_LIMIT, MICROSCOPE_LIMIT = 1_250, 6_400, 5_000, 1_000


def lines(file: Path) -> int:
    """The number of lines of a file."""
    return len(file.read_text(encoding="utf-8").splitlines())


def verdict(what: str, count: int, limit: int) -> str:
    """One line of the table: "core  1,228 of at most 1,250"."""
    remark = f"  ({count - limit:,} too many)" if count > limit else ""
    return f"{what:<18} {count:>6,} of at most {limit:,}{remark}"


def main() -> int:
    """Print the table; the result is 1 if a limit is exceeded, else 0."""
    modules = {name: lines(PACKAGE / f"{name}.py") for name in CORE}
    whole, chapters, microscope = (
        sum(map(lines, (PACKAGE / part).rglob("*.py"))) for part in ("", "chapters", "microscope")
    )
    parts = {
        "core": (sum(modules.values()), CORE_LIMIT),
        "all but these two": (whole - chapters - microscope, PACKAGE_LIMIT),
        "chapters/": (chapters, CHAPTERS_LIMIT),
        "microscope/": (microscope, MICROSCOPE_LIMIT),
    }
    for name, count in modules.items():
        print(f"  {name:<16} {count:>6,}")
    for name, (count, limit) in parts.items():
        print(verdict(name, count, limit))
    return int(any(count > limit for count, limit in parts.values()))


if __name__ == "__main__":
    sys.exit(main())
