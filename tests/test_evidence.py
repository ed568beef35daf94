"""Every file of data/evidence is that of its experiment, and a tiny version of each experiment runs."""

import hashlib
import json
from pathlib import Path
from types import ModuleType

import pytest

from cnnlab._data import DATA
from cnnlab.material import evidence as shipped
from tools import make_evidence
from tools.make_evidence import EXPERIMENTS, experiment, measure

each = pytest.mark.parametrize("name", EXPERIMENTS)


@each
def test_the_file_names_its_command_seeds_and_versions(name: str) -> None:
    module = experiment(name)
    saved = json.loads((DATA / "evidence" / f"{name}.json").read_text(encoding="utf-8"))
    assert saved["command"] == f"python -m tools.make_evidence {name}"
    assert saved["question"]
    assert saved["settings"] == json.loads(json.dumps(module.FULL)), "the settings have changed: make evidence"
    assert len(module.SEEDS) >= 5
    assert saved["seeds"] == list(module.SEEDS) == [result["seed"] for result in saved["results"]]
    assert set(saved["versions"]) == {"python", "torch", "numpy"}
    assert shipped.recorded(name) == saved["results"]


@each
def test_a_tiny_version_runs_and_measures_the_same_things(name: str) -> None:
    module = experiment(name)
    assert set(module.TINY) == set(module.FULL)
    result = module.measure(0, **module.TINY)
    json.dumps(result)
    assert set(result) == set(shipped.recorded(name)[0]) - {"seed"}


def test_no_file_is_left_without_an_experiment() -> None:
    assert sorted(path.stem for path in (DATA / "evidence").glob("*.json")) == sorted(EXPERIMENTS)


@pytest.fixture
def coin(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An experiment named coin; the list holds the seeds that it was measured for."""
    module, seeds = ModuleType("coin", "Is a coin fair?"), []

    def tossed(seed: int, tosses: int) -> dict[str, int]:
        if seed == 2 and seeds.count(2) == 0:
            seeds.append(seed)
            raise KeyboardInterrupt
        seeds.append(seed)
        return {"heads": tosses * seed % 3}

    module.SEEDS, module.measure = range(4), tossed  # type: ignore[attr-defined]
    monkeypatch.setattr(make_evidence, "experiment", lambda name: module)
    return seeds


def test_an_interrupted_measurement_goes_on_where_it_was(coin: list[int], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        measure("coin", {"tosses": 10}, tmp_path)
    file = tmp_path / "evidence" / "coin.json"
    assert [result["seed"] for result in json.loads(file.read_text())["results"]] == [0, 1]
    assert (tmp_path / "SHA256SUMS").read_text().startswith(hashlib.sha256(file.read_bytes()).hexdigest())
    measure("coin", {"tosses": 10}, tmp_path)
    assert coin == [0, 1, 2, 2, 3]
    saved = json.loads(file.read_text())
    assert [result["heads"] for result in saved["results"]] == [0, 1, 2, 0]
    assert [path.name for path in file.parent.iterdir()] == ["coin.json"]
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert (tmp_path / "SHA256SUMS").read_text() == f"{sha256}  evidence/coin.json\n"


def test_other_settings_are_measured_anew(coin: list[int], tmp_path: Path) -> None:
    coin.append(2)
    measure("coin", {"tosses": 10}, tmp_path)
    measure("coin", {"tosses": 11}, tmp_path)
    assert coin[1:] == [0, 1, 2, 3] * 2
    assert json.loads((tmp_path / "evidence" / "coin.json").read_text())["settings"] == {"tosses": 11}


def test_unknown_experiments_are_named() -> None:
    with pytest.raises(ValueError, match="unknown experiment 'coin'"):
        experiment("coin")
    with pytest.raises(RuntimeError, match=r"coin\.json is missing: install cnnlab again, or"):
        shipped.recorded("coin")
