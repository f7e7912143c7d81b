"""A split that no group crosses: the old one repaired, or a new one by ratio and seed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.sparse import coo_array, csr_array

from splitaudit.errors import SplitauditError
from splitaudit.order import EVALUATED, TEST, TRAIN, evaluation_order, role
from splitaudit.schema import SPLITS, conform
from splitaudit.stratify import assign

LABEL = "label"


def repair(
    items: pa.Table,
    groups: pa.Table,
    *,
    train_to_eval: bool = True,
    pinned: Collection[str] = (),
) -> pa.Table:
    """Return the split with the fewest moves in which no group is cut.

    A group goes where most of its items are; among equals test before val before train before
    others, so that official test items stay in test.

    Parameters
    ----------
    items, groups
        Schemas ITEMS and GROUPS, with the same items; the order of the rows does not matter.
    train_to_eval
        If False, items of the old train stay in train, so none enters val or test: a group that
        holds one goes to train.
    pinned
        Items that stay where they are; their groups come to them.

    Returns
    -------
    table
        Schema SPLITS, sorted by item id, every item once.

    Raises
    ------
    SplitauditError
        Where an item has no split, or two pinned items of one group stand in different splits.
    """
    rows = _joined(items, groups)
    homes = _homes(rows, train_to_eval)
    homes.update(_pins(rows, pinned))
    rows["new_split"] = rows["group_id"].map(homes)
    return _plan(rows, "shares a group with " + _partner(rows) + " in " + rows["new_split"])


def drop(items: pa.Table, groups: pa.Table, *, side: str, pinned: Collection[str] = ()) -> pa.Table:
    """Return the old split without the items on one side of each leak.

    Parameters
    ----------
    items, groups
        Schemas ITEMS and GROUPS, with the same items; the order of the rows does not matter.
    side
        `train`: of each group, what stands in test is kept, else in val, else in train, and the
        rest is dropped. `test`: what stands in train is kept, else in test, else in val.
    pinned
        Items that are kept; of their groups, the rest is dropped.

    Returns
    -------
    table
        Schema SPLITS, sorted by item id, every item once.

    Raises
    ------
    SplitauditError
        Where an item has no split, or two pinned items of one group stand in different splits.
    """
    rows = _joined(items, groups)
    order = _order(rows["old_split"])
    if side == TEST:
        order.sort(key=lambda name: role(name) != TRAIN)
    rank = pd.Index(order).get_indexer(pd.Index(rows["old_split"]))
    first = rows.assign(rank=rank).sort_values("rank").drop_duplicates("group_id")
    homes = first.set_index("group_id")["old_split"]
    homes.update(_pins(rows, pinned))
    home = rows["group_id"].map(homes)
    rows["new_split"] = home.where(home == rows["old_split"])
    return _plan(rows, "shares a group with " + _partner(rows) + " in " + home)


def regroup(
    items: pa.Table,
    groups: pa.Table,
    *,
    ratios: Mapping[str, float],
    seed: int,
    train_to_eval: bool = True,
    stratify: Sequence[str] = (LABEL,),
    pinned: Collection[str] = (),
) -> pa.Table:
    """Return a new split by ratio in which no group is cut.

    Every split is made like the whole in size and in labels, as far as whole groups allow, unless
    `train_to_eval=False` forces more than its share into train.

    Parameters
    ----------
    items, groups
        Schemas ITEMS and GROUPS, with the same items; the order of the rows does not matter.
    ratios
        Split to share, each > 0; they need not add up to 1.
    seed
        Another gives another split.
    train_to_eval
        If False, a group that holds an item of the old train goes to train.
    stratify
        What is kept in balance: `LABEL` for the items' labels, and names of attributes.
    pinned
        Items that stay where they are, with their groups.

    Returns
    -------
    table
        Schema SPLITS, sorted by item id, every item once.

    Raises
    ------
    SplitauditError
        Where a ratio is not above 0, an item has no split, no item has such an attribute, items
        must stay in train or are pinned to a split and the ratios do not name it, or two pinned
        items of one group stand in different splits.
    """
    rows = _joined(items, groups)
    shares = _shares(ratios)
    group, names = pd.factorize(rows["group_id"], sort=True)
    bound = rows["group_id"].isin(set() if train_to_eval else _groups_with_train(rows))
    allowed = np.ones((len(names), len(shares)), bool)
    if bound.any():
        allowed[group[bound]] = _trains(list(shares))
    pins = _pins(rows, pinned)
    for name, split in pins.items():
        allowed[names.get_loc(name)] = _only(split, list(shares))
    contents = _contents(pd.Series(group, rows["item_id"]), _labels(items, stratify))
    home = assign(contents, np.array(list(shares.values())), allowed, seed)
    rows["new_split"] = np.array(list(shares), object)[home[group]]
    size = rows.groupby("group_id")["item_id"].transform("size")
    company = (", with its group of " + size.astype("str") + " items").where(size > 1, "")
    old_train = "its group holds items of the old train, which may not enter evaluation"
    why = ("placed by ratio and seed" + company).mask(bound, old_train)
    return _plan(rows, why.mask(rows["group_id"].isin(pins.index), "its group is pinned"))


def lower_bound(items: pa.Table, groups: pa.Table, *, train_to_eval: bool = True) -> int:
    """Return the number of moves that no repair can beat.

    A group of n items ends in one split, so all but those that are there already move: the sum over
    the groups of n minus the largest number of its items in one split. With `train_to_eval=False`
    that split is one of train for a group that holds items of the old train.
    """
    rows = _joined(items, groups)
    counts = _counts(rows)
    bound = counts["group_id"].isin(set() if train_to_eval else _groups_with_train(rows))
    allowed = counts[~bound | _is_train(counts["old_split"])].groupby("group_id")["n"]
    return int(counts["n"].sum() - allowed.max().sum())


def entering_eval(splits: pa.Table) -> dict[str, int]:
    """Return how many items of the old train enter each evaluated split (those of val and test).

    Checkpoints trained on the old split have seen these items.
    """
    rows = splits.select(["old_split", "new_split"]).to_pandas().dropna()
    evaluated = [name for name in _order(rows["new_split"]) if role(name) in EVALUATED]
    entering = rows["new_split"][_is_train(rows["old_split"])]
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


def _joined(items: pa.Table, groups: pa.Table) -> pd.DataFrame:
    """Return item_id, old_split and group_id, sorted by item id."""
    placed = items.select(["item_id", "split"]).rename_columns(["item_id", "old_split"]).to_pandas()
    grouped = groups.select(["item_id", "group_id"]).to_pandas()
    rows: pd.DataFrame = placed.merge(
        grouped, on="item_id", how="outer", validate="one_to_one", indicator=True
    )
    if (rows.pop("_merge") != "both").any():
        raise ValueError("items and groups do not hold the same items")
    homeless = rows["item_id"][rows["old_split"].isna()]
    if len(homeless):
        raise SplitauditError(
            f"{len(homeless)} items have no split (the first: {homeless.iloc[0]!r}); "
            "give every item a split before you ask for another one"
        )
    return rows.sort_values("item_id", ignore_index=True)


def _order(splits: pd.Series[str]) -> list[str]:
    return evaluation_order(sorted(splits.unique()))


def _is_train(splits: pd.Series[str]) -> pd.Series[bool]:
    return splits.isin([name for name in splits.unique() if role(name) == TRAIN])


def _counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Return n, the number of items of each group in each old split."""
    counts = rows.groupby(["group_id", "old_split"]).size()
    return counts.rename("n").reset_index()


def _homes(rows: pd.DataFrame, train_to_eval: bool) -> pd.Series[str]:
    """Return the split of each group, by group id."""
    counts = _counts(rows)
    place = {name: rank for rank, name in enumerate(_order(rows["old_split"]))}
    counts["rank"] = counts["old_split"].map(place)
    counts["bound"] = _is_train(counts["old_split"]) & (not train_to_eval)
    preferred = counts.sort_values(["bound", "n", "rank"], ascending=[False, False, True])
    return preferred.drop_duplicates("group_id").set_index("group_id")["old_split"]


def _groups_with_train(rows: pd.DataFrame) -> set[str]:
    return set(rows["group_id"][_is_train(rows["old_split"])])


def _shares(ratios: Mapping[str, float]) -> dict[str, float]:
    """Return what each split should have of the whole, the largest first."""
    bad = {name: ratio for name, ratio in ratios.items() if not 0 < ratio < math.inf}
    if bad or not ratios:
        raise SplitauditError(f"each split needs a ratio above 0, as in train=0.8; got {bad}")
    total = sum(ratios.values())
    by_size = sorted(ratios, key=lambda name: (-ratios[name], name))
    return {name: ratios[name] / total for name in by_size}


def _trains(splits: list[str]) -> list[bool]:
    """Return which splits are for training."""
    trains = [role(name) == TRAIN for name in splits]
    if not any(trains):
        raise SplitauditError(
            f"items of the old train must stay in train, and the ratios name only {splits}; "
            "add a split whose name begins with train"
        )
    return trains


def _pins(rows: pd.DataFrame, pinned: Collection[str]) -> pd.Series[str]:
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


def _only(split: str, splits: list[str]) -> list[bool]:
    if split not in splits:
        raise SplitauditError(f"items are pinned to {split!r}, and the ratios name only {splits}")
    return [name == split for name in splits]


def _partner(rows: pd.DataFrame) -> pd.Series[str]:
    """Return, for each row, an item of its group that stays where it is."""
    staying = rows[rows["old_split"] == rows["new_split"]].drop_duplicates("group_id")
    return rows["group_id"].map(staying.set_index("group_id")["item_id"])


def _labels(items: pa.Table, names: Sequence[str]) -> pd.DataFrame:
    """Return (item_id, label), a row for each label or attribute of each item."""
    ids = items["item_id"].to_pandas()
    attributes = items["attributes"].to_pylist()
    found = [pd.DataFrame({"item_id": [], "label": []}, dtype="str")]
    for name in names:
        if name == LABEL:
            values = items["labels"].to_pandas()
        else:
            values = pd.Series([dict(held or ()).get(name) for held in attributes], dtype="object")
        of_item = pd.DataFrame({"item_id": ids, "label": values}).explode("label").dropna()
        if of_item.empty and name != LABEL:
            raise SplitauditError(f"no item has an attribute {name!r} to keep in balance")
        found.append(of_item.assign(label=name + "=" + of_item["label"].astype("str")))
    return pd.concat(found).drop_duplicates()


def _contents(group: pd.Series[int], labels: pd.DataFrame) -> csr_array:
    """Count the items and the labels of each group: the table that `assign` takes."""
    label, names = pd.factorize(labels["label"], sort=True)
    rows = np.concatenate([group, group[labels["item_id"]]])
    columns = np.concatenate([np.zeros(len(group), int), label + 1])
    shape = group.max() + 1 if len(group) else 0, len(names) + 1
    return coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()


def _plan(rows: pd.DataFrame, why_moved: pd.Series[str]) -> pa.Table:
    """Return the SPLITS table of rows with item_id, group_id, old_split and new_split."""
    stays = rows["old_split"] == rows["new_split"]
    rows["action"] = stays.map({True: "kept", False: "moved"})
    rows.loc[rows["new_split"].isna(), "action"] = "dropped"
    rows["reason"] = why_moved.mask(stays, "stays")
    return conform(pa.Table.from_pandas(rows, preserve_index=False), SPLITS)
