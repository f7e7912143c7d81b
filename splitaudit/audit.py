"""Audit: what a notebook works with, and what every verb of the command line calls."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from splitaudit import dedup, group, pipeline, schema, split
from splitaudit.check import CheckResult, check, together
from splitaudit.errors import SplitauditError
from splitaudit.exports import checked, croissant, csv, huggingface, lists, parquet
from splitaudit.giants import giants
from splitaudit.ingest import Dataset, IngestOptions, ingest
from splitaudit.media.audio import load
from splitaudit.progress import Progress, Quiet
from splitaudit.report.html import write_report
from splitaudit.report.summary import Tables, summarise
from splitaudit.splitfiles import read_digest, read_split
from splitaudit.store import read_json, to_json, write_table, write_text

HOME = Path(".splitaudit")
GIANT_SHARE = 0.05  # > of the items in one group: reported, with the edges that weld it
_WRITES = {"splits": "`splitaudit split`", "dedup": "`splitaudit dedup`"}
_DROPPED = {"drop-train": "train", "drop-test": "test"}
MODES = ("repair", *_DROPPED, "regroup")
FORMATS = {
    "parquet": parquet.export,
    "lists": lists.export,
    "csv": csv.export,
    "huggingface": huggingface.export,
    "croissant": croissant.export,
}


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
        settings: pipeline.Settings,
        dataset: Dataset | None = None,
        checks: Sequence[str] | None = None,
    ) -> None:
        self.run = run
        self.settings = settings
        self.dataset = dataset
        self._checks = checks

    def plan(self) -> list[pipeline.Step]:
        """Say what `scan` would compute, computing nothing."""
        return pipeline.plan(self._dataset(), self.settings)

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
        log = pipeline.StageLog(progress or Quiet())
        tables = pipeline.scan(dataset, self.settings, log)
        for name in _WRITES:  # conclusions from what was known before
            (self.run / f"{name}.parquet").unlink(missing_ok=True)
        for name, table in tables.items():
            write_table(table, self.run / f"{name}.parquet")
        record = {
            "dataset": dataset.name,
            "about": dict(dataset.about),
            "order": list(dataset.split_order),
            "notes": list(dataset.notes),
            "ratios": dict(dataset.ratios),
            "checks": self._asked(tables),
            "settings": {"generic": self.settings.generic, "min_coverage": min_coverage},
            "stages": log.stages,
            "versions": pipeline.versions(),
            "seconds": round(time.perf_counter() - begun, 3),
        }
        write_text(to_json(record), self.run / "run.json")
        self.report()
        return self

    def _note(self, **facts: Any) -> None:
        write_text(to_json({**self.record, **facts}), self.run / "run.json")

    @property
    def record(self) -> dict[str, Any]:
        """What run.json holds.

        Raises
        ------
        SplitauditError
            Where there is no run yet.
        """
        path = self.run / "run.json"
        if not path.exists():
            raise SplitauditError(f"no run in {self.run}: run `splitaudit scan TARGET` first")
        record: dict[str, Any] = read_json(path)
        return record

    def table(self, name: str) -> pa.Table:
        """Return a table of the run: items, media, matches, memberships, edges, groups, splits."""
        path = self.run / f"{name}.parquet"
        if not path.exists():
            verb = _WRITES.get(name, "`splitaudit scan` again")
            raise SplitauditError(f"{self.run} has no {name}.parquet: run {verb}")
        return pq.read_table(path, partitioning=None)

    def summary(self, *, min_coverage: float | None = None) -> dict[str, Any]:
        """Return the answer in numbers, as `--json` prints it."""
        record = self.record
        least = record["settings"]["min_coverage"] if min_coverage is None else min_coverage
        counted = summarise(self._tables(), record["order"], min_coverage=least)
        return {**counted, "seconds": record["seconds"], "run": str(self.run)}

    def matches(self) -> pd.DataFrame:
        """Return every pair a verifier has looked at, accepted or not, with both splits."""
        frame: pd.DataFrame = self.table("matches").to_pandas()
        of_item = self.table("items").select(["item_id", "split"]).to_pandas()
        splits = of_item.set_index("item_id")["split"]
        return frame.assign(a_split=frame["a"].map(splits), b_split=frame["b"].map(splits))

    def leaks(self) -> pd.DataFrame:
        """Return the accepted matches across splits, the most certain first.

        Returns
        -------
        DataFrame
            The columns of matches, `a_split`, `b_split` and `splits` (such as ``test|train``: the
            evaluated side first).
        """
        found = self._accepted(schema.LEAK_RELATIONS)
        across = found[found["a_split"] != found["b_split"]]
        order = {name: rank for rank, name in enumerate(self.record["order"])}
        names = [
            "|".join(sorted(pair, key=order.__getitem__))
            for pair in zip(across["a_split"], across["b_split"], strict=True)
        ]
        return across.assign(splits=names)

    def duplicates(self) -> pd.DataFrame:
        """Return the accepted matches within a split, the most certain first."""
        found = self._accepted(schema.LEAK_RELATIONS)
        return found[found["a_split"] == found["b_split"]]

    def shared_material(self) -> pd.DataFrame:
        """Return the matches of stretches that many items share, such as a jingle."""
        return self._accepted((schema.SHARED_MATERIAL,))

    def groups(self, policy: str = group.DUPLICATE, *, cap: int | None = None) -> pd.DataFrame:
        """Return the group of each item: what must stay on one side of a split.

        Parameters
        ----------
        policy
            `duplicate`, `source`, `setup`, or names of keys with commas between.
        cap
            The most items of a group that pairs which may be cut make; None: nothing is cut.
        """
        groups: pd.DataFrame = self._grouped(policy, self._edges(policy, cap)).to_pandas()
        return groups

    def refused(self, policy: str, cap: int) -> pd.DataFrame:
        """Return the edges that would make groups of more (>) than `cap` items."""
        edges: pd.DataFrame = self._edges(policy, cap).to_pandas()
        return edges[edges["cut"]].reset_index(drop=True)

    def policies(self) -> pd.DataFrame:
        """Return what each policy would join, so that one can be chosen.

        Returns
        -------
        DataFrame
            policy, groups, largest, and for each evaluated split the share of its items that have
            no item of train in their group.
        """
        items, memberships = self.table("items"), self.table("memberships")
        joined = {*memberships["key"].to_pylist(), *self.table("edges")["policy"].to_pylist()}
        names = (*group.policies(memberships), *sorted(joined - {group.DUPLICATE}))
        edges = self._edges()
        return pd.DataFrame([_overview(items, self._grouped(name, edges)) for name in names])

    def _edges(self, policy: str = group.DUPLICATE, cap: int | None = None) -> pa.Table:
        """The edges, cut where they would make groups of more than `cap` items."""
        tables = self.table("edges"), self.table("memberships")
        return group.guard(self.table("items")["item_id"].to_pylist(), *tables, policy, cap)

    def _grouped(self, policy: str, edges: pa.Table) -> pa.Table:
        if policy == group.DUPLICATE:
            return self.table("groups")
        ids = self.table("items")["item_id"].to_pylist()
        return group.groups(ids, edges, self.table("memberships"), policy)

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
        ratios: Mapping[str, float] | None = None,
        seed: int = 0,
        train_to_eval: bool = True,
        stratify: Sequence[str] = (split.LABEL,),
        pinned: Collection[str] = (),
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
        ratios
            Split to share, of `regroup`; by default those of the manifest, else of the present
            split.
        seed
            Of `regroup`.
        train_to_eval
            Whether items of train may enter an evaluated split.
        stratify
            What `regroup` keeps in balance: `label`, and names of attributes.
        pinned
            Items that stay where they are, with their groups.
        """
        edges = self._edges(policy, cap)
        items, groups = self.table("items"), self._grouped(policy, edges)
        present = items["split"].to_pandas().value_counts(normalize=True).to_dict()
        shares = dict(ratios or self.record.get("ratios") or present) if mode == "regroup" else {}
        names = checked(shares or present)  # before anything is written
        if mode == "repair":
            plan = split.repair(items, groups, train_to_eval=train_to_eval, pinned=pinned)
        elif mode in _DROPPED:
            plan = split.drop(items, groups, side=_DROPPED[mode], pinned=pinned)
        elif mode == "regroup":
            plan = split.regroup(
                items,
                groups,
                ratios=shares,
                seed=seed,
                train_to_eval=train_to_eval,
                stratify=stratify,
                pinned=pinned,
            )
        else:
            raise SplitauditError(f"no split mode {mode!r}: choose one of {', '.join(MODES)}")
        write_table(edges, self.run / "edges.parquet")
        write_table(plan, self.run / "splits.parquet")
        chosen = {"mode": mode, "seed": seed, "policy": policy, "cap": cap}
        chosen |= {"ratios": shares, "splits": names}
        self._note(split={**chosen, "train_to_eval": train_to_eval})
        self.export(self.run / "split")
        frame: pd.DataFrame = plan.to_pandas()
        return frame

    def split_facts(self) -> dict[str, Any]:
        """Return what is to be known of the split: moves, their lower bound, what enters eval."""
        items, plan, chosen = self.table("items"), self.table("splits"), self.record["split"]
        edges, free = self._edges(chosen["policy"], chosen["cap"]), chosen["train_to_eval"]
        groups = self._grouped(chosen["policy"], edges)
        return {
            "mode": chosen["mode"],
            "moved": pc.sum(pc.equal(plan["action"], "moved")).as_py() or 0,
            "lower_bound": split.lower_bound(items, groups, train_to_eval=free),
            "entering_eval": split.entering_eval(plan),
            "dropped": pc.sum(pc.equal(plan["action"], "dropped")).as_py() or 0,
            "refused": pc.sum(edges["cut"]).as_py() or 0,
            "unmet": split.unmet(plan, chosen["ratios"]) if chosen["ratios"] else [],
            "counts": plan["new_split"].drop_null().to_pandas().value_counts().to_dict(),
            "digest": split.digest(plan),
        }

    def export(self, folder: str | Path, form: str = "parquet") -> list[Path]:
        """Write the split that `split` made to `folder`, in one of `FORMATS`, with a sidecar."""
        if form not in FORMATS:
            raise SplitauditError(f"no export {form!r}: choose one of {', '.join(FORMATS)}")
        items, media, plan = (self.table(name) for name in ("items", "media", "splits"))
        record = self.record
        dataset = {"name": record["dataset"], **record.get("about", {})}
        sidecar = {"dataset": dataset, **record.get("split", {}), "digest": split.digest(plan)}
        return FORMATS[form](items, media, plan, Path(folder), sidecar)

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
        tables = self._rescanned() if rescan else self._known("items", "media", "matches")
        least = record["settings"]["min_coverage"] if min_coverage is None else min_coverage
        return check(
            tables["items"],
            tables["media"],
            tables["matches"],
            read_split(path),
            together=together(
                self.table("memberships"),
                self.table("edges") if against is None else self._edges(),
                policy or self._policy(against),
            ),
            claimed_digest=read_digest(path),
            checks=[name for name in record["checks"] if name not in schema.WRITTEN],
            min_coverage=least,
        )

    def _policy(self, against: str | Path | None) -> str:
        made: dict[str, str] = self.record.get("split", {}) if against is None else {}
        return made.get("policy", group.DUPLICATE)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the report, one HTML file that opens without a network; return its path."""
        target = Path(path) if path is not None else self.run / "report.html"
        tables = self._tables()
        write_report(tables, self.summary(), target, preview=load)
        return target

    def _dataset(self) -> Dataset:
        if self.dataset is None:
            raise SplitauditError("this audit was opened from a run: open its target to scan it")
        return self.dataset

    def _known(self, *names: str) -> dict[str, pa.Table]:
        return {name: self.table(name) for name in names}

    def _rescanned(self) -> dict[str, pa.Table]:
        listed = self.table("media").to_pandas()
        listed.loc[listed["part"] == "audio", ["status", "error"]] = None
        media = schema.conform(pa.Table.from_pandas(listed, schema.MEDIA, False), schema.MEDIA)
        known = self._known("items", "memberships")
        links = schema.conform([], schema.EDGES)
        dataset = Dataset(
            self.record["dataset"], self.run, known["items"], media, known["memberships"], links, ()
        )
        with tempfile.TemporaryDirectory(prefix="splitaudit-") as empty:
            settings = replace(self.settings, cache=Path(empty))
            return pipeline.scan(dataset, settings, pipeline.StageLog(Quiet()))

    def _accepted(self, relations: Sequence[str]) -> pd.DataFrame:
        found = self.matches()
        found = found[found["accepted"].astype(bool) & found["relation"].isin(relations)]
        return found.sort_values(
            ["score", "a", "b"], ascending=[False, True, True], ignore_index=True
        )

    def _asked(self, tables: Mapping[str, pa.Table]) -> list[str]:
        """The checks to be answered: those asked for, else all that the dataset holds a part of."""
        held = set(tables["media"]["part"].to_pylist())
        of_captions = pc.starts_with(tables["memberships"]["key"], f"{schema.CAPTION}:")
        if pc.any(of_captions).as_py():
            held.add(schema.CAPTIONS)
        if pc.any(pc.invert(of_captions)).as_py() or self._dataset().links.num_rows:
            held.add(schema.KEYS)
        return list(self._checks or [check for check in schema.CHECKS if check in held])

    def _tables(self) -> Tables:
        record = self.record
        names = ("items", "media", "matches", "memberships", "edges")
        frames = {name: table.to_pandas() for name, table in self._known(*names).items()}
        return Tables(**frames, checks=tuple(record["checks"]), dataset=record["dataset"])


def _overview(items: pa.Table, groups: pa.Table) -> dict[str, Any]:
    counts = items["split"].to_pandas().value_counts()
    shares = {name: n / counts[name] for name, n in group.apart(items, groups).items()}
    return {
        "policy": groups["policy"][0].as_py(),
        "groups": len(pc.unique(groups["group_id"])),
        "largest": pc.max(groups["size"]).as_py(),
        **{f"{name} apart from train": share for name, share in shares.items()},
    }


def open_target(
    target: str | Path,
    *,
    out: str | Path | None = None,
    cache: str | Path | None = None,
    options: IngestOptions | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Audit:
    """Open a dataset, to scan it or to look at its last scan.

    Parameters
    ----------
    target
        A folder, a table, a manifest or the name of a shipped one; or the folder of a run.
    out
        Folder of the run; by default ``.splitaudit/runs/<name>``.
    cache
        Folder of what is known about files; by default ``.splitaudit/cache``.
    options
        How to read the target.
    settings
        `processes`, `generic` and `checks`.
    """
    chosen = dict(settings or {})
    checks = chosen.pop("checks", None)
    facts = pipeline.Settings(Path(cache) if cache else HOME / "cache", **chosen)
    if (Path(target) / "run.json").is_file():
        return Audit(Path(target), facts)
    dataset = ingest(str(target), options)
    run = Path(out) if out else HOME / "runs" / dataset.name
    return Audit(run, facts, dataset, checks)


def open_run(run: str | Path | None = None) -> Audit:
    """Open what a scan has written.

    Parameters
    ----------
    run
        The folder of the run, or what was scanned; None: the newest below ``.splitaudit/runs``.
    """
    if run is None:
        newest = sorted((HOME / "runs").glob("*/run.json"), key=lambda file: file.stat().st_mtime)
        if not newest:
            raise SplitauditError(
                f"no run below {HOME / 'runs'}: run `splitaudit scan TARGET` first"
            )
        return Audit(newest[-1].parent, pipeline.Settings(HOME / "cache"))
    if (HOME / "runs" / Path(run).name / "run.json").is_file() and not (
        Path(run) / "run.json"
    ).is_file():
        run = HOME / "runs" / Path(run).name
    audit = Audit(Path(run), pipeline.Settings(HOME / "cache"))
    audit.record  # noqa: B018  an error here, not at first use
    return audit
