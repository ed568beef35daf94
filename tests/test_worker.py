"""The worker's thread, and the pace at which it shows a run."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from cnnlab.runs import Run, Step
from cnnlab.teaching import worker as workers
from cnnlab.teaching.worker import PAUSE, Worker, paced


def run_of(count: int, pause: float = 0.0) -> Run:
    def take() -> Iterator[Step]:
        for number in range(1, count + 1):
            time.sleep(pause)
            yield Step(number, count, 0.0)

    return Run(take(), count, lambda: None)  # type: ignore[arg-type,return-value]


def test_the_last_job_asked_for_replaces_those_that_wait() -> None:
    worker, word, done = Worker(), threading.Event(), []
    worker.ask(lambda: word.wait(10) and done.append(0))
    while worker.stopping:  # until the first job has begun
        time.sleep(0.001)
    for number in (1, 2, 3):
        worker.ask(lambda number=number: done.append(number))
    assert worker.stopping
    word.set()
    worker.wait(10)
    assert done == [0, 3]
    worker.ask(lambda: done.append(4))  # a new thread
    worker.wait(10)
    assert done == [0, 3, 4]


def test_stop_forgets_the_waiting_job() -> None:
    worker, word, done = Worker(), threading.Event(), []
    worker.ask(lambda: word.wait(10) and done.append(0))
    while worker.stopping:
        time.sleep(0.001)
    worker.ask(lambda: done.append(1))
    worker.stop()
    word.set()
    worker.wait(10)
    assert done == [0]


def test_wait_says_when_the_job_takes_too_long() -> None:
    worker, word = Worker(), threading.Event()
    worker.wait(0.01)  # there is no job
    worker.ask(lambda: word.wait(10))
    with pytest.raises(TimeoutError, match="still runs"):
        worker.wait(0.05)
    word.set()
    worker.wait(10)


def test_the_asking_thread_releases_its_openmp_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[threading.Thread] = []
    monkeypatch.setattr(workers, "release_openmp_threads", lambda: released.append(threading.current_thread()))
    worker = Worker()
    worker.ask(lambda: None)
    worker.wait(10)
    assert released == [threading.current_thread()]


def test_a_running_job_does_not_keep_the_interpreter_from_ending() -> None:
    code = "import time; from cnnlab.teaching.worker import Worker; Worker().ask(lambda: time.sleep(600))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_first_and_the_last_step_are_shown_and_few_between() -> None:
    run, begin = run_of(50, pause=0.005), time.monotonic()
    shown = [step.number for step in paced(run, Worker())]
    assert (shown[0], shown[-1]) == (1, 50)
    assert 2 <= len(shown) <= 2 + (time.monotonic() - begin) / PAUSE
    assert len(run.values) == 50
    assert [step.number for step in paced(run_of(1), Worker())] == [1]
    assert [step.number for step in paced(run_of(2), Worker())] == [1, 2]
    assert list(paced(run_of(0), Worker())) == []


def test_a_run_ends_after_the_step_at_which_the_worker_stops() -> None:
    worker, run = Worker(), run_of(9)
    shown = []
    for step in paced(run, worker):
        shown.append(step.number)
        worker.stop()
    assert shown == [1]
    assert run.last is not None
    assert run.last.number == 1
