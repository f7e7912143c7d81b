"""Deduplication: one item kept of each duplicate group, and which one stands for each dropped."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.errors import SplitauditError
from splitaudit.groups.components import smallest_members
from splitaudit.order import evaluation_order
from splitaudit.schema import DEDUP, EXACT, LEAK_RELATIONS, conform

Keep = Literal["longest", "first", "best"]

# By which columns the kept item is the greatest; among equals the smallest item id is kept.
_QUALITIES = {
    "longest": ["duration_s"],
    "first": ["earliness"],
    "best": ["sample_rate", "bit_depth", "duration_s", "lossless"],
}
_RELATION_RANK = {name: rank for rank, name in enumerate(LEAK_RELATIONS)}


def dedup(
    items: pa.Table,
    media: pa.Table,
    matches: pa.Table,
    groups: pa.Table,
    *,
    within: str | None,
    keep: Keep,
    prefer: str | None = None,
) -> pa.Table:
    """Return which items to keep so that no two of them are joined by an accepted match.

    Parameters
    ----------
    items, media, matches, groups
        Schemas ITEMS, MEDIA, MATCHES and GROUPS.
    within
        Look only at the items of this split, grouped anew by the matches inside it: an item is not
        dropped for one that it is linked to only through another split.
    keep
        `longest`: by duration. `first`: by the order of `items`. `best`: by sample rate, then bit
        depth, then duration, then lossless before lossy. What is not known comes last.
    prefer
        Without `within`, the kept item comes from the first split that the group has in the order
        test, val, train, others; `prefer` puts a split before all of them.

    Returns
    -------
    table
        Schema DEDUP, sorted by item id: every item, or every item of split `within`.

    Raises
    ------
    SplitauditError
        Where `within` or `prefer` is not a split of `items`, or `keep` is unknown.
    """
    _check_choice("keep", keep, _QUALITIES)
    rows = _join_qualities(items, media)
    for split in (within, prefer):
        if split is not None:
            _check_choice("split", split, sorted(rows["split"].dropna().unique()))
    proven = _leak_matches(matches)
    if within is None:
        rows = _join_groups(rows, groups)
    else:
        rows = _regroup_rows(rows[rows["split"] == within], proven)
    rows["stands_for"] = _choose_kept(rows, keep, prefer)
    return _plan(rows, proven, media)


def _check_choice(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise SplitauditError(f"{what} {name!r} is unknown; expected one of {', '.join(known)}")


def _join_qualities(items: pa.Table, media: pa.Table) -> pd.DataFrame:
    """Return item_id, split and the qualities of every item, in the order of `items`.

    An item of several media has the highest value of each.
    """
    rows = items.select(["item_id", "split"]).to_pandas()
    measures = media.select(["item_id", *_QUALITIES["best"]]).to_pandas()
    measures["lossless"] = measures["lossless"].astype("float")
    best = measures.groupby("item_id").max()
    described: pd.DataFrame = rows.join(best, on="item_id")
    return described.assign(earliness=-np.arange(len(rows)))


def _leak_matches(matches: pa.Table) -> pd.DataFrame:
    """Return a, b, part, relation and score of the accepted matches with a leak relation."""
    leak = pc.is_in(matches["relation"], pa.array(LEAK_RELATIONS))
    accepted = matches.filter(pc.and_(matches["accepted"], leak))
    frame: pd.DataFrame = accepted.select(["a", "b", "part", "relation", "score"]).to_pandas()
    return frame


def _join_groups(rows: pd.DataFrame, groups: pa.Table) -> pd.DataFrame:
    names = groups.select(["item_id", "group_id"]).to_pandas()
    grouped = rows.merge(names, on="item_id", validate="one_to_one")
    if len(grouped) < max(len(rows), len(names)):
        raise ValueError("items and groups do not hold the same items")
    return grouped


def _regroup_rows(rows: pd.DataFrame, proven: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a group_id of their own, by the matches among them alone."""
    rows = rows.sort_values("item_id", ignore_index=True)
    ids = pd.Index(rows["item_id"])
    a, b = ids.get_indexer(proven["a"]), ids.get_indexer(proven["b"])
    inside = (a >= 0) & (b >= 0)
    smallest = smallest_members(len(ids), a[inside], b[inside])
    return rows.assign(group_id=ids[smallest])


def _choose_kept(rows: pd.DataFrame, keep: Keep, prefer: str | None) -> pd.Series[str]:
    """Return, for every row, the item that is kept of its group."""
    preferred = [] if prefer is None else [prefer]
    order = preferred + evaluation_order(sorted(rows["split"].dropna().unique()))
    place = {name: rank for rank, name in enumerate(dict.fromkeys(order))}
    ranked = rows.assign(rank=rows["split"].map(place))
    by = ["rank", *_QUALITIES[keep], "item_id"]
    ascending = [column in ("rank", "item_id") for column in by]
    kept = ranked.sort_values(by, ascending=ascending).drop_duplicates("group_id")
    return rows["group_id"].map(kept.set_index("group_id")["item_id"])


def _plan(rows: pd.DataFrame, proven: pd.DataFrame, media: pa.Table) -> pa.Table:
    rows = rows.sort_values("item_id", ignore_index=True)
    kept = rows["stands_for"] == rows["item_id"]
    others = rows.groupby("group_id")["item_id"].transform("size") - 1
    stays = ("stands for " + others.astype("str") + " dropped").where(others > 0, "no duplicate")
    ties = _hardest_matches(rows.loc[~kept, ["item_id", "stands_for"]], proven, media)
    rows["reason"] = stays.where(kept, rows["item_id"].map(_reasons(ties)))
    rows["reason"] = rows["reason"].fillna(
        "in one duplicate group with " + rows["stands_for"] + ", through others"
    )
    rows["action"] = kept.map({True: "kept", False: "dropped"})
    rows["stands_for"] = rows["stands_for"].mask(kept)
    return conform(pa.Table.from_pandas(rows[DEDUP.names], preserve_index=False), DEDUP)


def _hardest_matches(pairs: pd.DataFrame, proven: pd.DataFrame, media: pa.Table) -> pd.DataFrame:
    """Return the hardest relation and its score between each dropped item and the kept one.

    Looked up by content: items of equal content share their matches, of which `matches` lists only
    some. A pair that is joined only through other items has no row.
    """
    contents = media.select(["item_id", "part", "content_id"]).to_pandas().dropna()
    turned = proven.rename(columns={"a": "b", "b": "a"})
    both_ways = pd.concat([proven, turned], ignore_index=True)
    known = _join_contents(both_ways, contents, "a", "b")
    known = known[["part", "x", "y", "relation", "score"]].drop_duplicates()
    asked = _join_contents(pairs, contents, "item_id", "stands_for")
    found = asked.merge(known, on=["part", "x", "y"])
    found["rank"] = found["relation"].map(_RELATION_RANK)
    hardest = found.sort_values(["rank", "score"], ascending=[True, False])
    return hardest.drop_duplicates("item_id")


def _join_contents(pairs: pd.DataFrame, contents: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """Return the pairs with their contents x and y: of their part, or of each part they share."""
    of_a = contents.rename(columns={"item_id": a, "content_id": "x"})
    of_b = contents.rename(columns={"item_id": b, "content_id": "y"})
    key = [a, "part"] if "part" in pairs else [a]
    return pairs.merge(of_a, on=key).merge(of_b, on=[b, "part"])


def _reasons(ties: pd.DataFrame) -> pd.Series[str]:
    """Return the tie of each dropped item in words, by item id."""
    score = "score " + ties["score"].map("{:.2f}".format).astype("str")
    exact = "exact copy of " + ties["stands_for"]
    near = "same recording as " + ties["stands_for"] + " (near_duplicate, " + score + ")"
    overlap = "overlaps " + ties["stands_for"] + " (" + score + ")"
    words = overlap.mask(ties["relation"] == "near_duplicate", near)
    return words.mask(ties["relation"] == EXACT, exact).set_axis(ties["item_id"])
