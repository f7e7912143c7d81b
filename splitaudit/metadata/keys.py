"""What metadata prove: items with an equal value of a key belong together.

A value that is missing, or of which nothing is left once it is normalised, equals no other one; nor
does one that stands for a missing value, such as `unknown` (see `placeholders`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from splitaudit.metadata.captions import NORMALISERS
from splitaudit.metadata.placeholders import NOTHING_SAID, Override, describe, find_placeholders
from splitaudit.schema import EDGES, MEMBERSHIPS, SAME_SOURCE, conform

Indices = npt.NDArray[np.int64]

# characters of a value that stand in the table; of a longer one its digest does
MAX_VALUE_LENGTH = 200
MAX_PARTNERS = 1_000  # > partners within a tolerance: only the next of them is linked
# by which candidates may lie further apart than the tolerance; then each is compared
_MARGIN = 1e-3


@dataclass(frozen=True)
class Key:
    """What a dataset declares to belong together.

    Parameters
    ----------
    name
        As it stands in `memberships`.
    columns
        Of which its value consists. A column that holds lists gives a value for each entry.
    normalise
        Column -> a name of `captions.NORMALISERS`.
    relation
        What items with an equal value are to each other.
    within
        Column of numbers -> how far apart they may be (<=). Such a key is not transitive, so it
        joins pairs.
    policy
        The policy whose groups it joins: a name of its own, unless it is given.
    said
        Which values stand for missing ones, and which do not.
    """

    name: str
    columns: tuple[str, ...]
    normalise: Mapping[str, str] = field(default_factory=dict)
    relation: str = SAME_SOURCE
    within: Mapping[str, float] = field(default_factory=dict)
    policy: str = ""
    said: Override = NOTHING_SAID


def memberships(facts: pd.DataFrame, key: Key) -> pa.Table:
    """Return the values of a key: MEMBERSHIPS, a row an item and value.

    Parameters
    ----------
    facts
        One row an item: item_id and the columns of the key, objects; None where there is none.
    key
        One without a tolerance.
    """
    found = _values(facts, key)
    columns = {
        "item_id": found["item_id"],
        "key": [key.name] * len(found),
        "value": found["value"].map(_shorten_value),
        "relation": [key.relation] * len(found),
    }
    return conform(
        pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()}),
        MEMBERSHIPS,
    )


def notes(facts: pd.DataFrame, key: Key) -> list[str]:
    """Return sentences that name the values of a key which stand for missing ones, or may do so."""
    told = []
    for name in key.columns:
        written = _written(facts[["item_id", name]], key, name)
        told += describe(key.name, *find_placeholders(written[name], key.said))
    return told


def edges(facts: pd.DataFrame, key: Key) -> pa.Table:
    """Return the pairs that a key with a tolerance joins: EDGES, a < b, sorted.

    Where more than `MAX_PARTNERS` lie within the tolerance of one item, it is joined with the next
    only; the components are the same.
    """
    found = _values(facts, key).merge(facts[["item_id", *key.within]], on="item_id")
    numbers = found[list(key.within)].apply(pd.to_numeric, errors="coerce")
    found = found[numbers.notna().all(axis=1)]
    numbers = numbers.loc[found.index].astype(float).reset_index(drop=True)
    value = pd.factorize(found["value"])[0]
    first, second = _near_pairs(value, numbers, key.within)
    item = found["item_id"].to_numpy(object)
    pairs = pd.DataFrame({"a": item[first], "b": item[second]}, dtype=object)
    ordered = pd.DataFrame({"a": pairs.min(axis=1), "b": pairs.max(axis=1)}, dtype=object)
    ordered = ordered.assign(weight=_nearness(numbers, key.within, first, second))
    ordered = ordered[ordered["a"] != ordered["b"]].sort_values("weight", ascending=False)
    return _edges(ordered.drop_duplicates(["a", "b"]).sort_values(["a", "b"]), key)


def _nearness(
    numbers: pd.DataFrame, within: Mapping[str, float], first: Indices, second: Indices
) -> npt.NDArray[np.float64]:
    """1 where all numbers of a pair are equal, falling to 0.5 where one is as far as it may be."""
    apart = [
        np.abs(numbers[name].to_numpy()[first] - numbers[name].to_numpy()[second]) / (reach or 1.0)
        for name, reach in within.items()
    ]
    nearness: npt.NDArray[np.float64] = 1.0 - np.max(apart, axis=0) / 2
    return nearness


def _edges(pairs: pd.DataFrame, key: Key) -> pa.Table:
    n = len(pairs)
    columns = {
        "a": pa.array(pairs["a"], pa.string()),
        "b": pa.array(pairs["b"], pa.string()),
        "policy": pa.repeat(key.policy or key.name, n),
        "reason": pa.repeat(f"key:{key.name}", n),
        "weight": pa.array(pairs["weight"], pa.float64()),
        "cut": pa.repeat(False, n),
    }
    return conform(pa.table(columns), EDGES)


def _values(facts: pd.DataFrame, key: Key) -> pd.DataFrame:
    """Return item_id and value, once each, of the items that have one."""
    found = facts[["item_id", *key.columns]]
    for name in key.columns:
        found = _written(found, key, name)
        none, _ = find_placeholders(found[name], key.said)
        found = found[~found[name].isin(list(none))]
    parts = [found[name] for name in key.columns]
    together = parts[0] if len(parts) == 1 else _join_values(found[list(key.columns)])
    return found[["item_id"]].assign(value=together).drop_duplicates().reset_index(drop=True)


def _written(facts: pd.DataFrame, key: Key, name: str) -> pd.DataFrame:
    """Facts with a row for each value of a column that is not missing, as text, normalised."""
    found = facts.explode(name).dropna(subset=name)
    written = found[name].astype(str)
    normalise = NORMALISERS.get(key.normalise.get(name, ""))
    found = found.assign(**{name: written.map(normalise) if normalise else written})
    return found[found[name] != ""]


def _join_values(parts: pd.DataFrame) -> pd.Series[str]:
    """One text for the values of several columns, and another for any others."""
    texts = [json.dumps(row, ensure_ascii=False) for row in parts.to_numpy().tolist()]
    return pd.Series(texts, parts.index, dtype=object)


def _shorten_value(value: str) -> str:
    """A value as it stands in the table: short, and still unlike any other."""
    if len(value) <= MAX_VALUE_LENGTH:
        return value
    return (
        f"{value[: MAX_VALUE_LENGTH // 2]}... sha256 {hashlib.sha256(value.encode()).hexdigest()}"
    )


def _near_pairs(
    value: Indices, numbers: pd.DataFrame, within: Mapping[str, float]
) -> tuple[Indices, Indices]:
    """Rows of equal value whose numbers lie within their tolerances, each pair once."""
    name, *others = within
    first, second = _sorted_neighbourhood(value, numbers[name].to_numpy(), within[name])
    for other in others:
        column = numbers[other].to_numpy()
        kept = np.abs(column[first] - column[second]) <= within[other]
        first, second = first[kept], second[kept]
    return first, second


def _sorted_neighbourhood(
    value: Indices, number: npt.NDArray[np.float64], reach: float
) -> tuple[Indices, Indices]:
    """Rows of equal value whose numbers are at most `reach` apart."""
    order = np.lexsort((number, value))
    value, number = value[order], number[order]
    lowest = number.min(initial=0.0)
    apart = number.max(initial=0.0) - lowest + 2 * reach + 1
    place = value * apart + (number - lowest)
    begin = np.searchsorted(place, place - reach - _MARGIN)
    here = np.arange(len(place))
    count = here - begin
    begin = np.where(count > MAX_PARTNERS, here - 1, begin)
    count = np.where(count > MAX_PARTNERS, 1, count)
    second = np.repeat(here, count)
    first = np.arange(len(second)) - np.repeat(np.cumsum(count) - count, count) + begin[second]
    kept = (value[first] == value[second]) & (number[second] - number[first] <= reach)
    return order[first[kept]], order[second[kept]]
