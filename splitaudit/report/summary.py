"""The answer in numbers: the JSON of `--json`.

Whatever was asked is answered, also with 0: every check, every split, every pair of splits. What is
named by what was found (a status, a relation, a reason) stands there only where it was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from splitaudit.metadata.spans import PART as SPANS
from splitaudit.order import OTHER, role
from splitaudit.schema import (
    AUDITED,
    CAPTION,
    CAPTIONS,
    FAILED,
    KEYS,
    LEAK_RELATIONS,
    METADATA_CHECKS,
    OK,
    ONE_PATH,
    SHARED_MATERIAL,
    STATUSES,
)

_CROSSING_COLUMNS = ["rank", "other_rank", "reason", "item"]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Tables:
    """What a run has found: the tables of `splitaudit.schema` as pandas frames.

    Parameters
    ----------
    items, media, matches, memberships, edges
        With the columns of the schema of the same name.
    checks
        What was asked for, such as ``("audio",)``.
    dataset
        Its name.
    splits_known
        Whether anything says which item is in which split.
    unplaced
        Splits of items of which nothing says where they belong.
    failed
        Pairs that could not be compared, with the columns of the schema.
    """

    items: pd.DataFrame
    media: pd.DataFrame
    matches: pd.DataFrame
    memberships: pd.DataFrame
    edges: pd.DataFrame
    checks: tuple[str, ...]
    dataset: str
    splits_known: bool = True
    unplaced: tuple[str, ...] = ()
    failed: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=FAILED.names))


def summarise(tables: Tables, order: Sequence[str], *, min_coverage: float = 1.0) -> dict[str, Any]:
    """Count what was audited, what leaks, what is double and what is weakly related.

    Parameters
    ----------
    tables
        The tables of one run.
    order
        Every split, in the order of evaluation: of ``test|train`` the first is evaluated.
    min_coverage
        A check whose audited share is `<` this cannot give the verdict "clean".

    Returns
    -------
    dict
        The JSON of `--json`, without `seconds` and `run`. `splits` holds the number of items of
        each split, so that a share can be computed from the JSON alone.
    """
    ranks = pd.Series(split_ranks(tables.items, order), index=tables.items["item_id"])
    parts = {SPANS if check == KEYS else check for check in tables.checks}
    asked = tables.matches["part"].isin(parts) | tables.matches["verifier"].eq(ONE_PATH)
    asked &= tables.matches["accepted"].eq(True)
    found = _orient_pairs(tables.matches[asked], ranks)
    leaks = found[found["relation"].isin(LEAK_RELATIONS)]
    across = leaks["rank"] != leaks["other_rank"]
    shared = found[found["relation"].eq(SHARED_MATERIAL) & (found["rank"] != found["other_rank"])]
    summary: dict[str, Any] = {
        "schema": 1,
        "dataset": tables.dataset,
        "verdict": "",
        "splits": _split_sizes(ranks, order),
        "splits_known": tables.splits_known,
        "coverage": {check: _coverage(tables, check) for check in tables.checks},
        "leaks": _leak_counts(leaks[across], order),
        "duplicates": _duplicate_counts(leaks[~across], order),
        "weak": _weak_counts(shared, _metadata_crossings(tables, ranks), order),
    }
    if undecided := _failed_counts(tables):
        summary["undecided"] = undecided
    if tables.unplaced:
        summary["unplaced"] = {name: summary["splits"][name] for name in tables.unplaced}
    summary["verdict"] = _verdict(summary, min_coverage)
    return summary


def exit_status(summary: dict[str, Any], *, min_coverage: float, fail_on_weak: bool) -> int:
    """Return what `scan` ends with: 0, 1 (leaks), 5 (duplicates) or 4 (not all was audited)."""
    verdict = _verdict(summary, min_coverage)
    if verdict == "leaks" or (fail_on_weak and summary["weak"]):
        return 1
    return {"duplicates": 5, "incomplete": 4}.get(verdict, 0)


def split_ranks(items: pd.DataFrame, order: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the place of each item's split in `order`, shape (items,).

    Raises
    ------
    ValueError
        Where an item's split does not stand in `order`.
    """
    ranks = pd.Index(order).get_indexer(pd.Index(items["split"]))
    if (ranks < 0).any():
        raise ValueError(f"splits without an order: {sorted(set(items['split'][ranks < 0]))}")
    return ranks.astype(np.int64)


def _orient_pairs(matches: pd.DataFrame, ranks: pd.Series) -> pd.DataFrame:
    """Turn each match so that `item` lies on the evaluated side and `other` on the other."""
    a, b = (positions(ranks.index, pd.Index(matches[side])) for side in "ab")
    rank = ranks.to_numpy()
    swap = rank[a] > rank[b]
    item, other = np.where(swap, b, a), np.where(swap, a, b)
    sided = {"item": item, "other": other, "rank": rank[item], "other_rank": rank[other]}
    implied = pd.to_numeric(matches["n_equivalent"]).fillna(1).to_numpy(np.int64)
    return pd.DataFrame({**sided, "relation": matches["relation"].to_numpy(), "implied": implied})


def positions(index: pd.Index[Any], values: pd.Index[Any]) -> Positions:
    """Return the place of each value in `index`; a value that is not there raises ValueError."""
    places = index.get_indexer(values)
    if (places < 0).any():
        raise ValueError(f"not an item: {values[places < 0][0]!r}")
    return places


def _split_sizes(ranks: pd.Series, order: Sequence[str]) -> dict[str, int]:
    counts = np.bincount(ranks.to_numpy(), minlength=len(order)).tolist()
    return dict(zip(order, counts, strict=True))


def _coverage(tables: Tables, check: str) -> dict[str, Any]:
    if check in METADATA_CHECKS:
        told = _count_captioned(tables) if check == CAPTIONS else _count_keyed(tables)
        return {"items": told, "audited": told, "by_status": {OK: told} if told else {}}
    counts = tables.media.loc[tables.media["part"].eq(check), "status"].value_counts()
    by_status = {status: int(counts[status]) for status in STATUSES if status in counts}
    audited = sum(by_status.get(status, 0) for status in AUDITED)
    return {"items": int(counts.sum()), "audited": audited, "by_status": by_status}


def _failed_counts(tables: Tables) -> dict[str, dict[str, int]]:
    """Count by part the pairs that could not be compared, where there are any."""
    counts = tables.failed["part"].value_counts()
    return {check: {"pairs": int(counts[check])} for check in tables.checks if check in counts}


def _count_captioned(tables: Tables) -> int:
    """How many items have a caption."""
    return int((tables.items["captions"].str.len() > 0).sum())


def _count_keyed(tables: Tables) -> int:
    """How many items have the value of a key."""
    keys = tables.memberships[_check_of_key(tables.memberships["key"]) == KEYS]
    links = _requested_edges(tables.edges, [KEYS])
    return len({*keys["item_id"], *links["a"], *links["b"]})


def _check_of_key(keys: pd.Series) -> pd.Series:
    """Which check a key belongs to."""
    return keys.str.startswith(f"{CAPTION}:").map({True: CAPTIONS, False: KEYS})


def _requested_edges(edges: pd.DataFrame, checks: Sequence[str]) -> pd.DataFrame:
    """Return the edges of keys with a tolerance, and of near captions, as far as asked for."""
    prefixes = {KEYS: "key:", CAPTIONS: f"{CAPTION}:"}
    asked = tuple(prefixes[check] for check in checks if check in prefixes)
    found: pd.DataFrame = edges[edges["reason"].str.startswith(asked)]
    return found


def _leak_counts(leaks: pd.DataFrame, order: Sequence[str]) -> dict[str, Any]:
    sides = ["rank", "other_rank"]
    entries: dict[str, Any] = {
        f"{one}|{other}": {"items": 0, "pairs": 0, "pairs_implied": 0, "by_relation": {}}
        for one, other in combinations(order, 2)
    }
    for (one, other), items, pairs, implied in _group_counts(leaks, sides):
        entry = {"items": items, "pairs": pairs, "pairs_implied": implied}
        entries[f"{order[one]}|{order[other]}"].update(entry)
    for (one, other, relation), items, pairs, _ in _group_counts(leaks, [*sides, "relation"]):
        by_relation = entries[f"{order[one]}|{order[other]}"]["by_relation"]
        by_relation[relation] = {"items": items, "pairs": pairs}
    for entry in entries.values():
        found = entry["by_relation"]
        entry["by_relation"] = {name: found[name] for name in LEAK_RELATIONS if name in found}
    return entries


def _group_counts(
    pairs: pd.DataFrame, by: list[str]
) -> Iterator[tuple[tuple[Any, ...], int, int, int]]:
    """Yield (group, distinct evaluated items, rows, implied pairs) of each group."""
    table = pairs.groupby(by).agg(
        items=("item", "nunique"), pairs=("item", "size"), implied=("implied", "sum")
    )
    for row in table.itertuples(name=None):
        yield row[0], int(row[1]), int(row[2]), int(row[3])


def _duplicate_counts(within: pd.DataFrame, order: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count, within each split, the items that have a double, the pairs and their components."""
    entries = {split: {"items": 0, "pairs": 0, "groups": 0} for split in order}
    for rank, pairs in within.groupby("rank"):
        ends = np.concatenate([pairs["item"].to_numpy(), pairs["other"].to_numpy()])
        names, codes = np.unique(ends, return_inverse=True)
        links = (np.ones(len(pairs), bool), (codes[: len(pairs)], codes[len(pairs) :]))
        graph = coo_array(links, shape=(len(names), len(names)))
        groups = int(connected_components(graph, directed=False, return_labels=False))
        entry = {"items": len(names), "pairs": len(pairs), "groups": groups}
        entries[order[int(str(rank))]] = entry
    return entries


def _metadata_crossings(tables: Tables, ranks: pd.Series) -> pd.DataFrame:
    """Return (rank, other_rank, reason, item) of items that keys or captions join to a later split.

    Only of what was asked for.
    """
    asked = _check_of_key(tables.memberships["key"]).isin(tables.checks)
    found = _key_crossings(tables.memberships[asked], ranks)
    links = _requested_edges(tables.edges, tables.checks)
    sided = _orient_pairs(links.assign(relation=links["reason"], n_equivalent=1), ranks)
    across = sided[sided["rank"] < sided["other_rank"]].rename(columns={"relation": "reason"})
    return pd.concat([found, across])[_CROSSING_COLUMNS]


def _key_crossings(memberships: pd.DataFrame, ranks: pd.Series) -> pd.DataFrame:
    """Return (rank, other_rank, reason, item) of items whose key value stands in a later split.

    Values are joined, never pairs of items: a tape of 657 clips costs 657 rows.
    """
    item = positions(ranks.index, pd.Index(memberships["item_id"]))
    rows = memberships[["key", "value"]].assign(item=item, rank=ranks.to_numpy()[item]).dropna()
    values = rows[["key", "value", "rank"]].drop_duplicates()
    pairs = values.merge(values.rename(columns={"rank": "other_rank"}), on=["key", "value"])
    crossing = rows.merge(pairs[pairs["rank"] < pairs["other_rank"]], on=["key", "value", "rank"])
    key = crossing["key"].astype(str)
    captions = key.str.startswith(f"{CAPTION}:")
    return crossing.assign(reason=key.where(captions, "key:" + key))[_CROSSING_COLUMNS]


def _weak_counts(shared: pd.DataFrame, keys: pd.DataFrame, order: Sequence[str]) -> dict[str, Any]:
    rows = pd.concat([keys, shared.assign(reason=SHARED_MATERIAL)[_CROSSING_COLUMNS]])
    counts = rows.groupby(_CROSSING_COLUMNS[:3])["item"].nunique()
    entries: dict[str, Any] = {}
    for (one, other, reason), items in zip(counts.index, counts, strict=True):
        entry = entries.setdefault(f"{order[one]}|{order[other]}", {"by_reason": {}})
        entry["by_reason"][reason] = {"items": int(items)}
    return entries


def _verdict(summary: dict[str, Any], min_coverage: float) -> str:
    ordered = has_order(summary["splits"])
    if ordered and any(entry["pairs"] for entry in summary["leaks"].values()):
        return "leaks"
    if not ordered and count_copies(summary):
        return "duplicates"
    placed = summary["splits_known"] and _share_placed(summary) >= min_coverage
    if not (_is_covered(summary, min_coverage) and placed):
        return "incomplete"
    return "weak" if summary["weak"] else "clean"


def has_order(splits: Iterable[str]) -> bool:
    """Return whether one of several splits is evaluated against another."""
    names = list(splits)
    return len(names) > 1 and any(role(name) != OTHER for name in names)


def count_copies(summary: dict[str, Any]) -> int:
    """Return the pairs of copies, within splits and across."""
    entries = (*summary["leaks"].values(), *summary["duplicates"].values())
    return sum(int(entry["pairs"]) for entry in entries)


def _share_placed(summary: dict[str, Any]) -> float:
    """Return the share of the items that belong to a split."""
    left = sum(summary.get("unplaced", {}).values())
    return 1 - float(left / max(sum(summary["splits"].values()), 1))


def _is_covered(summary: dict[str, Any], min_coverage: float) -> bool:
    """Tell whether no check's audited share is `<` min_coverage; a check without media has none."""
    return all(
        part["audited"] / max(part["items"], 1) >= min_coverage
        for part in summary["coverage"].values()
    )
