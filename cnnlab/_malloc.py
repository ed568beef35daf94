"""Keep freed memory in the process: without it every step of a run asks the system for its memory anew.

All activations of a step are freed at its end. glibc then gives the top of its heap back to the system, and the next
step faults the same pages in again: 570 faults a step from pixels, 1,540 from the spectrum (SqueezeNet to fire5, 224
px), a quarter of the time. PyTorch's CPU allocator has no cache of its own. Elsewhere than on glibc nothing is done.
"""

import ctypes
import os

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # mallopt(3)'s numbers


def keep_freed_memory(limit: int = 512 * 2**20) -> bool:
    """Let malloc keep up to `limit` bytes of freed memory, and take tensors below 32 MB from it; whether it could.

    A user's own MALLOC_* variables or GLIBC_TUNABLES have the last word.
    """
    if any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # macOS, Windows, musl
        return False
    return bool(mallopt(MMAP_THRESHOLD, 32 * 2**20) and mallopt(TRIM_THRESHOLD, limit))
