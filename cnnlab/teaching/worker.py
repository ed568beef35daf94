"""A thread that does one job at a time, and the pace at which a panel shows a run."""

import threading
import time
from collections.abc import Callable, Iterator

from cnnlab._native import release_openmp_threads
from cnnlab.runs import Run, Step

PAUSE = 0.1  # seconds between two pictures: we draw at most about 10 a second


class Worker:
    """Does jobs in a thread, one after the other.

    A new job asks the present one to stop, and replaces a job that still waits. A job must not raise; a long one looks
    at `stopping` now and then. The thread is a daemon, so a running job does not keep the interpreter from ending. (A
    ThreadPoolExecutor would keep it: it joins its threads at exit.)
    """

    def __init__(self) -> None:
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._next: Callable[[], object] | None = None
        self._thread: threading.Thread | None = None

    @property
    def stopping(self) -> bool:
        """Whether the present job should end."""
        return self._stop.is_set()

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._thread is not None

    def ask(self, job: Callable[[], object]) -> None:
        """Do this job next, as soon as the present one has stopped."""
        release_openmp_threads()  # the cores are the worker's now
        with self._lock:
            self._next = job
            self._stop.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="cnnlab panel", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Ask the present job to stop, and forget the waiting one."""
        with self._lock:
            self._next = None
            self._stop.set()

    def wait(self, timeout: float) -> None:
        """Wait until there is nothing to do; raises TimeoutError after `timeout` seconds."""
        if thread := self._thread:
            thread.join(timeout)
            if thread.is_alive():
                raise TimeoutError(f"the job still runs after {timeout} s")

    def _loop(self) -> None:
        while True:
            with self._lock:
                job, self._next = self._next, None
                self._stop.clear()
                if job is None:
                    self._thread = None  # we hold the lock: a later `ask` starts a new thread
                    return
            job()


def paced(run: Run, worker: Worker) -> Iterator[Step]:
    """Yield only as many steps as can be drawn: always the first and the last, else at most one every `PAUSE` seconds.

    The present step is the last if the worker should stop.
    """
    due, drawn = 0.0, True
    for step in run:
        drawn = time.monotonic() >= due
        if drawn:
            yield step
            due = time.monotonic() + PAUSE
        if worker.stopping:
            break
    if not drawn:
        yield step
