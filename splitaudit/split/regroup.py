"""A new split by ratio and seed, in which every split is like the whole."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array, csr_array

from splitaudit.errors import SplitauditError
from splitaudit.order import TRAIN, role
from splitaudit.split.plan import groups_with_train, join_groups, pinned_splits, plan
from splitaudit.split.stratify import Indices, assign

LABEL = "label"
SHARE_TOLERANCE = 0.01  # > of all items by which a split is off its share: said, with the group


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
    rows = join_groups(items, groups)
    shares = _shares(ratios)
    group, names = pd.factorize(rows["group_id"], sort=True)
    bound = rows["group_id"].isin(set() if train_to_eval else groups_with_train(rows))
    allowed = np.ones((len(names), len(shares)), bool)
    if bound.any():
        allowed[group[bound]] = _is_train_split(list(shares))
    pinning = pinned_splits(rows, pinned)
    for name, split in pinning.items():
        allowed[names.get_loc(name)] = _one_hot(split, list(shares))
    contents = _contingency_table(group, items.sort_by("item_id"), stratify)
    home = assign(contents, np.array(list(shares.values())), allowed, seed)
    rows["new_split"] = np.array(list(shares), object)[home[group]]
    size = rows.groupby("group_id")["item_id"].transform("size")
    company = (", with its group of " + size.astype("str") + " items").where(size > 1, "")
    old_train = "its group holds items of the old train, which may not enter evaluation"
    why = ("placed by ratio and seed" + company).mask(bound, old_train)
    return plan(rows, why.mask(rows["group_id"].isin(pinning.index), "its group is pinned"))


def unmet(splits: pa.Table, ratios: Mapping[str, float]) -> list[str]:
    """Say which splits hold far more than their share, and which group weighs most in each.

    Parameters
    ----------
    splits
        Schema SPLITS, as from `regroup`.
    ratios
        Split to share, as they were asked for.
    """
    rows = splits.select(["new_split", "group_id"]).to_pandas().dropna()
    sizes = rows.groupby(["new_split", "group_id"]).size()
    said = []
    for name, share in _shares(ratios).items():
        of_split = sizes[sizes.index.get_level_values("new_split") == name]
        if of_split.sum() > (share + SHARE_TOLERANCE) * len(rows):
            said.append(
                f"{name} holds {of_split.sum() / len(rows):.1%} of the items where {share:.1%} was "
                f"asked for: its largest group, {of_split.idxmax()[1]!r}, has {of_split.max():,} "
                "items and is never cut"
            )
    return said


def _shares(ratios: Mapping[str, float]) -> dict[str, float]:
    """Return what each split should have of the whole, the largest first."""
    bad = {name: ratio for name, ratio in ratios.items() if not 0 < ratio < math.inf}
    if bad or not ratios:
        raise SplitauditError(f"each split needs a ratio above 0, as in train=0.8; got {bad}")
    total = sum(ratios.values())
    by_size = sorted(ratios, key=lambda name: (-ratios[name], name))
    return {name: ratios[name] / total for name in by_size}


def _is_train_split(splits: list[str]) -> list[bool]:
    """Return which splits are for training."""
    trains = [role(name) == TRAIN for name in splits]
    if not any(trains):
        raise SplitauditError(
            f"items of the old train must stay in train, and the ratios name only {splits}; "
            "add a split whose name begins with train"
        )
    return trains


def _one_hot(split: str, splits: list[str]) -> list[bool]:
    if split not in splits:
        raise SplitauditError(f"items are pinned to {split!r}, and the ratios name only {splits}")
    return [name == split for name in splits]


def _contingency_table(group: Indices, items: pa.Table, stratify: Sequence[str]) -> csr_array:
    """Count the items and the labels of each group: the table that `assign` takes."""
    n = len(group)
    rows, columns, width = [np.arange(n)], [np.zeros(n, np.int64)], 1
    for name in stratify:
        row, values = _stratum_values(items, name)
        label, known = pd.factorize(values, sort=True)
        rows.append(row[label >= 0])
        columns.append(label[label >= 0] + width)
        width += len(known)
    row, column = np.concatenate(rows), np.concatenate(columns)
    holds = coo_array((np.ones(len(row)), (row, column)), shape=(n, width)).tocsr()
    holds.data[:] = 1.0  # also where an item has a label twice
    shape = group.max() + 1 if n else 0, n
    return coo_array((np.ones(n), (group, np.arange(n))), shape=shape).tocsr() @ holds


def _stratum_values(items: pa.Table, name: str) -> tuple[Indices, pd.Series[str]]:
    """Return what items have of the labels or of an attribute: the rows, and the values there."""
    if name == LABEL:
        lists = items["labels"].combine_chunks()
        return pc.list_parent_indices(lists).to_numpy(), pc.list_flatten(lists).to_pandas()
    values = pc.map_lookup(items["attributes"], name, "first")
    if values.null_count == len(values):
        raise SplitauditError(f"no item has an attribute {name!r} to keep in balance")
    return np.arange(len(values)), values.to_pandas()
