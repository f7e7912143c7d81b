"""A plan: every item with its old split, its new one, and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.errors import SplitauditError
from splitaudit.order import EVALUATED, TRAIN, evaluation_order, role
from splitaudit.schema import SPLITS, conform


def entering_eval(splits: pa.Table) -> dict[str, int]:
    """Return how many items of the old train enter each evaluated split (those of val and test).

    Checkpoints trained on the old split have seen these items.
    """
    rows = splits.select(["old_split", "new_split"]).to_pandas().dropna()
    evaluated = [name for name in split_order(rows["new_split"]) if role(name) in EVALUATED]
    entering = rows["new_split"][is_train(rows["old_split"])]
    return {name: int((entering == name).sum()) for name in evaluated}


def digest(splits: pa.Table) -> str:
    """Return the SHA-256, in hexadecimal, over the sorted (item id, new split) pairs.

    Each pair is one line, `["id","split"]` in JSON with ASCII escapes and no spaces, ended by a
    line feed; the pairs are sorted by id, then split, by code points. A dropped item has no split,
    so it is not among the pairs: the digest is the same for every export of the split.
    """
    rows = splits.select(["item_id", "new_split"]).to_pandas().dropna()
    pairs = sorted(zip(rows["item_id"], rows["new_split"], strict=True))
    lines = (json.dumps(pair, separators=(",", ":")) + "\n" for pair in pairs)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def join_groups(items: pa.Table, groups: pa.Table) -> pd.DataFrame:
    """Return item_id, old_split and group_id, sorted by item id."""
    placed = items.select(["item_id", "split"]).sort_by("item_id")
    grouped = groups.select(["item_id", "group_id"]).sort_by("item_id")
    ids = placed["item_id"]
    if not ids.equals(grouped["item_id"].cast(ids.type)):  # from pandas it is a large string
        raise ValueError("items and groups do not hold the same items")
    if pc.any(pc.equal(ids.slice(1), ids.slice(0, max(0, len(ids) - 1)))).as_py():
        raise ValueError("an item id is given twice")
    both = placed.append_column("group_id", grouped["group_id"])
    rows: pd.DataFrame = both.rename_columns(["item_id", "old_split", "group_id"]).to_pandas()
    homeless = rows["item_id"][rows["old_split"].isna()]
    if len(homeless):
        raise SplitauditError(
            f"{len(homeless)} items have no split (the first: {homeless.iloc[0]!r}); "
            "give every item a split before you ask for another one"
        )
    return rows


def plan(rows: pd.DataFrame, why_moved: pd.Series[str]) -> pa.Table:
    """Return the SPLITS table of rows with item_id, group_id, old_split and new_split."""
    stays = rows["old_split"] == rows["new_split"]
    rows["action"] = stays.map({True: "kept", False: "moved"})
    rows.loc[rows["new_split"].isna(), "action"] = "dropped"
    rows["reason"] = why_moved.mask(stays, "stays")
    return conform(pa.Table.from_pandas(rows, preserve_index=False), SPLITS)


def partner(rows: pd.DataFrame) -> pd.Series[str]:
    """Return, for each row, an item of its group that stays where it is."""
    staying = rows[rows["old_split"] == rows["new_split"]].drop_duplicates("group_id")
    return rows["group_id"].map(staying.set_index("group_id")["item_id"])


def pinned_splits(rows: pd.DataFrame, pinned: Collection[str]) -> pd.Series[str]:
    """Return the split of each group that holds pinned items, by group id."""
    held = rows[rows["item_id"].isin(set(pinned))].sort_values("item_id")
    unknown = set(pinned) - set(held["item_id"])
    if unknown:
        raise SplitauditError(f"no item {min(unknown)!r} to pin")
    splits = held.groupby("group_id")["old_split"].nunique()
    for group_id in splits.index[splits > 1]:
        of_group = held[held["group_id"] == group_id].drop_duplicates("old_split")
        one, other = of_group["item_id"].iloc[:2]
        raise SplitauditError(
            f"{one!r} and {other!r} share a group and are pinned to different splits"
        )
    return held.drop_duplicates("group_id").set_index("group_id")["old_split"]


def count_members(rows: pd.DataFrame) -> pd.DataFrame:
    """Return n, the number of items of each group in each old split."""
    counts = rows.groupby(["group_id", "old_split"]).size()
    return counts.rename("n").reset_index()


def split_order(splits: pd.Series[str]) -> list[str]:
    """Return each split once, in the order of evaluation."""
    return evaluation_order(sorted(splits.unique()))


def is_train(splits: pd.Series[str]) -> pd.Series[bool]:
    """Return which are splits for training."""
    return splits.isin([name for name in splits.unique() if role(name) == TRAIN])


def groups_with_train(rows: pd.DataFrame) -> set[str]:
    """Return the groups that hold items of the old train."""
    return set(rows["group_id"][is_train(rows["old_split"])])
