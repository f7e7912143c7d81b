"""From what was proven about contents to matches between items.

Equal media are compared once, under one id; here every item that holds one gets its rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from splitaudit import schema

Row = dict[Any, Any]
Places = dict[str, dict[str, list[str]]]  # medium -> split -> its items, sorted


@dataclass(frozen=True)
class MatchColumns:
    """How the rows of one kind of media say what was found.

    Parameters
    ----------
    part
        Of the items.
    equal
        Columns of two items with one medium, from the row of `members` of either.
    proven
        Columns that a proof decides, and those with its sides exchanged.
    """

    part: str
    equal: Callable[[Row], Row]
    proven: Callable[[Row], tuple[Row, Row]]


def expand(
    members: pd.DataFrame,
    proofs: pd.DataFrame,
    labels: Mapping[str, frozenset[str]],
    words: MatchColumns,
) -> pa.Table:
    """Return the matches between items.

    Parameters
    ----------
    members
        Columns item_id, split, same_id (one for all contents that are equal once decoded),
        content_id: items with a medium.
    proofs
        One row a pair of media, a and b; a < b is not needed.
    labels
        Of items that have any.
    words
        For the other columns.
    """
    places = _items_by_medium(members)
    facts: Row = members.set_index("item_id").to_dict("index")
    rows = list(_exact_rows(members, places, facts, words))
    for proof in proofs.to_dict("records"):
        rows.extend(_proof_rows(proof, places, words))
    for row in rows:
        mine, theirs = labels.get(row["a"]), labels.get(row["b"])
        row["label_conflict"] = bool(mine and theirs and mine != theirs)
        row["part"] = words.part
    table = schema.conform(rows, schema.MATCHES)
    return table.sort_by([("a", "ascending"), ("b", "ascending")])


def members(items: pa.Table, media: pa.Table, part: str) -> pd.DataFrame:
    """Return item_id, split, content_id of the items with a part of which the bytes are known."""
    held = media.select(["item_id", "part", "content_id"]).to_pandas()
    held = held[(held["part"] == part) & held["content_id"].notna()]
    splits = items.select(["item_id", "split"]).to_pandas()
    joined: pd.DataFrame = held[["item_id", "content_id"]].merge(splits, on="item_id")
    return joined


def labels(items: pa.Table) -> dict[str, frozenset[str]]:
    """Return the labels of the items that have any."""
    rows = items.select(["item_id", "labels"]).to_pylist()
    return {row["item_id"]: frozenset(row["labels"]) for row in rows if row["labels"]}


def _items_by_medium(members: pd.DataFrame) -> Places:
    places: Places = defaultdict(lambda: defaultdict(list))
    ordered = members.sort_values("item_id")
    for medium, split, item in zip(
        ordered["same_id"], ordered["split"], ordered["item_id"], strict=True
    ):
        places[medium][split].append(item)
    return places


def _exact_rows(
    members: pd.DataFrame, places: Places, facts: Mapping[str, Any], words: MatchColumns
) -> Iterator[Row]:
    held = members["same_id"].value_counts()
    for medium in sorted(held.index[held > 1]):
        splits = sorted(places[medium])
        for at, one in enumerate(splits):
            pairs = _link_within(places[medium][one])
            for other in splits[at + 1 :]:
                pairs += _link_across(places[medium][one], places[medium][other])
            yield from (_exact_row(*pair, facts, words) for pair in pairs)


def _exact_row(
    a: str, b: str, n_equivalent: int, facts: Mapping[str, Any], words: MatchColumns
) -> Row:
    bytes_too = facts[a]["content_id"] == facts[b]["content_id"]
    decoded = words.equal(facts[a])
    return {
        "a": min(a, b),
        "b": max(a, b),
        "relation": schema.EXACT,
        "score": 1.0,
        "fingerprint": "content-v1",
        "coverage_a": 1.0,
        "coverage_b": 1.0,
        "n_equivalent": n_equivalent,
        **decoded,
        **({"verifier": "bytes", "transform": "same bytes"} if bytes_too else {}),
    }


def _proof_rows(proof: Row, places: Places, words: MatchColumns) -> Iterator[Row]:
    forward, backward = words.proven(proof)
    for mine in places[proof["a"]].values():
        for theirs in places[proof["b"]].values():
            for a, b, n in _link_across(mine, theirs):
                if a < b:
                    yield {**forward, "a": a, "b": b, "n_equivalent": n}
                else:
                    yield {**backward, "a": b, "b": a, "n_equivalent": n}


def _link_across(mine: Sequence[str], theirs: Sequence[str]) -> list[tuple[str, str, int]]:
    """Link every item to the smallest on the other side: a star that stands for all pairs.

    The third number is how many pairs a row stands for; they add up to all of them.
    """
    first = (mine[0], theirs[0], 1)
    to_theirs = [(item, theirs[0], len(theirs)) for item in mine[1:]]
    return [first, *to_theirs, *((mine[0], item, 1) for item in theirs[1:])]


def _link_within(items: Sequence[str]) -> list[tuple[str, str, int]]:
    """Link every item to the smallest; the n-th stands for its pairs with the n before it."""
    return [(items[0], item, at) for at, item in enumerate(items) if at]
