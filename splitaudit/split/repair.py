"""The old split without leaks: by the fewest moves, or without what leaks on one side."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
import pyarrow as pa

from splitaudit.order import TEST, TRAIN, role
from splitaudit.split.plan import (
    count_members,
    groups_with_train,
    is_train,
    join_groups,
    partner,
    pinned_splits,
    plan,
    split_order,
)


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
    rows = join_groups(items, groups)
    homes = _majority_splits(rows, train_to_eval)
    homes.update(pinned_splits(rows, pinned))
    rows["new_split"] = rows["group_id"].map(homes)
    return plan(rows, "shares a group with " + partner(rows) + " in " + rows["new_split"])


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
    rows = join_groups(items, groups)
    order = split_order(rows["old_split"])
    if side == TEST:
        order.sort(key=lambda name: role(name) != TRAIN)
    rank = pd.Index(order).get_indexer(pd.Index(rows["old_split"]))
    first = rows.assign(rank=rank).sort_values("rank").drop_duplicates("group_id")
    homes = first.set_index("group_id")["old_split"]
    homes.update(pinned_splits(rows, pinned))
    home = rows["group_id"].map(homes)
    rows["new_split"] = home.where(home == rows["old_split"])
    return plan(rows, "shares a group with " + partner(rows) + " in " + home)


def lower_bound(items: pa.Table, groups: pa.Table, *, train_to_eval: bool = True) -> int:
    """Return the number of moves that no repair can beat.

    A group of n items ends in one split, so all but those that are there already move: the sum over
    the groups of n minus the largest number of its items in one split. With `train_to_eval=False`
    that split is one of train for a group that holds items of the old train.
    """
    rows = join_groups(items, groups)
    counts = count_members(rows)
    bound = counts["group_id"].isin(set() if train_to_eval else groups_with_train(rows))
    allowed = counts[~bound | is_train(counts["old_split"])].groupby("group_id")["n"]
    return int(counts["n"].sum() - allowed.max().sum())


def _majority_splits(rows: pd.DataFrame, train_to_eval: bool) -> pd.Series[str]:
    """Return the split of each group, by group id."""
    counts = count_members(rows)
    place = {name: rank for rank, name in enumerate(split_order(rows["old_split"]))}
    counts["rank"] = counts["old_split"].map(place)
    counts["bound"] = is_train(counts["old_split"]) & (not train_to_eval)
    preferred = counts.sort_values(["bound", "n", "rank"], ascending=[False, False, True])
    return preferred.drop_duplicates("group_id").set_index("group_id")["old_split"]
