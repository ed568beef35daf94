"""A thread that does one job at a time, the last one asked for, and the pace at which it shows a run."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cnnlab._native import release_openmp_threads

Job = Callable[[], None]


class Worker:
    """Does in a thread what is asked for, one job after the other.

    A new job asks the present one to stop, and replaces any that still waits. Jobs look at `stopping` now and then, and
    must not raise.
    """

    def __init__(self) -> None:
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._next: Job | None = None
        self._thread: threading.Thread | None = None

    @property
    def stopping(self) -> bool:
        """Whether the present job should end."""
        return self._stop.is_set()

    def ask(self, job: Job) -> None:
        """Do this job next, as soon as the present one has stopped."""
        release_openmp_threads()  # the cores are the worker's now
        with self._lock:
            self._next = job
            self._stop.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Ask the present job to stop, and forget the waiting one."""
        with self._lock:
            self._next = None
            self._stop.set()

    def wait(self, timeout: float) -> None:
        """Wait until there is nothing to do.

        Raises:
            TimeoutError: after `timeout` seconds.
        """
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
            if thread.is_alive():
                raise TimeoutError(f"the job still runs after {timeout} s")

    def _loop(self) -> None:
        while True:
            with self._lock:
                job, self._next = self._next, None
                self._stop.clear()
                if job is None:
                    self._thread = None  # under the lock: whoever asks later starts a new thread
                    return
            job()


def paced(steps: Iterable[Any], pause: float, worker: Worker) -> Iterator[tuple[Any, list[float]]]:
    """The steps that there is time to draw, each with the objective's values so far: the first, the last, some between.

    Ends after the present step when the worker should stop. `pause` seconds pass after each drawing.
    """
    objective: list[float] = []
    waiting, due = [], 0.0
    for step in steps:
        objective.append(float(step.value))
        waiting = [step]
        if time.monotonic() >= due:
            yield waiting.pop(), objective
            due = time.monotonic() + pause
        if worker.stopping:
            break
    if waiting:
        yield waiting.pop(), objective
