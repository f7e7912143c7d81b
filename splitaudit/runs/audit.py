"""Audit: what a notebook works with, and what every verb of the command line calls."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit import schema
from splitaudit.audio.decode.sounds import load
from splitaudit.dataset import Dataset
from splitaudit.engine import stages
from splitaudit.engine.cards import card
from splitaudit.engine.progress import Progress, Quiet
from splitaudit.engine.store import to_json, write_table, write_text
from splitaudit.errors import SplitauditError
from splitaudit.groups import policies as group
from splitaudit.groups.oversized import giants
from splitaudit.images.decode import pictures
from splitaudit.report.html import write_report
from splitaudit.report.listing import MediaLoaders
from splitaudit.report.sentences import coverage_sentences, escape_invisible, headline
from splitaudit.report.side_by_side import LONGER_SIDE
from splitaudit.runs import groups as grouping
from splitaudit.runs import splits
from splitaudit.runs.rescan import search_again
from splitaudit.runs.run import WRITTEN_BY, Run
from splitaudit.scan import pipeline
from splitaudit.split import dedup
from splitaudit.split.check import CheckResult, check, must_link
from splitaudit.split.foreign import read_digest, read_split

GIANT_SHARE = 0.05  # > of the items in one group: reported, with the edges that weld it


class Audit:
    """The audit of one dataset: its run on the disk, and what can be asked of it.

    Use `splitaudit.open` to make one.

    Parameters
    ----------
    run
        The folder of the run.
    settings
        Of the scan.
    dataset
        What to scan; None where an earlier run is only looked at.
    checks
        What to ask of each item, of `schema.CHECKS`; None: everything the dataset holds.
    """

    def __init__(
        self,
        run: Path,
        settings: stages.Settings,
        dataset: Dataset | None = None,
        checks: Sequence[str] | None = None,
    ) -> None:
        self.run = run
        self._run = Run(run)
        self.settings = settings
        self.dataset = dataset
        self._checks = checks

    def __repr__(self) -> str:
        return f"<Audit of {self._glance()[0]}>"

    def _repr_html_(self) -> str:
        title, *lines = self._glance()
        return card(f"Audit of {title}", [*lines, f"run: {self.run}"])

    def _glance(self) -> list[str]:
        """The verdict in a sentence, and what was looked at."""
        if not (self.run / "run.json").is_file():
            name = self.dataset.name if self.dataset else self.run.name
            return [f"{escape_invisible(name)}: not scanned yet"]
        summary = self.summary()
        verdict = f"{summary['verdict'].upper()}: {headline(summary)}"
        return [f"{escape_invisible(summary['dataset'])}: {verdict}", *coverage_sentences(summary)]

    def plan(self) -> list[stages.Step]:
        """Say what `scan` would compute, computing nothing."""
        return pipeline.plan(self._dataset(), self.settings, self._checks or schema.CHECKS)

    def scan(self, *, progress: Progress | None = None, min_coverage: float = 1.0) -> Audit:
        """Read, fingerprint, search and verify; write the tables of the run.

        What earlier scans found out about the same bytes is used again.

        Parameters
        ----------
        progress
            Is told how far it is.
        min_coverage
            The share of the items that must be audited for the verdict `clean`.
        """
        begun, dataset = time.perf_counter(), self._dataset()
        log = stages.StageLog(progress or Quiet())
        tables = pipeline.scan(dataset, self.settings, log, self._checks or schema.CHECKS)
        for name in WRITTEN_BY:  # conclusions from what was known before
            (self.run / f"{name}.parquet").unlink(missing_ok=True)
        for name, table in tables.items():
            write_table(table, self.run / f"{name}.parquet")
        record = {
            "dataset": dataset.name,
            "about": dict(dataset.about),
            "order": list(dataset.split_order),
            "splits_known": dataset.splits_known,
            "unplaced": list(dataset.unplaced),
            "notes": list(dataset.notes),
            "ratios": dict(dataset.ratios),
            "checks": self._requested_checks(tables),
            "settings": {"generic": self.settings.generic, "min_coverage": min_coverage},
            "undecided": pc.sum(pc.equal(tables["media"]["status"], schema.UNDECIDED)).as_py() or 0,
            "stages": log.stages,
            "versions": pipeline.versions(),
            "seconds": round(time.perf_counter() - begun, 3),
        }
        write_text(to_json(record), self.run / "run.json")
        self.report()
        return self

    @property
    def record(self) -> dict[str, Any]:
        """What run.json holds.

        Raises
        ------
        SplitauditError
            Where there is no run yet.
        """
        return self._run.record

    def table(self, name: str) -> pa.Table:
        """Return a table of the run: items, media, matches, memberships, edges, groups, splits."""
        return self._run.table(name)

    def summary(self, *, min_coverage: float | None = None) -> dict[str, Any]:
        """Return the answer in numbers, as `--json` prints it."""
        record = self.record
        least = record["settings"]["min_coverage"] if min_coverage is None else min_coverage
        counted = self._run.summary(least)
        notes = [escape_invisible(note) for note in record["notes"]]
        return {**counted, "notes": notes, "seconds": record["seconds"], "run": str(self.run)}

    def matches(self) -> pd.DataFrame:
        """Return every pair a verifier has looked at, accepted or not, with both splits."""
        return self._run.matches()

    def leaks(self) -> pd.DataFrame:
        """Return the accepted matches across splits, the most certain first.

        Returns
        -------
        DataFrame
            The columns of matches, `a_split`, `b_split` and `splits` (such as ``test|train``: the
            evaluated side first).
        """
        found = self._run.listed(schema.LEAK_RELATIONS)
        across = found[found["a_split"] != found["b_split"]]
        return across.assign(splits=self._run.split_pairs(across))

    def duplicates(self) -> pd.DataFrame:
        """Return the accepted matches within a split, the most certain first."""
        found = self._run.listed(schema.LEAK_RELATIONS)
        return found[found["a_split"] == found["b_split"]]

    def similar(self) -> pd.DataFrame:
        """Return the pictures that resemble each other and are no copies, or not provably.

        Such as two shots of one scene. They count nowhere; the most alike come first.
        """
        return self._run.listed((schema.SIMILAR,), accepted=False)

    def shared_material(self) -> pd.DataFrame:
        """Return the matches of stretches that many items share, such as a jingle."""
        return self._run.listed((schema.SHARED_MATERIAL,))

    def groups(self, policy: str = group.DUPLICATE, *, cap: int | None = None) -> pd.DataFrame:
        """Return the group of each item: what must stay on one side of a split.

        Parameters
        ----------
        policy
            `duplicate`, `source`, `setup`, or names of keys with commas between.
        cap
            The most items of a group that pairs which may be cut make; None: nothing is cut.
        """
        joining = grouping.edges(self._run, policy, cap)
        groups: pd.DataFrame = grouping.group_items(self._run, policy, joining).to_pandas()
        return groups

    def refused(self, policy: str, cap: int) -> pd.DataFrame:
        """Return the edges that would make groups of more (>) than `cap` items."""
        edges: pd.DataFrame = grouping.edges(self._run, policy, cap).to_pandas()
        return edges[edges["cut"]].reset_index(drop=True)

    def policies(self) -> pd.DataFrame:
        """Return what each policy would join, so that one can be chosen.

        Returns
        -------
        DataFrame
            policy, groups, largest, and for each evaluated split the share of its items that have
            no item of train in their group.
        """
        return grouping.overview(self._run)

    def giants(self) -> pd.DataFrame:
        """Return the groups of more than `GIANT_SHARE` of the items, with what welds them."""
        edges = self.table("edges")
        joining = edges.filter(pc.equal(edges["policy"], group.DUPLICATE))
        return giants(self.table("groups"), joining, GIANT_SHARE)

    def dedup(
        self, *, within: str | None = None, keep: dedup.Keep = "best", prefer: str | None = None
    ) -> pd.DataFrame:
        """Keep one item of each duplicate group; write and return what becomes of each item.

        Parameters
        ----------
        within
            Look only at this split.
        keep
            `longest`, `first` or `best`.
        prefer
            The split whose items are kept before others'; by default the evaluated one.
        """
        tables = [self.table(name) for name in ("items", "media", "matches", "groups")]
        kept = dedup.dedup(*tables, within=within, keep=keep, prefer=prefer)
        write_table(kept, self.run / "dedup.parquet")
        frame: pd.DataFrame = kept.to_pandas()
        return frame

    def split(
        self,
        mode: str = "repair",
        *,
        policy: str = group.DUPLICATE,
        cap: int | None = None,
        **options: Unpack[splits.SplitOptions],
    ) -> pd.DataFrame:
        """Make a split that no leak crosses; write, export and return it.

        Parameters
        ----------
        mode
            `repair`: the fewest moves that end all leaks. `drop-train`, `drop-test`: no moves; of
            each leak the item in train, or in test, is dropped. `regroup`: a new split by ratio.
        policy
            What stays together: `duplicate`, `source`, `setup`, or names of keys with commas
            between.
        cap
            The most items of a group that pairs which may be cut make; None: nothing is cut.
        **options
            `ratios`, `seed`, `train_to_eval`, `stratify`, `pinned`: see `splits.SplitOptions`.
        """
        wish = splits.SplitRequest(mode, policy, cap, **splits.complete(self._run, mode, options))
        frame: pd.DataFrame = splits.make_split(self._run, wish).to_pandas()
        return frame

    def split_facts(self) -> dict[str, Any]:
        """Return what is to be known of the split: moves, their lower bound, what enters eval."""
        return splits.facts(self._run)

    def export(self, folder: str | Path, form: str = "parquet") -> list[Path]:
        """Write the split that `split` made to `folder`, in one of `FORMATS`, with a sidecar."""
        return splits.export(self._run, Path(folder), form)

    def check(
        self,
        against: str | Path | None = None,
        *,
        policy: str | None = None,
        min_coverage: float | None = None,
        rescan: bool = False,
    ) -> CheckResult:
        """Verify a split from its files, by code that shares nothing with the splitter.

        Parameters
        ----------
        against
            A table, a folder of lists or a folder that `export` wrote; None: the one `split` made.
        policy
            What must not be parted; None: what `split` was told, of its own split, else
            `duplicate`.
        min_coverage
            The share of the items that must be audited; None: that of the scan.
        rescan
            Read and search all media again, trusting nothing that was computed before.
        """
        record = self.record
        path = Path(against) if against is not None else self.run / "split"
        if against is None and not path.exists():
            raise SplitauditError(f"{self.run} has no split yet: run `splitaudit split` first")
        needed, run = ("items", "media", "matches"), self._run
        tables = search_again(run, self.settings) if rescan else run.known(*needed)
        least = record["settings"]["min_coverage"] if min_coverage is None else min_coverage
        return check(
            tables["items"],
            tables["media"],
            tables["matches"],
            read_split(path),
            together=must_link(
                self.table("memberships"),
                self.table("edges") if against is None else grouping.edges(self._run),
                policy or self._policy(against),
            ),
            claimed_digest=read_digest(path),
            checks=[name for name in record["checks"] if name not in schema.METADATA_CHECKS],
            min_coverage=least,
        )

    def _policy(self, against: str | Path | None) -> str:
        made: dict[str, str] = self.record.get("split", {}) if against is None else {}
        return made.get("policy", group.DUPLICATE)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report, one HTML file that opens without a network; return its path."""
        target = Path(path) if path is not None else self.run / "report.html"
        tables = self._run.frames()
        write_report(tables, self.summary(), target, reach=MediaLoaders(load, _load_thumbnail))
        return target

    def _dataset(self) -> Dataset:
        if self.dataset is None:
            raise SplitauditError("this audit was opened from a run: open its target to scan it")
        return self.dataset

    def _requested_checks(self, tables: Mapping[str, pa.Table]) -> list[str]:
        """The checks to be answered: those asked for, else all that the dataset holds a part of."""
        held = set(tables["media"]["part"].to_pylist())
        of_captions = pc.starts_with(tables["memberships"]["key"], f"{schema.CAPTION}:")
        if pc.any(of_captions).as_py():
            held.add(schema.CAPTIONS)
        if pc.any(pc.invert(of_captions)).as_py() or self._dataset().links.num_rows:
            held.add(schema.KEYS)
        return list(self._checks or [check for check in schema.CHECKS if check in held])


def _load_thumbnail(path: str) -> Any:
    """Pixels enough to be shown."""
    return pictures.load(path, short_side=LONGER_SIDE).pixels
