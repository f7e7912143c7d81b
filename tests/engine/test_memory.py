"""What a process frees stays with it."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

CODE = """
import resource
import numpy as np
from splitaudit.engine.memory import keep_freed
{}
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        [np.ones(1 << 21) for _ in range(4)]  # four arrays of 16 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_freed_memory_is_used_again() -> None:
    kept, given_back = (_faults(line) for line in ("keep_freed()", ""))
    assert kept < 1_000 < given_back


def _faults(line: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(line)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)
