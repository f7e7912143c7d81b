"""Candidates as pairs to be compared: small pictures, and photographs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit.engine.pair_order import order_pairs
from splitaudit.engine.stages import Contents, Settings
from splitaudit.images.decode.boxes import WHOLE, Box
from splitaudit.images.fingerprint.extract import CODES, PICTURES, PICTURES_KIND
from splitaudit.images.fingerprint.feature_sets import READINGS, unpack
from splitaudit.images.fingerprint.gradients import SMALL
from splitaudit.images.fingerprint.hash import inverse_variant
from splitaudit.images.verify.photographs import compare as photographs
from splitaudit.images.verify.thumbnails import compare as thumbnails

PAIR_COLUMNS = ("key", "width", "height", "boxes", "framed")


class Pairs(NamedTuple):
    """Pairs by the key of their fact; where either picture is small, both are seen small."""

    small: dict[str, thumbnails.Pair]
    large: dict[str, photographs.Pair]


class Facts(NamedTuple):
    """Where the facts of pictures lie.

    Parameters
    ----------
    settings
        Of the scan.
    features
        Kind of the facts of local features; None where they were not taken.
    """

    settings: Settings
    features: str | None

    def pictures(self, keys: pa.Array, *names: str) -> pd.DataFrame:
        """Return columns of `PICTURES`, by the order of `keys`."""
        columns = pa.schema([PICTURES.field(name) for name in names])
        found: pd.DataFrame = self.settings.facts(PICTURES_KIND).read(keys, columns).to_pandas()
        return found

    def codes(self, keys: pa.Array) -> list[bytes]:
        """Return the local features of pictures, packed."""
        if self.features is None:
            return [b""] * len(keys)
        columns = pa.schema([CODES.field(name) for name in ("key", "codes")])
        found = self.settings.facts(self.features).read(keys, columns)["codes"].to_pylist()
        return [codes or b"" for codes in found]


def build_pairs(keys: pa.Array, found: pa.Table, facts: Facts, contents: Contents) -> Pairs:
    """Return the pairs to compare.

    Parameters
    ----------
    keys
        The pictures, sorted.
    found
        As of `candidates.search`.
    facts
        Where they lie.
    contents
        Where the pictures lie.
    """
    pictures = facts.pictures(keys, *PAIR_COLUMNS)
    tiny = (pictures[["width", "height"]].min(axis=1) <= SMALL).to_numpy()
    pairs = found.to_pandas()
    either = tiny[pairs["a"]] | tiny[pairs["b"]]
    return Pairs(
        {pair.key: pair for pair in _thumbnail_pairs(pairs[either], pictures, facts, contents)},
        {pair.key: pair for pair in _photograph_pairs(pairs[~either], pictures, facts, contents)},
    )


def _boxes(boxes: Any, views: int) -> tuple[Box, Box]:
    """The parts of a and b that `views` means, of all parts of each."""
    a, b = (np.reshape(of, (-1, 4))[views >> k & 1].tolist() for k, of in enumerate(boxes))
    return tuple(a), tuple(b)


def _thumbnail_pairs(
    pairs: pd.DataFrame, pictures: pd.DataFrame, facts: Facts, contents: Contents
) -> Iterator[thumbnails.Pair]:
    keys, boxes = pictures["key"].tolist(), pictures["boxes"].tolist()
    sizes = pictures[["width", "height"]].to_numpy()
    at = np.unique(pairs[["a", "b"]])
    seen = facts.pictures(_keys(pictures, at), "key", "thumbnail")["thumbnail"]
    held = dict(zip(at.tolist(), seen, strict=True))
    variants = pairs["variant"].clip(lower=0)
    for a, b, variant, views in zip(pairs["a"], pairs["b"], variants, pairs["views"], strict=True):
        both = _boxes((boxes[a], boxes[b]), views)
        sides = enumerate((held[a], held[b]))
        first, second = (thumbnails.select_thumbnail(side, views >> k & 1) for k, side in sides)
        key = f"{keys[a]} {keys[b]} {variant} {views}"
        finest = min(_part_side(sizes[row], box) for row, box in zip((a, b), both, strict=True))
        files = contents[keys[a]], contents[keys[b]]
        yield thumbnails.Pair(key, first, second, variant, both, files, min(finest, SMALL))


def _part_side(size: Any, box: Box) -> int:
    """Pixels of the shorter side of a part of a picture."""
    left, top, right, bottom = box
    return int(min(size[0] * (right - left), size[1] * (bottom - top)) / 2)


def _photograph_pairs(
    pairs: pd.DataFrame, pictures: pd.DataFrame, facts: Facts, contents: Contents
) -> Iterator[photographs.Pair]:
    sides = _sides(np.unique(pairs[["a", "b"]]), pictures, facts, contents)
    order = order_pairs(*(pairs[side].to_numpy(np.int64) for side in ("a", "b")))
    for row in pairs.iloc[order].to_dict("records"):
        a, b = sides[row["a"]], sides[row["b"]]
        readings = tuple(k for k in range(len(READINGS)) if row["readings"] >> k & 1)
        both = _boxes([pictures["boxes"].iat[row[side]] for side in ("a", "b")], row["views"])
        hints = row["variant"], row["views"], row["readings"]
        key = " ".join(map(str, (a.file.content_id, b.file.content_id, *hints)))
        yield photographs.Pair(key, a, b, readings, _orientations(row["variant"], readings), both)


def _orientations(variant: int, readings: tuple[int, ...]) -> tuple[int, ...]:
    """How b may be oriented: as a hash says; upright where nothing says anything."""
    if variant < 0:
        return () if readings else (0,)
    return (inverse_variant(variant),)


def _sides(
    at: Any, pictures: pd.DataFrame, facts: Facts, contents: Contents
) -> dict[int, photographs.Side]:
    """The photographs of pairs, by position; of no other the features are read."""
    codes = facts.codes(_keys(pictures, at))
    rows = pictures.iloc[at].to_dict("records")
    sides = (_side(row, held, contents) for row, held in zip(rows, codes, strict=True))
    return dict(zip(at.tolist(), sides, strict=True))


def _keys(pictures: pd.DataFrame, at: Any) -> pa.Array:
    return pa.array(pictures["key"].iloc[at], pa.string())


def _side(picture: Any, codes: bytes, contents: Contents) -> photographs.Side:
    size = int(picture["width"]), int(picture["height"])
    inner = tuple(np.reshape(picture["boxes"], (-1, 4))[-1].tolist())
    border = inner if picture["framed"] else WHOLE
    return photographs.Side(contents[picture["key"]], size, border, unpack(codes))
