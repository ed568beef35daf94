"""Freed memory stays in the process, and idle OpenMP threads do not, where the libraries are GNU's."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource
{setting}
import torch

def step():  # ten activations of 4 MB, as a small net makes them, and one of 40 MB
    x = torch.ones(2**20)
    return [x := x + 1 for _ in range(10)] + [torch.ones(10 * 2**20)]

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

for _ in range(5):
    step()
before = faults()
for _ in range(10):
    step()
print((faults() - before) / 10)
"""


def faults_a_step(setting: str, **variables: str) -> float:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    program = [sys.executable, "-c", PROGRAM.format(setting=setting)]
    return float(subprocess.check_output(program, env=environment | variables, text=True))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="for glibc's malloc")
def test_a_step_does_not_ask_the_system_for_its_memory_again_unless_the_user_wants_it_so() -> None:
    returned = faults_a_step("import cnnlab", MALLOC_TRIM_THRESHOLD_="0")
    assert returned > 10_000  # 80 MB are 20,000 pages
    assert faults_a_step("import cnnlab") < returned / 10


THREADS = """
import torch
from pathlib import Path
from cnnlab._native import release_openmp_threads

def threads():
    return len(list(Path("/proc/self/task").iterdir()))

torch.set_num_threads(4)
alone = threads()
torch.ones(2**20).sin()
busy = threads()
released = release_openmp_threads()
idle = threads()
torch.ones(2**20).sin()
print(busy - alone, released, idle - alone, threads() - alone)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts Linux's threads")
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="for GNU OpenMP")
def test_a_thread_that_hands_its_work_on_keeps_no_team_of_its_own() -> None:
    found = subprocess.check_output([sys.executable, "-c", THREADS], text=True).split()
    assert found == ["3", "True", "0", "3"]  # and makes its team anew when it needs one


GIVEN_BACK = """
import resource
from pathlib import Path

import cnnlab
import torch
from cnnlab._native import give_back_freed_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

cnnlab.load_net  # tells malloc what to keep
kept = [torch.ones(2**18) for _ in range(200)]  # 1 MB each
full = resident()
del kept
freed = resident()
give_back_freed_memory()
print(full - freed < 50e6, freed - resident() > 150e6)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="for GNU's malloc")
def test_what_malloc_keeps_can_be_given_back() -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    found = subprocess.check_output([sys.executable, "-c", GIVEN_BACK], text=True, env=plain).split()
    assert found == ["True", "True"]
