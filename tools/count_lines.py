"""Count the lines of cnnlab and hold them against the limits: `python -m tools.count_lines`.

A student reads the core in one sitting, so it must stay short. Every line counts: code, docstrings, blank lines.
"""

import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "cnnlab"
CORE = ("nets", "images", "objectives", "parametrizations", "transforms", "steps", "runs", "descent", "training")
CORE_LIMIT, PACKAGE_LIMIT = 1_400, 7_600


def lines(file: Path) -> int:
    """The number of lines of a file."""
    return len(file.read_text(encoding="utf-8").splitlines())


def verdict(what: str, count: int, limit: int) -> str:
    """One line of the table: "core  1,398 of at most 1,400"."""
    remark = f"  ({count - limit:,} too many)" if count > limit else ""
    return f"{what:<18} {count:>6,} of at most {limit:,}{remark}"


def main() -> int:
    """Print the table; the result is 1 if a limit is exceeded, else 0."""
    modules = {name: lines(PACKAGE / f"{name}.py") for name in CORE}
    core, package = sum(modules.values()), sum(map(lines, PACKAGE.rglob("*.py")))
    for name, count in modules.items():
        print(f"  {name:<16} {count:>6,}")
    print(verdict("core", core, CORE_LIMIT))
    print(verdict("the whole package", package, PACKAGE_LIMIT))
    return int(core > CORE_LIMIT or package > PACKAGE_LIMIT)


if __name__ == "__main__":
    sys.exit(main())
