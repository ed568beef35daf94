"""What `make mutants` adds to mutmut: a plugin of pytest, and, as a command, the result for each module.

mutmut runs for each mutant the tests that call the mutated function. What a file of tests calls during its import, or
in a fixture that it sets up once, it records for the first test alone; with the plugin all tests of that file have it.
And mutmut takes a mutant whose tests cannot even be imported for one that ran out of time; here it is killed.
"""

import gc
from collections import Counter, defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest
from mutmut.mutation.data import SourceFileMutationData  # type: ignore[import-not-found]
from mutmut.mutation.diff_apply import get_diff_for_mutant  # type: ignore[import-not-found]
from mutmut.state import state  # type: ignore[import-not-found]
from mutmut.stats import status_by_exit_code  # type: ignore[import-not-found]
from mutmut.utils.file_utils import walk_mutatable_files  # type: ignore[import-not-found]

LEAST = 0.85  # of the mutants must be killed
_shared: dict[Path, set[str]] = defaultdict(set)  # file -> functions that its import and its fixtures call
gc.freeze()  # the last import before the processes of the mutants fork: their collections leave what was imported alone


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Keep what the import of a file calls; an import that fails is a test that fails."""
    report = yield
    if report.failed:
        pytest.exit(f"{collector.path} cannot be imported: {report.longreprtext}", returncode=1)
    _keep(collector.path)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    """Keep what the fixtures call, and give the test all that its file has called so far."""
    yield
    _keep(item.path)
    state()._stats.update(_shared[item.path])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of one module before those of the whole course: most mutants fail one of them, in less time."""
    items.sort(key=lambda item: item.path.name.startswith("test_any"))


def _keep(path: Path) -> None:
    _shared[path].update(state()._stats)
    state()._stats.clear()


def main() -> None:
    """Print what became of each module's mutants, and write those that no test notices to survivors.txt, as diffs."""
    diffs, total = [], Counter[str]()
    print(f"{'module':32} {'mutants':>7} {'killed':>7} {'timeout':>7} {'survived':>8}")
    for path in sorted(walk_mutatable_files()):
        data = SourceFileMutationData(path=path)
        data.load()
        found = {name: status_by_exit_code[code] for name, code in data.exit_code_by_key.items() if code is not None}
        counts = Counter(found.values())
        total += counts
        print(_row(str(path), counts))
        for name, status in found.items():
            if status not in ("killed", "timeout"):
                diffs.append(f"# {name}: {status}\n{get_diff_for_mutant(name, path=path)}\n")
    Path("survivors.txt").write_text("\n".join(diffs), encoding="utf-8")
    print(_row("all", total))
    noticed = (total["killed"] + total["timeout"]) / total.total()
    print(f"{noticed:.1%} are killed, or run into the time limit; survivors.txt shows the others")
    if noticed < LEAST:
        raise SystemExit(f"at least {LEAST:.0%} must be killed")


def _row(name: str, counts: Counter[str]) -> str:
    killed, timeout, mutants = counts["killed"], counts["timeout"], counts.total()
    return f"{name:32} {mutants:7} {killed:7} {timeout:7} {mutants - killed - timeout:8}"


if __name__ == "__main__":
    main()
