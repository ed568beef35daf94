"""What one student takes of a server: `python -m benchmarks.classroom 04 11 12`. Linux only.

A chapter is run from its first cell to its last with one thread. Meanwhile the memory of its kernel is looked at five
times a second: all that it holds (VmRSS), and the part that it cannot share with other kernels, which is what is not a
file (RssAnon). A server of many students needs the second for each of them, and the libraries' files once.
"""

import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

from tools.run_notebooks import NOTEBOOKS, chosen


def measure(path: Path) -> tuple[float, int, int]:
    """Seconds of one notebook, and the most MiB that its kernel held: in all, and for itself alone."""
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    client = NotebookClient(nbformat.read(path, as_version=4), timeout=1200, resources=resources)
    start, most, own = time.perf_counter(), 0, 0
    with ThreadPoolExecutor() as pool:
        work = pool.submit(client.execute)
        while not work.done():
            for kernel in psutil.Process().children():
                with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                    status = Path(f"/proc/{kernel.pid}/status").read_text(encoding="utf-8")
                    held = dict(re.findall(r"(VmRSS|RssAnon):\s+(\d+) kB", status))
                    most = max(most, int(held.get("VmRSS", 0)) // 1024)
                    own = max(own, int(held.get("RssAnon", 0)) // 1024)
            time.sleep(0.2)
        work.result()
    return time.perf_counter() - start, most, own


def main() -> None:
    """Print a line for each chapter."""
    os.environ["OMP_NUM_THREADS"] = "1"  # the kernels get it, too
    for path in chosen(sys.argv[1:]):
        seconds, most, own = measure(path)
        print(f"{path.stem:28} {seconds:6.1f} s  {most:6d} MiB, of these {own} its own", flush=True)


if __name__ == "__main__":
    main()
