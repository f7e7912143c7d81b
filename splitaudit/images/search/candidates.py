"""Which pairs of pictures to compare: the fingerprints of all, read from the facts and searched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.engine.store import Parts
from splitaudit.groups.components import smallest_members
from splitaudit.images.fingerprint import gradients
from splitaudit.images.fingerprint.extract import PICTURES, SMALL
from splitaudit.images.fingerprint.hash import ORIENTATIONS
from splitaudit.images.search import feature_votes, near_gradients
from splitaudit.images.search.feature_votes import Collection
from splitaudit.search import hamming

NAME = "search-v2"  # another where pairs change: what was found is kept
RADIUS = 8  # bits, <=
# Bits by which codes of equal pixels may differ, <=: JPEG decoded at a part of its size is a little
# softer or sharper than a picture that is shrunk afterwards.
EQUAL = 6
CROWD = 32  # pictures with one code, <=: all are compared; more of them with the first only
# Of each picture, pairs that are looked at if they are among as many of the other, too, and those
# that are looked at anyway, <=. Without, 500 logos on white had 84,000 pairs.
MOST, SURE = 24, 2
VARIANTS = 2 * len(ORIENTATIONS)
COLUMNS = {"a": "int32", "b": "int32", "variant": "int8", "views": "int8", "readings": "int8"}

# Of local features, what the search needs: its type, and the shape of each.
KINDS = {"angle": (np.float32, ()), "scale": (np.float32, ()), "descriptors": (np.uint64, (4,))}

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Views:
    """Codes of pictures, and of what lies within the borders of some.

    Parameters
    ----------
    codes
        Shape (n, `VARIANTS`).
    told
        Shape (n,): whether the code says something.
    owner, inner
        Shapes (n,): position of the picture; whether it is what lies within its border.
    """

    codes: hamming.Codes
    told: Flags
    owner: Rows
    inner: Flags


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
        the codes of `ImageHash` are ordered, -1 where these do not say; views: that of which a and
        b this holds, 1 where it is what lies within the border of a, 2 of b, 3 of both; readings:
        of the local features that agree, one bit for each of `features.READINGS`.
    """
    views, vectors, small = _read(facts, keys)
    ways = [by_codes(views), _by_gradients(views, vectors, small), _by_features(facts, keys)]
    # What the codes say of a pair comes first.
    merged = pd.concat(ways).groupby(["a", "b"], as_index=False)
    found = merged.agg({"variant": "first", "views": "first", "readings": "max"})
    return pa.Table.from_pandas(found.astype(COLUMNS), preserve_index=False)


def _read(facts: Parts, keys: pa.Array) -> tuple[Views, gradients.Vectors, Flags]:
    """Codes and gradients of all views, and whether each is of a small picture."""
    names = ["key", "width", "height", "codes", "told", "gradients"]
    table = facts.read(keys, pa.schema([PICTURES.field(name) for name in names]))
    each = pc.list_value_length(table["told"]).to_numpy()
    owner = np.repeat(np.arange(len(each)), each)
    codes = pc.list_flatten(table["codes"]).to_numpy().reshape(-1, VARIANTS)
    told = pc.list_flatten(table["told"]).to_numpy()
    views = Views(codes, told, owner, np.diff(owner, prepend=-1) == 0)
    vectors = np.frombuffer(b"".join(table["gradients"].to_pylist()), np.int8)
    short = pc.min_element_wise(table["width"], table["height"]).to_numpy()
    return views, vectors.reshape(-1, gradients.DIMENSIONS), (short <= SMALL)[owner]


def perhaps_equal(facts: Parts, keys: pa.Array) -> pa.Array:
    """Return which pictures have the size of another and look like it, boolean."""
    names = ["key", "width", "height", "codes"]
    table = facts.read(keys, pa.schema([PICTURES.field(name) for name in names]))
    codes = pc.list_element(table["codes"], 0).to_numpy()[:, None]
    pairs = hamming.self_join(codes, EQUAL)
    rows = np.arange(len(codes))
    alike = smallest_members(
        len(codes), np.append(pairs.first, rows), np.append(pairs.second, pairs.of_first)
    )
    sizes = table.select(["width", "height"]).to_pandas().assign(alike=alike)
    return pa.array(sizes.duplicated(keep=False))


def by_codes(views: Views) -> pd.DataFrame:
    """Return the pairs of pictures of which one looks like the other in some orientation.

    Returns
    -------
    pd.DataFrame
        a < b, variant, views as of `search`; each pair once, by what is nearest.
    """
    rows = np.flatnonzero(views.told)
    upright, variants = views.codes[rows, :1], views.codes[rows].reshape(-1, 1)
    pairs = hamming.join(upright, variants, RADIUS)
    ours, theirs = _members(pairs.of_first), _members(pairs.of_second)
    at, first, second = _expanded(pairs.first, pairs.second, ours, theirs)
    b, variant = np.divmod(second, VARIANTS)
    columns = _sides(views, rows[first], rows[b]) | {"variant": variant, "far": pairs.distance[at]}
    near = nearest(_once(pd.DataFrame(columns), ["far", "views", "variant"]))
    crowds = _once(_crowds(views, rows, pairs.of_first), ["far"])
    return pd.concat([near, crowds]).drop_duplicates(["a", "b"])


def _sides(views: Views, a: Rows, b: Rows) -> dict[str, Any]:
    """Pairs of views as pairs of pictures."""
    which = views.inner[a] + 2 * views.inner[b]
    return {"a": views.owner[a], "b": views.owner[b], "views": which}


def _once(found: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Each pair once, that with the least values; a view is no pair with one of its picture."""
    found = found[found["a"] < found["b"]].sort_values(["a", "b", *by])
    return found.drop_duplicates(["a", "b"]).assign(readings=0)


def nearest(found: pd.DataFrame) -> pd.DataFrame:
    """Return pairs (a, b, far) that are among the nearest of both pictures, `MOST` of each.

    And the `SURE` nearest of each, whether the other has nearer ones or not. Of pairs that are as
    far, those come first whose pictures stand closest, so that a crowd hangs together.
    """
    sides = pd.concat([found.assign(of=found[side], row=np.arange(len(found))) for side in "ab"])
    sides["apart"] = sides["b"] - sides["a"]
    ordered = sides.sort_values(["of", "far", "apart"], kind="stable")
    rank = ordered.groupby("of").cumcount().groupby(ordered["row"])
    return found[((rank.max() < MOST) | (rank.min() < SURE)).to_numpy()]


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


def _crowds(views: Views, rows: Rows, of: Rows) -> pd.DataFrame:
    """Of codes that more than `CROWD` pictures have, each picture with the first."""
    crowded = np.flatnonzero(np.bincount(of, minlength=len(of))[of] > CROWD)
    sides = _sides(views, rows[of[crowded]], rows[crowded])
    return pd.DataFrame(sides | {"variant": 0, "far": 0})


def _by_gradients(views: Views, vectors: gradients.Vectors, small: Flags) -> pd.DataFrame:
    """Return the pairs of small pictures that look alike."""
    rows = np.flatnonzero(small)
    found = near_gradients.pairs(gradients.views(vectors[rows]), gradients.SCALE).to_pandas()
    sides = _sides(views, rows[found["a"]], rows[found["b"]])
    return _once(pd.DataFrame(sides | {"variant": -1}), ["views"])


def _by_features(facts: Parts, keys: pa.Array) -> pd.DataFrame:
    """Return the pairs of photographs that share local features."""
    found = feature_votes.pairs(_collected(facts, keys)).to_pandas()
    readings = np.left_shift(1, found["reading"].to_numpy(np.int64))
    by_pair = found.assign(readings=readings, far=-found["votes"]).groupby(["a", "b"])
    seen = by_pair.agg({"readings": "sum", "far": "min"}).reset_index()
    return nearest(seen.assign(variant=-1, views=0))


def _collected(facts: Parts, keys: pa.Array) -> Collection:
    """The local features of all pictures, read part by part into their place."""
    columns = pa.schema([PICTURES.field(name) for name in ("key", *KINDS)])
    angles = facts.read(keys, pa.schema([PICTURES.field(name) for name in ("key", "angle")]))
    bytes_each = pc.fill_null(pc.binary_length(angles["angle"]), 0).to_numpy()
    begins = np.append(0, np.cumsum(bytes_each // 4))
    held = {name: np.empty((begins[-1], *each), kind) for name, (kind, each) in KINDS.items()}
    for part in facts.parts_of(keys, columns):
        at = pc.index_in(part["key"], value_set=keys).to_numpy()
        for name, (kind, _) in KINDS.items():
            for k, value in zip(at.tolist(), part[name].to_pylist(), strict=True):
                some = held[name][begins[k] : begins[k + 1]]
                some[:] = np.frombuffer(value or b"", kind).reshape(some.shape)
    return Collection(begins, **held)
