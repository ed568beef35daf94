"""Peak memory of one work of one task: `python -m benchmarks.peak NAME NUMBER SIZE DEVICE WHO`, called by the table.

Linux only: the kernel's own count of the largest resident set, started anew when the network is loaded.
"""

import ctypes
import importlib
import re
import sys
from itertools import islice
from pathlib import Path

from cnnlab._torchvision import torchvision  # noqa: F401
from cnnlab.zoo.load import load_net


def memory(kind: str) -> float:
    """MiB of this process: VmRSS, what it holds now, or VmHWM, the most that it held."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    (kibibytes,) = re.findall(rf"{kind}:\s+(\d+) kB", status)
    return int(kibibytes) / 1024


if __name__ == "__main__":
    name, number, size, device, who = sys.argv[1:]
    tasks = importlib.import_module(f"benchmarks.{name}").tasks(load_net("squeezenet", device), int(size))
    task = next(islice(tasks, int(number), None))
    ctypes.CDLL(None).malloc_trim(0)  # cnnlab lets malloc keep what the task's inputs took
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # VmHWM starts anew
    before = memory("VmRSS")
    ({"ours": task.ours} | dict(task.peers))[who]()
    print(memory("VmHWM") - before)
