"""Candidates as pairs to be compared: small pictures, and photographs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit.engine.pair_order import route
from splitaudit.engine.stages import Contents
from splitaudit.engine.store import Parts
from splitaudit.images.fingerprint import extract
from splitaudit.images.fingerprint.feature_sets import READINGS
from splitaudit.images.fingerprint.hash import undoing
from splitaudit.images.fingerprint.views import Box
from splitaudit.images.verify.photographs import compare as large
from splitaudit.images.verify.thumbnails import compare as small

ALWAYS = ("key", "width", "height", "boxes")


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
    pictures = _read(facts, keys)
    tiny = (pictures[["width", "height"]].min(axis=1) <= extract.SMALL).to_numpy()
    pairs = found.to_pandas()
    either = tiny[pairs["a"]] | tiny[pairs["b"]]
    return Pairs(
        {pair.key: pair for pair in _small(pairs[either], pictures, facts)},
        {pair.key: pair for pair in _large(pairs[~either], pictures, facts, contents)},
    )


def _read(facts: Parts, keys: pa.Array, *names: str) -> pd.DataFrame:
    columns = pa.schema([extract.PICTURES.field(name) for name in (*ALWAYS, *names)])
    pictures: pd.DataFrame = facts.read(keys, columns).to_pandas()
    return pictures


def _boxes(boxes: Any, views: int) -> tuple[Box, Box]:
    """The parts of a and b that `views` means, of all parts of each."""
    a, b = (np.reshape(of, (-1, 4))[views >> k & 1].tolist() for k, of in enumerate(boxes))
    return tuple(a), tuple(b)


def _small(pairs: pd.DataFrame, pictures: pd.DataFrame, facts: Parts) -> Iterator[small.Pair]:
    keys, boxes = pictures["key"].tolist(), pictures["boxes"].tolist()
    seen = _of_those(pairs, pictures, facts, "thumbnail")
    variants = pairs["variant"].clip(lower=0)
    for a, b, variant, views in zip(pairs["a"], pairs["b"], variants, pairs["views"], strict=True):
        sides = [seen[at]["thumbnail"] for at in (a, b)]
        both = _boxes((boxes[a], boxes[b]), views)
        first, second = (small.thumbnail(side, views >> k & 1) for k, side in enumerate(sides))
        yield small.Pair(f"{keys[a]} {keys[b]} {variant} {views}", first, second, variant, both)


def _large(
    pairs: pd.DataFrame, pictures: pd.DataFrame, facts: Parts, contents: Contents
) -> Iterator[large.Pair]:
    seen = _of_those(pairs, pictures, facts, *extract.FEATURES)
    sides = {at: _side(picture, contents) for at, picture in seen.items()}
    order = route(*(pairs[side].to_numpy(np.int64) for side in ("a", "b")))
    for row in pairs.iloc[order].to_dict("records"):
        a, b = sides[row["a"]], sides[row["b"]]
        readings = tuple(k for k in range(len(READINGS)) if row["readings"] >> k & 1)
        orientations = () if row["variant"] < 0 else (undoing(row["variant"]),)
        both = _boxes([pictures["boxes"].iat[row[side]] for side in ("a", "b")], row["views"])
        hints = row["variant"], row["views"], row["readings"]
        key = " ".join(map(str, (a.file.content_id, b.file.content_id, *hints)))
        yield large.Pair(key, a, b, readings, orientations, both)


def _of_those(
    pairs: pd.DataFrame, pictures: pd.DataFrame, facts: Parts, *names: str
) -> dict[int, dict[str, Any]]:
    """What is known of the pictures of pairs, by position; of no other it is read."""
    at = np.unique(pairs[["a", "b"]])
    some = _read(facts, pa.array(pictures["key"].iloc[at], pa.string()), *names)
    return dict(zip(at.tolist(), some.to_dict("records"), strict=True))


def _side(picture: Any, contents: Contents) -> large.Side:
    size = int(picture["width"]), int(picture["height"])
    inner = tuple(np.reshape(picture["boxes"], (-1, 4))[-1].tolist())
    return large.Side(contents[picture["key"]], size, inner, extract.features_of(picture))
