"""Print the oldest version of each package that pyproject.toml admits, in lines for pip: for `make test-oldest`."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


def oldest(requirement: Requirement) -> str:
    """`jupyterlab>=4.4,<5` -> `jupyterlab==4.4`; ValueError if the requirement has no lower bound."""
    bounds = [part.version for part in requirement.specifier if part.operator in (">=", "==")]
    if len(bounds) != 1:
        raise ValueError(
            f"pyproject.toml must give {requirement.name} one lower bound, as in >=1.2; found {requirement}"
        )
    marker = f"; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}=={bounds[0]}{marker}"


def main() -> None:
    """Print a line for each package, those of the extras included."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    for words in sum(project["optional-dependencies"].values(), project["dependencies"]):
        print(oldest(Requirement(words)))


if __name__ == "__main__":
    main()
