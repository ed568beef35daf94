"""Packages from npm: installed when they are wanted, once; without npm one sentence says what to do."""

import json
from pathlib import Path

import pytest

from tools import npm


@pytest.fixture
def wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package.json, and npm's calls in a list instead of an installation."""
    monkeypatch.setattr(npm, "FOLDER", tmp_path / "npm")
    file = tmp_path / "package.json"
    file.write_text(json.dumps({"dependencies": {"one": "1.0.0", "two": "2.0.0"}}))
    return file


class Call:
    def __init__(self, returncode: int):
        self.returncode, self.commands = returncode, list[list]()

    def __call__(self, command: list) -> "Call":
        self.commands.append(command)
        return self


def test_packages_are_installed_once_and_again_when_the_wishes_change(
    wanted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Call(0)
    monkeypatch.setattr(npm.subprocess, "run", run)
    monkeypatch.setattr(npm.shutil, "which", lambda name: f"/bin/{name}")
    assert npm.node_modules(wanted, "site") == npm.node_modules(wanted, "site") == npm.FOLDER / "site" / "node_modules"
    assert [command[-2:] for command in run.commands] == [["one@1.0.0", "two@2.0.0"]]
    wanted.write_text(json.dumps({"dependencies": {"one": "1.0.1"}}))
    npm.node_modules(wanted, "site")
    assert run.commands[-1][-1] == "one@1.0.1"


def test_an_installation_that_fails_is_tried_again(wanted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Call(1)
    monkeypatch.setattr(npm.subprocess, "run", run)
    monkeypatch.setattr(npm.shutil, "which", lambda name: f"/bin/{name}")
    for _ in range(2):
        with pytest.raises(SystemExit, match="npm could not install the packages of the slides"):
            npm.node_modules(wanted, "slides")
    assert len(run.commands) == 2


def test_without_npm_one_sentence_says_what_to_do(wanted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npm.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match="For the site, npm is needed once: install Node.js"):
        npm.node_modules(wanted, "site")
