"""Freed memory stays in the process, where malloc is glibc's."""

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
{setting}
import torch

def step():  # ten activations of 4 MB, as a small net makes them
    x = torch.ones(2**20)
    return [x := x + 1 for _ in range(10)]

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
    assert returned > 5000  # 40 MB are 10,000 pages
    assert faults_a_step("import cnnlab") < returned / 10
