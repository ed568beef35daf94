"""Two settings of native libraries that decide how fast a step is: what malloc keeps, and whose OpenMP threads exist.

Elsewhere than on Linux with glibc and GNU OpenMP, which PyTorch's packages bring along, nothing is done.
"""

import ctypes
import os
from functools import cache
from pathlib import Path

TRIM_THRESHOLD, MMAP_MAX, ARENA_MAX = -1, -4, -8  # mallopt(3)'s numbers
SOFT = 1  # omp_pause_soft


def keep_freed_memory(limit: int = 2**30) -> bool:
    """Let malloc keep up to `limit` bytes of freed memory in one heap for all threads; whether it could.

    All activations of a step are freed at its end. glibc then gives the top of its heap, and every block above 32 MB,
    back to the system, and the next step faults the same pages in again: 570 faults a step from pixels, 1,540 from the
    spectrum (SqueezeNet to fire5, 224 px), a quarter of the time; half of it for a batch of twelve at 512 px. PyTorch's
    CPU allocator has no cache of its own. A user's MALLOC_* variables or GLIBC_TUNABLES have the last word.
    """
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # macOS, Windows, musl
        return False
    return all([mallopt(MMAP_MAX, 0), mallopt(ARENA_MAX, 1), mallopt(TRIM_THRESHOLD, limit)])


def give_back_freed_memory() -> bool:
    """Give back to the system what malloc keeps: after large work in a process that lives on; whether it could."""
    try:
        return bool(ctypes.CDLL("libc.so.6").malloc_trim(0))
    except (OSError, AttributeError):  # macOS, Windows, musl
        return False


def release_openmp_threads() -> bool:
    """End the OpenMP threads that wait for the calling thread's next parallel operation; whether it could.

    For a thread that hands its work to another one: every thread has a team of its own, and GNU OpenMP lets teams sleep
    between operations as soon as there are more threads than cores. To wake them takes as long as a small operation: a
    panel's run, in the worker's thread, took 1.8 x as long as the same run in a cell. Teams are made anew when needed.
    """
    library = _gnu_openmp()
    return library is not None and library.omp_pause_resource_all(SOFT) == 0


@cache
def _gnu_openmp() -> ctypes.CDLL | None:
    import torch

    found = [ctypes.CDLL(str(path)) for path in (Path(torch.__file__).parent / "lib").glob("libgomp*.so*")]
    return next((library for library in found if hasattr(library, "omp_pause_resource_all")), None)
