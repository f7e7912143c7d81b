"""What a command costs: seconds, CPU seconds, memory; and modules run in processes of their own."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON")}
ONE_THREAD["OPENCV_FOR_THREADS_NUM"] = "1"


class Measured:
    """Run a command; keep its exit status, seconds, CPU seconds and highest memory in bytes."""

    def __init__(self, command: list[str], env: Mapping[str, str] | None = None) -> None:
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env)
        self.peak = 0
        watcher = threading.Thread(target=self._watch, args=(process,))
        watcher.start()
        self.status = process.wait()
        watcher.join()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.wall = time.perf_counter() - begun
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                self.peak = max(self.peak, tree_memory(process.pid))
            time.sleep(0.1)


def tree_memory(pid: int) -> int:
    """Resident bytes of a process and its children; what they share is counted in each."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return own + sum(tree_memory(int(child)) for child in children)


def with_one_thread() -> dict[str, str]:
    """Return the environment in which libraries start no threads."""
    return {**os.environ, **ONE_THREAD}


def run_module(
    module: str,
    *words: object,
    python: Path | str = sys.executable,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a module of the benchmarks in a process of its own; return what it prints.

    Run by a `python` that has not what this one has, it may import nothing that only this one has.
    """
    command = [str(python), "-m", module, *map(str, words)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env).stdout
