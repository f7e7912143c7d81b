"""A run on the disk: its record and its tables, and what can be read from them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from splitaudit.engine.store import read_json, to_json, write_text
from splitaudit.errors import SplitauditError
from splitaudit.report.summary import Tables, summarise

# Tables that a verb writes after the scan.
WRITTEN_BY = {"splits": "`splitaudit split`", "dedup": "`splitaudit dedup`"}


@dataclass(frozen=True)
class Run:
    """The folder of a run."""

    folder: Path

    @property
    def record(self) -> dict[str, Any]:
        """What run.json holds.

        Raises
        ------
        SplitauditError
            Where there is no run yet.
        """
        path = self.folder / "run.json"
        if not path.exists():
            raise SplitauditError(f"no run in {self.folder}: run `splitaudit scan TARGET` first")
        record: dict[str, Any] = read_json(path)
        return record

    def note(self, **facts: Any) -> None:
        """Add facts to run.json."""
        write_text(to_json({**self.record, **facts}), self.folder / "run.json")

    def table(self, name: str) -> pa.Table:
        """Return a table of the run: items, media, matches, memberships, edges, groups, splits."""
        path = self.folder / f"{name}.parquet"
        if not path.exists():
            verb = WRITTEN_BY.get(name, "`splitaudit scan` again")
            raise SplitauditError(f"{self.folder} has no {name}.parquet: run {verb}")
        return pq.read_table(path, partitioning=None)

    def version(self) -> tuple[tuple[int, int], ...]:
        """Return what changes whenever a table of the run, or its record, is written."""
        files = sorted([self.folder / "run.json", *self.folder.glob("*.parquet")])
        return tuple((at.st_mtime_ns, at.st_ino) for at in map(Path.stat, files))

    def known(self, *names: str) -> dict[str, pa.Table]:
        """Return tables by name."""
        return {name: self.table(name) for name in names}

    def frames(self) -> Tables:
        """Return the tables that reports are made of."""
        record = self.record
        names = ("items", "media", "matches", "failed", "memberships", "edges")
        frames = {name: table.to_pandas() for name, table in self.known(*names).items()}
        return Tables(
            **frames,
            checks=tuple(record["checks"]),
            dataset=record["dataset"],
            splits_known=record.get("splits_known", True),
            unplaced=tuple(record.get("unplaced", ())),
        )

    def summary(self, min_coverage: float) -> dict[str, Any]:
        """Return what `report.summary` counts in the run."""
        return copy.deepcopy(_summarise(self, self.version(), min_coverage))

    def matches(self) -> pd.DataFrame:
        """Return every pair a verifier has looked at, accepted or not, with both splits."""
        frame: pd.DataFrame = self.table("matches").to_pandas()
        of_item = self.table("items").select(["item_id", "split"]).to_pandas()
        splits = of_item.set_index("item_id")["split"]
        return frame.assign(a_split=frame["a"].map(splits), b_split=frame["b"].map(splits))

    def listed(self, relations: Sequence[str], *, accepted: bool = True) -> pd.DataFrame:
        """Return the matches with one of some relations, accepted or not, best score first."""
        found = self.matches()
        found = found[found["accepted"].eq(accepted) & found["relation"].isin(relations)]
        return found.sort_values(
            ["score", "a", "b"], ascending=[False, True, True], ignore_index=True
        )

    def split_pairs(self, matches: pd.DataFrame) -> list[str]:
        """Return the splits of each match, such as `test|train`: the evaluated side first."""
        order = {name: rank for rank, name in enumerate(self.record["order"])}
        pairs = zip(matches["a_split"], matches["b_split"], strict=True)
        return ["|".join(sorted(pair, key=order.__getitem__)) for pair in pairs]


@lru_cache(maxsize=1)  # the report and the terminal ask for the same, one after the other
def _summarise(run: Run, version: object, min_coverage: float) -> dict[str, Any]:
    """Count what a version of a run holds."""
    return summarise(run.frames(), run.record["order"], min_coverage=min_coverage)
