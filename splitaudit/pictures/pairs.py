"""Candidates as pairs to be compared: small pictures, and photographs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit.features import READINGS
from splitaudit.fingerprints.image_hash import undoing
from splitaudit.pictures import large, prints, small
from splitaudit.route import route
from splitaudit.stages import Contents
from splitaudit.store import Parts


class Pairs(NamedTuple):
    """Pairs by the key of their fact; where either picture is small, both are seen small."""

    small: dict[str, small.Pair]
    large: dict[str, large.Pair]


def to_compare(keys: pa.Array, found: pa.Table, facts: Parts, contents: Contents) -> Pairs:
    """Return the pairs to compare.

    Parameters
    ----------
    keys
        The pictures, sorted.
    found
        As of `candidates.search`.
    facts
        Of the fingerprints.
    contents
        Where the pictures lie.
    """
    names = ["key", "width", "height", "thumbnail", *prints.FEATURES]
    columns = pa.schema([prints.PICTURES.field(name) for name in names])
    pictures = facts.read(keys, columns).to_pandas()
    tiny = (pictures[["width", "height"]].min(axis=1) <= prints.SMALL).to_numpy()
    pairs = found.to_pandas()
    either = tiny[pairs["a"]] | tiny[pairs["b"]]
    return Pairs(
        {pair.key: pair for pair in _small(pairs[either], pictures)},
        {pair.key: pair for pair in _large(pairs[~either], pictures, contents)},
    )


def _small(pairs: pd.DataFrame, pictures: pd.DataFrame) -> Iterator[small.Pair]:
    keys, seen = pictures["key"].tolist(), pictures["thumbnail"].tolist()
    variants = pairs["variant"].clip(lower=0)
    for a, b, variant in zip(pairs["a"], pairs["b"], variants, strict=True):
        yield small.Pair(f"{keys[a]} {keys[b]} {variant}", seen[a], seen[b], variant)


def _large(pairs: pd.DataFrame, pictures: pd.DataFrame, contents: Contents) -> Iterator[large.Pair]:
    sides: dict[int, large.Side] = {}
    order = route(*(pairs[side].to_numpy(np.int64) for side in ("a", "b")))
    for row in pairs.iloc[order].to_dict("records"):
        for at in (row["a"], row["b"]):
            sides.setdefault(at, _side(pictures.iloc[at], contents))
        a, b = sides[row["a"]], sides[row["b"]]
        readings = tuple(k for k in range(len(READINGS)) if row["readings"] >> k & 1)
        orientations = () if row["variant"] < 0 else (undoing(row["variant"]),)
        key = f"{a.file.content_id} {b.file.content_id} {row['variant']} {row['readings']}"
        yield large.Pair(key, a, b, readings, orientations)


def _side(picture: Any, contents: Contents) -> large.Side:
    size = int(picture["width"]), int(picture["height"])
    return large.Side(contents[picture["key"]], size, prints.features_of(picture))
