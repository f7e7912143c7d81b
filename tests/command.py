"""The command line, run as a user runs it, and in this process where many runs are needed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.common.preloaded import run_module
from splitaudit import cli

TABLES = ("items", "media", "matches", "failed", "memberships", "edges", "groups")


@dataclass(frozen=True)
class Ran:
    """What a run of the command line gave."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*words: object, cwd: Path, **environment: str) -> Ran:
    """Run `splitaudit` in a process of its own, which has the package loaded."""
    added = {"COLUMNS": "80", **environment}
    done = run_module("splitaudit.cli", list(map(str, words)), cwd, added, timeout_s=900)
    return Ran(done.returncode, done.stdout, done.stderr)


class Here:
    """Runs `splitaudit` in this process, in one folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capfd = capfd

    def __call__(self, *words: object) -> Ran:
        self._monkeypatch.setattr(sys, "argv", ["splitaudit", *map(str, words)])
        self._capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Ran(int(ended.value.code or 0), *self._capfd.readouterr())


def table(run_folder: Path, name: str) -> pa.Table:
    return pq.read_table(run_folder / f"{name}.parquet", partitioning=None)


def tables(run_folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every table that a scan writes."""
    return {name: table(run_folder, name).to_pylist() for name in TABLES}


def stages(run_folder: Path) -> dict[str, int]:
    """Return how many things each stage of the last scan computed."""
    record = json.loads((run_folder / "run.json").read_text())
    return {name: stage["computed"] for name, stage in record["stages"].items()}


def outcomes(run_folder: Path, part: str = "audio") -> dict[str, tuple[str, str | None]]:
    """Return the status and the reason of each item."""
    rows = table(run_folder, "media").to_pylist()
    return {row["item_id"]: (row["status"], row["error"]) for row in rows if row["part"] == part}


def pairs(rows: Sequence[dict[str, Any]], *relations: str) -> set[tuple[str, str]]:
    """Return the accepted pairs of some relations."""
    found = [row for row in rows if row["accepted"] and row["relation"] in relations]
    return {(row["a"], row["b"]) for row in found}
