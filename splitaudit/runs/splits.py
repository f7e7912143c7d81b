"""A new split of a run: made as asked, written, and told about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import pyarrow as pa
import pyarrow.compute as pc

from splitaudit import split
from splitaudit.engine.store import write_table
from splitaudit.errors import SplitauditError
from splitaudit.exports import check_split_names
from splitaudit.exports.formats import FORMATS
from splitaudit.groups.policies import DUPLICATE
from splitaudit.runs.groups import edges, group_items
from splitaudit.runs.run import Run

_DROPPED_SIDES = {"drop-train": "train", "drop-test": "test"}
MODES = ("repair", *_DROPPED_SIDES, "regroup")


class SplitOptions(TypedDict, total=False):
    """What may be said of a split beside its mode and policy.

    Parameters
    ----------
    ratios
        Split to share, of `regroup`; by default those of the manifest, else of the present split.
    seed
        Of `regroup`; by default 0.
    train_to_eval
        Whether items of train may enter an evaluated split; by default they may.
    stratify
        What `regroup` keeps in balance: `label` (the default), and names of attributes.
    pinned
        Items that stay where they are, with their groups.
    """

    ratios: Mapping[str, float] | None
    seed: int
    train_to_eval: bool
    stratify: Sequence[str]
    pinned: Collection[str]


@dataclass(frozen=True)
class SplitRequest:
    """What a split should be like; see `splitaudit.runs.audit.Audit.split`."""

    mode: str = "repair"
    policy: str = DUPLICATE
    cap: int | None = None
    ratios: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    train_to_eval: bool = True
    stratify: Sequence[str] = (split.LABEL,)
    pinned: Collection[str] = ()

    def to_record(self) -> dict[str, Any]:
        """Return it for run.json, the pinned items only counted."""
        said = {**asdict(self), "pinned": len(self.pinned)}
        return {**said, "ratios": dict(self.ratios), "stratify": list(self.stratify)}


def complete(run: Run, mode: str, options: SplitOptions) -> dict[str, Any]:
    """Return options with the ratios that hold where none were given.

    Raises
    ------
    SplitauditError
        Where no split is known that a new one could be made of.
    """
    if not run.record.get("splits_known", True) and not options.get("ratios"):
        raise SplitauditError(
            "no split is known that could be changed: say --splits when scanning, or make a split "
            "with --mode regroup --ratios train=0.8,test=0.2"
        )
    if mode != "regroup":
        return {**options, "ratios": {}}
    present = run.table("items")["split"].to_pandas().value_counts(normalize=True).to_dict()
    return {**options, "ratios": options.get("ratios") or run.record.get("ratios") or present}


def make_split(run: Run, wish: SplitRequest) -> pa.Table:
    """Make a split; write it, and the edges that were cut for it, to the run.

    Raises
    ------
    SplitauditError
        Where there is no such mode or policy, or the split cannot be made so.
    """
    joining = edges(run, wish.policy, wish.cap)
    items = run.table("items")
    names = check_split_names(
        {*(wish.ratios or items["split"].unique().to_pylist())}
    )  # nothing written yet
    plan = _plan_split(items, group_items(run, wish.policy, joining), wish)
    write_table(joining, run.folder / "edges.parquet")
    write_table(plan, run.folder / "splits.parquet")
    run.note(split={**wish.to_record(), "splits": names})
    export(run, run.folder / "split")
    return plan


def _plan_split(items: pa.Table, groups: pa.Table, wish: SplitRequest) -> pa.Table:
    if wish.mode == "repair":
        free = wish.train_to_eval
        return split.repair(items, groups, train_to_eval=free, pinned=wish.pinned)
    if wish.mode in _DROPPED_SIDES:
        return split.drop(items, groups, side=_DROPPED_SIDES[wish.mode], pinned=wish.pinned)
    if wish.mode != "regroup":
        raise SplitauditError(f"no split mode {wish.mode!r}: choose one of {', '.join(MODES)}")
    return split.regroup(
        items,
        groups,
        ratios=wish.ratios,
        seed=wish.seed,
        train_to_eval=wish.train_to_eval,
        stratify=wish.stratify,
        pinned=wish.pinned,
    )


def facts(run: Run) -> dict[str, Any]:
    """Return what is to be known of the split: moves, their lower bound, what enters eval."""
    items, plan, chosen = run.table("items"), run.table("splits"), run.record["split"]
    joining = edges(run, chosen["policy"], chosen["cap"])
    groups = group_items(run, chosen["policy"], joining)
    actions = plan["action"].to_pandas().value_counts()
    free = chosen["train_to_eval"]
    return {
        "mode": chosen["mode"],
        "moved": int(actions.get("moved", 0)),
        "dropped": int(actions.get("dropped", 0)),
        "lower_bound": split.lower_bound(items, groups, train_to_eval=free),
        "entering_eval": split.entering_eval(plan),
        "refused": pc.sum(joining["cut"]).as_py() or 0,
        "unmet": split.unmet(plan, chosen["ratios"]) if chosen["ratios"] else [],
        "counts": plan["new_split"].drop_null().to_pandas().value_counts().to_dict(),
        "digest": split.digest(plan),
    }


def export(run: Run, folder: Path, form: str = "parquet") -> list[Path]:
    """Write the split to a folder, in one of `FORMATS`, with a sidecar."""
    if form not in FORMATS:
        raise SplitauditError(f"no export {form!r}: choose one of {', '.join(FORMATS)}")
    items, media, plan = run.known("items", "media", "splits").values()
    record = run.record
    dataset = {"name": record["dataset"], **record.get("about", {})}
    sidecar = {"dataset": dataset, **record.get("split", {}), "digest": split.digest(plan)}
    return FORMATS[form](items, media, plan, folder, sidecar)
