"""What every benchmark shares: run the command line as a user would, print tables, keep numbers."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.common import preloaded

COMMAND = (sys.executable, "-m", "splitaudit.cli")
LEAKS = ("exact", "near_duplicate", "overlap")


@dataclass(frozen=True)
class Scan:
    """A scan that has ended.

    Parameters
    ----------
    status
        Exit status.
    seconds
        Wall clock, from the start of the process to its end.
    summary
        What `--json` printed; empty where it printed none.
    run
        Folder of the run.
    said
        What it wrote to stderr.
    """

    status: int
    seconds: float
    summary: dict[str, Any]
    run: Path
    said: str

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the run."""
        return pd.read_parquet(self.run / f"{name}.parquet", partitioning=None)

    def accepted(self) -> pd.DataFrame:
        """Return the accepted matches, whatever their relation."""
        matches = self.table("matches")
        return matches[matches["accepted"].astype(bool)].reset_index(drop=True)


def run_verb(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a verb of the command line."""
    if preloaded.is_served():
        return preloaded.run_module("splitaudit.cli", list(map(str, words)), cwd or Path.cwd())
    command = [*COMMAND, *map(str, words)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def scan(target: Path, home: Path, *options: str, run: str = "run", cache: str = "cache") -> Scan:
    """Scan a target with its run and its cache below `home`."""
    begun = time.perf_counter()
    folders = ("--out", home / run, "--cache", home / cache)
    done = run_verb("scan", target, *folders, "--json", *options)
    seconds = time.perf_counter() - begun
    summary = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return Scan(done.returncode, seconds, summary, home / run, done.stderr)


def must(scanned: Scan, *statuses: int) -> Scan:
    """Return a scan that ended as it should; stop the benchmark where it did not."""
    if scanned.status not in statuses:
        sys.exit(f"splitaudit scan ended with {scanned.status}, not {statuses}:\n{scanned.said}")
    return scanned


def link(source: Path, target: Path) -> None:
    """Make a symlink, and the folders above it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source.resolve())


def count_processes() -> int:
    """Return how many processes may work at once."""
    return len(os.sched_getaffinity(0))


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser that knows `--json`."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE")
    return made


def print_table(title: str, rows: Sequence[Mapping[str, Any]], limit: int = 200) -> None:
    """Print rows under their names, numbers to the right."""
    print(f"\n{title}")
    if not rows:
        print("  none")
        return
    texts = {name: [_text(row.get(name)) for row in rows[:limit]] for name in rows[0]}
    widths = {name: max(len(name), *map(len, column)) for name, column in texts.items()}
    right = {name: isinstance(rows[0][name], (int, float)) for name in texts}
    for line in [list(texts), *zip(*texts.values(), strict=True)]:
        cells = zip(line, texts, strict=True)
        said = (t.rjust(widths[n]) if right[n] else t.ljust(widths[n]) for t, n in cells)
        print("  " + "  ".join(said).rstrip())
    if len(rows) > limit:
        print(f"  and {len(rows) - limit:,} more (all of them with --json)")


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 100 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def keep(path: Path | None, numbers: Mapping[str, Any]) -> None:
    """Write the numbers as JSON where `--json` asked for it."""
    if path is not None:
        path.write_text(json.dumps(numbers, indent=2, default=str) + "\n", encoding="utf-8")
