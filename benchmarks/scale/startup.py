"""How long `splitaudit --help` takes: 0.3 s, and 0.15 s of CPU time, are asked."""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

from benchmarks.common import harness

RUNS = 20


def main() -> None:
    args = harness.make_parser(__doc__).parse_args()
    command = Path(sys.executable).with_name("splitaudit")
    time_command([str(command), "--help"])  # fills the disk cache and __pycache__
    wall, cpu = zip(*(time_command([str(command), "--help"]) for _ in range(RUNS)), strict=True)
    rows = [
        {"time of `splitaudit --help`": name, "best s": min(x), "median s": statistics.median(x)}
        for name, x in (("wall clock", wall), ("CPU", cpu))
    ]
    harness.print_table(f"Startup, {RUNS} runs", rows)
    harness.keep(args.json, {"wall": wall, "cpu": cpu})


def time_command(command: list[str]) -> tuple[float, float]:
    """Run a command with its output thrown away; return seconds on the wall and of the CPU."""
    begun = time.perf_counter()
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    child = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - begun
    if status:
        sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return seconds, used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
