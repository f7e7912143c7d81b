"""Which pairs of pictures to compare: the fingerprints of all, read from the facts and searched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.components import smallest_members
from splitaudit.features import Features
from splitaudit.fingerprints import gradients
from splitaudit.fingerprints.image_hash import ORIENTATIONS
from splitaudit.pictures.prints import FEATURES, PICTURES, SMALL, features_of
from splitaudit.search import features, hamming, lookalikes
from splitaudit.store import Parts

RADIUS = 8  # bits, <=
# Bits by which codes of equal pixels may differ, <=: JPEG decoded at a part of its size is a little
# softer or sharper than a picture that is shrunk afterwards.
EQUAL = 6
CROWD = 32  # pictures with one code, <=: all are compared; more of them with the first only
VARIANTS = 2 * len(ORIENTATIONS)
COLUMNS = {"a": "int32", "b": "int32", "variant": "int8", "readings": "int8"}

NONE = features_of(dict.fromkeys(FEATURES, b""))

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Prints:
    """The fingerprints of n pictures: codes (n, `VARIANTS`), unit vectors (n, d), features."""

    codes: hamming.Codes
    told: npt.NDArray[np.bool_]
    small: npt.NDArray[np.bool_]
    vectors: gradients.Vectors
    features: list[Features]


def search(facts: Parts, keys: pa.Array) -> pa.Table:
    """Return pairs of pictures that may be one.

    Parameters
    ----------
    facts
        Of the fingerprints.
    keys
        The pictures, sorted.

    Returns
    -------
    pa.Table
        Sorted by a, b. a < b: positions in `keys`; variant: what is to be done to b to see a, as
        the codes of `ImageHash` are ordered, -1 where these do not say; readings: of the local
        features that agree, one bit for each of `features.READINGS`.
    """
    prints = _read(facts, keys)
    ways = [by_codes(prints.codes, prints.told), _by_gradients(prints), _by_features(prints)]
    found = pd.concat(ways).groupby(["a", "b"], as_index=False).max()
    return pa.Table.from_pandas(found.astype(COLUMNS), preserve_index=False)


def _read(facts: Parts, keys: pa.Array) -> _Prints:
    names = ["key", "width", "height", "codes", "told", "gradients", *FEATURES]
    table = facts.read(keys, pa.schema([PICTURES.field(name) for name in names]))
    codes = pc.list_flatten(table["codes"]).to_numpy().reshape(-1, VARIANTS)
    vectors = np.frombuffer(b"".join(table["gradients"].to_pylist()), np.int8)
    short = pc.min_element_wise(table["width"], table["height"]).to_numpy()
    told = table["told"].to_numpy()
    rows = table.select(list(FEATURES)).to_pylist()
    features = [features_of(row) if row["points"] is not None else NONE for row in rows]
    vectors = vectors.reshape(-1, gradients.DIMENSIONS)
    return _Prints(codes, told, short <= SMALL, vectors, features)


def perhaps_equal(facts: Parts, keys: pa.Array) -> pa.Array:
    """Return which pictures have the size of another and look like it, boolean."""
    names = ["key", "width", "height", "codes"]
    table = facts.read(keys, pa.schema([PICTURES.field(name) for name in names]))
    codes = pc.list_flatten(table["codes"]).to_numpy().reshape(-1, VARIANTS)
    pairs = hamming.self_join(np.ascontiguousarray(codes[:, :1]), EQUAL)
    rows = np.arange(len(codes))
    alike = smallest_members(
        len(codes), np.append(pairs.first, rows), np.append(pairs.second, pairs.of_first)
    )
    sizes = table.select(["width", "height"]).to_pandas().assign(alike=alike)
    return pa.array(sizes.duplicated(keep=False))


def by_codes(codes: hamming.Codes, told: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Return the pairs of which one looks like the other in some orientation.

    Parameters
    ----------
    codes
        Shape (n, `VARIANTS`).
    told
        Shape (n,): of which pictures the code says something.

    Returns
    -------
    pd.DataFrame
        a < b, variant; each pair once, by the variant that is nearest.
    """
    rows = np.flatnonzero(told)
    upright, variants = codes[rows, :1], codes[rows].reshape(-1, 1)
    pairs = hamming.join(upright, variants, RADIUS)
    ours, theirs = _members(pairs.of_first), _members(pairs.of_second)
    at, first, second = _expanded(pairs.first, pairs.second, ours, theirs)
    b, variant = np.divmod(second, VARIANTS)
    columns = {"a": rows[first], "b": rows[b], "variant": variant, "far": pairs.distance[at]}
    found = pd.concat([pd.DataFrame(columns), _crowds(pairs.of_first, rows)])
    found = found[found["a"] < found["b"]].sort_values(["a", "b", "far", "variant"])
    return found.drop_duplicates(["a", "b"])[["a", "b", "variant"]].assign(readings=0)


_Members = tuple[Rows, Rows, Rows]


def _members(of: Rows) -> _Members:
    """Rows by the first with an equal code; where those of each begin and end, `CROWD` at most."""
    order = np.argsort(of, kind="stable")
    ordered = of[order]
    begins = np.searchsorted(ordered, np.arange(len(of)))
    ends = np.searchsorted(ordered, np.arange(len(of)), "right")
    return order, begins, np.minimum(ends, begins + CROWD)


def _expanded(first: Rows, second: Rows, ours: _Members, theirs: _Members) -> tuple[Rows, ...]:
    """Pairs of codes as pairs of rows: which pair, row of the first set, row of the second."""
    (rows_a, begin_a, end_a), (rows_b, begin_b, end_b) = ours, theirs
    many_a, many_b = (end_a - begin_a)[first], (end_b - begin_b)[second]
    at = np.repeat(np.arange(len(first)), many_a * many_b)
    within = np.arange(len(at)) - np.repeat(np.cumsum(many_a * many_b), many_a * many_b)
    within += (many_a * many_b)[at]
    place_a, place_b = np.divmod(within, many_b[at])
    return at, rows_a[begin_a[first][at] + place_a], rows_b[begin_b[second][at] + place_b]


def _crowds(of: Rows, rows: Rows) -> pd.DataFrame:
    """Of codes that more than `CROWD` pictures have, each picture with the first."""
    crowded = np.flatnonzero(np.bincount(of, minlength=len(of))[of] > CROWD)
    return pd.DataFrame({"a": rows[of[crowded]], "b": rows[crowded], "variant": 0, "far": 0})


def _by_gradients(prints: _Prints) -> pd.DataFrame:
    """Return the pairs of small pictures that look alike."""
    rows = np.flatnonzero(prints.small)
    views = gradients.views(prints.vectors[rows])
    found = lookalikes.pairs(views, gradients.SCALE).to_pandas()
    return pd.DataFrame(
        {"a": rows[found["a"]], "b": rows[found["b"]], "variant": -1, "readings": 0}
    )


def _by_features(prints: _Prints) -> pd.DataFrame:
    """Return the pairs of photographs that share local features."""
    found = features.pairs(prints.features).to_pandas()
    readings = np.left_shift(1, found["reading"].to_numpy(np.int64))
    by_pair = found[["a", "b"]].assign(readings=readings).groupby(["a", "b"], as_index=False)
    seen: pd.DataFrame = by_pair.sum().assign(variant=-1)
    return seen
