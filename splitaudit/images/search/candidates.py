"""Which pairs of pictures to compare: the fingerprints of all, read from the facts and searched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.engine.stages import Settings
from splitaudit.groups.components import smallest_members
from splitaudit.images.fingerprint.contract import COSINE, HAMMING, METRICS, VOTES
from splitaudit.images.fingerprint.extract import CODES, PICTURES, PICTURES_KIND, kind_of
from splitaudit.images.fingerprint.feature_sets import FEATURE
from splitaudit.images.search import feature_votes
from splitaudit.images.search.feature_votes import Collection
from splitaudit.search import hamming, near_vectors
from splitaudit.search.turns import CUT, Held, count_before, in_turns, stands

NAME = "search-v6"  # another where pairs change: what was found is kept
# Bits by which codes of equal pixels may differ, <=: JPEG decoded at a part of its size is a little
# softer or sharper than a picture that is shrunk afterwards.
EQUAL_RADIUS = 6
CROWD = 32  # pictures with one code, <=: all are compared; more of them with the first only
HINTS = {"a": "int32", "b": "int32", "variant": "int8", "views": "int8", "readings": "int8"}
COLUMNS = HINTS | {"turn": "int8"}

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Views:
    """Codes of pictures, and of what lies within the borders of some.

    Parameters
    ----------
    codes
        Shape (n, variants, words), or of vectors (n, d).
    told
        Shape (n,): whether the code says something.
    owner, inner
        Shapes (n,): position of the picture; whether it is what lies within its border.
    """

    codes: npt.NDArray[Any]
    told: Flags
    owner: Rows
    inner: Flags


def search(settings: Settings, keys: pa.Array, held: Held, fingerprints: Sequence[Any]) -> pa.Table:
    """Return pairs of pictures that may be one.

    Parameters
    ----------
    settings
        Where the facts lie.
    keys
        The pictures, sorted.
    held
        In which splits each stands.
    fingerprints
        By which they are searched, each as its metric says.

    Returns
    -------
    pa.Table
        Sorted by a, b. a < b: positions in `keys`; variant: what is to be done to b to see a, as
        the codes of `ImageHash` are ordered, -1 where these do not say; views: that of which a and
        b this holds, 1 where it is what lies within the border of a, 2 of b, 3 of both; readings:
        of the local features that agree, one bit for each of `feature_sets.READINGS`; turn: when it
        is due, see `search.turns`.
    """
    # What the codes say of a pair comes first.
    ordered = sorted(fingerprints, key=lambda of: METRICS.index(of.metric))
    ways = [_SEARCHES[of.metric](settings, keys, held, of) for of in ordered]
    merged = pd.concat(ways).groupby(["a", "b"], as_index=False)
    found = merged.agg({"variant": "first", "views": "first", "readings": "max", "turn": "min"})
    return pa.Table.from_pandas(found.astype(COLUMNS), preserve_index=False)


def _search_bits(settings: Settings, keys: pa.Array, held: Held, of: Any) -> pd.DataFrame:
    return search_codes(read_bits(settings, keys, of), held, int(of.radius))


def read_bits(settings: Settings, keys: pa.Array, of: Any) -> Views:
    """The codes of all views, each in every variant."""
    table = _read_codes(settings, keys, of, "told", "codes")
    views = _unpack_views(table, np.uint64, _is_searchable(settings, keys, of))
    words = max(1, views.codes.shape[1] // of.variants)  # of none, too
    return replace(views, codes=views.codes.reshape(len(views.owner), of.variants, words))


def _search_vectors(settings: Settings, keys: pa.Array, held: Held, of: Any) -> pd.DataFrame:
    """Return the pairs of pictures whose vectors are near."""
    table = _read_codes(settings, keys, of, "told", "codes")
    views = _unpack_views(table, np.int8, _is_searchable(settings, keys, of))
    views = _select_views(views, views.told)
    queries = of.queries(views.codes) if len(views.codes) else views.codes[None, None]
    splits = held[views.owner]
    near = near_vectors.pairs(queries, of.scale, 1 - of.radius, splits).to_pandas()
    sides = _picture_pairs(views, near["a"].to_numpy(), near["b"].to_numpy())
    far = {"variant": -1, "far": -near["similarity"].to_numpy(), "crowded": near["crowded"]}
    found = _deduplicate(pd.DataFrame(sides | far), ["crowded", "far", "views"])
    return in_turns(found, held, ~found["crowded"])


def _read_codes(settings: Settings, keys: pa.Array, of: Any, *names: str) -> pa.Table:
    columns = pa.schema([CODES.field(name) for name in ("key", *names)])
    return settings.facts(kind_of(of)).read(keys, columns)


def _is_searchable(settings: Settings, keys: pa.Array, of: Any) -> Flags:
    """Which pictures have a size at which they are searched by a fingerprint."""
    columns = pa.schema([PICTURES.field(name) for name in ("key", "width", "height")])
    table = settings.facts(PICTURES_KIND).read(keys, columns)
    short = pc.min_element_wise(table["width"], table["height"]).to_numpy()
    return np.asarray((short >= of.short_sides[0]) & (short <= of.short_sides[1]))


def _unpack_views(table: pa.Table, dtype: Any, in_reach: Flags) -> Views:
    """The codes of all views of the pictures in reach, one row each."""
    each = pc.fill_null(pc.list_value_length(table["told"]), 0).to_numpy()
    owner = np.repeat(np.arange(len(each)), each)
    told = pc.list_flatten(table["told"]).to_numpy(zero_copy_only=False)
    codes = np.frombuffer(b"".join(code or b"" for code in table["codes"].to_pylist()), dtype)
    rows = in_reach[owner]
    return Views(
        codes.reshape(len(owner), max(1, len(codes) // max(1, len(owner))))[rows],
        told.astype(bool)[rows],
        owner[rows],
        (np.diff(owner, prepend=-1) == 0)[rows],
    )


def _select_views(views: Views, which: Flags) -> Views:
    return Views(*(getattr(views, field.name)[which] for field in fields(views)))


def find_possible_duplicates(settings: Settings, keys: pa.Array, by: Any = None) -> pa.Array:
    """Return which pictures have the size of another and look like it, boolean.

    Parameters
    ----------
    settings, keys
        As of `search`.
    by
        The hash that says how they look; without one, all of a size are alike.
    """
    columns = pa.schema([PICTURES.field(name) for name in ("key", "width", "height")])
    sizes = (
        settings.facts(PICTURES_KIND).read(keys, columns).select(["width", "height"]).to_pandas()
    )
    alike = _cluster_labels(settings, keys, by) if by is not None else 0
    return pa.array(sizes.assign(alike=alike).duplicated(keep=False))


def _cluster_labels(settings: Settings, keys: pa.Array, by: Any) -> Rows:
    """A number for each picture, the same for those that look alike as a whole."""
    views = _unpack_views(
        _read_codes(settings, keys, by, "told", "codes"), np.uint64, np.ones(len(keys), bool)
    )
    codes, at = views.codes[~views.inner, :1], views.owner[~views.inner]
    pairs = hamming.self_join(codes, EQUAL_RADIUS)
    rows = np.arange(len(codes))
    alike = -1 - np.arange(len(keys))  # like no other, where there is no code
    alike[at] = smallest_members(
        len(codes), np.append(pairs.first, rows), np.append(pairs.second, pairs.of_first)
    )
    return alike


def search_codes(views: Views, held: Held, radius: int) -> pd.DataFrame:
    """Return the pairs of pictures of which one looks like the other in some orientation.

    Parameters
    ----------
    views
        Their codes, the upright one first.
    held
        In which splits each picture stands.
    radius
        In bits (<=).

    Returns
    -------
    pd.DataFrame
        a < b, variant, views, turn as of `search`; each pair once, by what is nearest.
    """
    rows = np.flatnonzero(views.told)
    variants, words = views.codes.shape[1:]
    upright, every = views.codes[rows, 0], views.codes[rows].reshape(-1, words)
    pairs = hamming.join(upright, every, radius)
    splits = held[views.owner[rows]]
    ours = _group_equal_codes(pairs.of_first, _place_in_split(pairs.of_first, splits))
    many = np.repeat(splits, variants, axis=0)
    theirs = _group_equal_codes(pairs.of_second, _place_in_split(pairs.of_second, many))
    at, first, second = _expand_pairs(pairs.first, pairs.second, ours, theirs)
    b, variant = np.divmod(second, variants)
    columns = _picture_pairs(views, rows[first], rows[b]) | {
        "variant": variant,
        "far": pairs.distance[at],
    }
    near = in_turns(_deduplicate(pd.DataFrame(columns), ["far", "views", "variant"]), held)
    crowds = _deduplicate(_crowd_pairs(views, rows, pairs.of_first, held), ["turn"])
    return pd.concat([near, crowds]).sort_values("turn", kind="stable").drop_duplicates(["a", "b"])


def _picture_pairs(views: Views, a: Rows, b: Rows) -> dict[str, Any]:
    """Pairs of views as pairs of pictures."""
    which = views.inner[a] + 2 * views.inner[b]
    return {"a": views.owner[a], "b": views.owner[b], "views": which}


def _deduplicate(found: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Each pair once, that with the least values; a view is no pair with one of its picture."""
    found = found[found["a"] < found["b"]].sort_values(["a", "b", *by])
    return found.drop_duplicates(["a", "b"]).assign(readings=0)


_RowsByCode = tuple[Rows, Rows, Rows]


def _place_in_split(of: Rows, held: Held) -> Rows:
    """How many with an equal code stand before each in its split; the least, if it has several."""
    places = np.full(len(of), len(of))
    for split in held.T:
        there = np.flatnonzero(split)[np.argsort(of[split], kind="stable")]
        places[there] = np.minimum(places[there], count_before(of[there]))
    return places


def _group_equal_codes(of: Rows, place: Rows) -> _RowsByCode:
    """Rows by the first with an equal code; where those of each begin and end, `CROWD` at most.

    Those come first that have a low place, so that all splits have their share.
    """
    order = np.lexsort((place, of))
    ordered = of[order]
    begins = np.searchsorted(ordered, np.arange(len(of)))
    ends = np.searchsorted(ordered, np.arange(len(of)), "right")
    return order, begins, np.minimum(ends, begins + CROWD)


def _expand_pairs(
    first: Rows, second: Rows, ours: _RowsByCode, theirs: _RowsByCode
) -> tuple[Rows, ...]:
    """Pairs of codes as pairs of rows: which pair, row of the first set, row of the second."""
    (rows_a, begin_a, end_a), (rows_b, begin_b, end_b) = ours, theirs
    many_a, many_b = (end_a - begin_a)[first], (end_b - begin_b)[second]
    at = np.repeat(np.arange(len(first)), many_a * many_b)
    within = np.arange(len(at)) - np.repeat(np.cumsum(many_a * many_b), many_a * many_b)
    within += (many_a * many_b)[at]
    place_a, place_b = np.divmod(within, many_b[at])
    return at, rows_a[begin_a[first][at] + place_a], rows_b[begin_b[second][at] + place_b]


def _crowd_pairs(views: Views, rows: Rows, of: Rows, held: Held) -> pd.DataFrame:
    """Of codes that more than `CROWD` pictures have, each picture with the first of each split.

    And the last of each split, which stands for all that each is not compared with.
    """
    crowded = np.flatnonzero(np.bincount(of, minlength=len(of))[of] > CROWD)
    some = pd.DataFrame({"of": of[crowded], "row": rows[crowded]})
    found = [_pair_views(views, some, some.drop_duplicates("of"), 0)]
    for split in held.T if held.shape[1] > 1 else []:
        there, owner = some[split[views.owner[some["row"]]]], views.owner[some["row"]]
        found.append(_pair_views(views, some, there.drop_duplicates("of"), 0))
        last = there.drop_duplicates("of", keep="last")
        found.append(_pair_views(views, some[~split[owner]], last, CUT))
    return pd.concat(found)


def _pair_views(views: Views, some: pd.DataFrame, one: pd.DataFrame, turn: int) -> pd.DataFrame:
    """Each of some views with the one of those with its code."""
    both = some.merge(one, on="of", suffixes=("", "_one"))
    pair = np.sort(both[["row", "row_one"]].to_numpy(np.int64), axis=1)
    return pd.DataFrame(_picture_pairs(views, *pair.T) | {"variant": 0, "turn": np.int8(turn)})


def _search_features(settings: Settings, keys: pa.Array, held: Held, of: Any) -> pd.DataFrame:
    """Return the pairs of photographs that share local features."""
    features = _collect_features(settings, keys, of)
    found = feature_votes.pairs(features, stands=stands(held)).to_pandas()
    readings = np.left_shift(1, found["reading"].to_numpy(np.int64))
    by_pair = found.assign(readings=readings, far=-found["votes"]).groupby(["a", "b"])
    seen = by_pair.agg({"readings": "sum", "far": "min"}).reset_index()
    return in_turns(seen.assign(variant=-1, views=0), held)


def _collect_features(settings: Settings, keys: pa.Array, of: Any) -> Collection:
    """The local features of all pictures, read part by part into their place."""
    many = pc.fill_null(_read_codes(settings, keys, of, "many")["many"], 0).to_numpy()
    begins = np.append(0, np.cumsum(many, dtype=np.int64))
    names = [field.name for field in fields(Collection)[1:]]
    held = {
        name: np.empty((begins[-1], *FEATURE[name].shape), FEATURE[name].base) for name in names
    }
    columns = pa.schema([CODES.field("key"), CODES.field("codes")])
    for part in settings.facts(kind_of(of)).parts_of(keys, columns):
        at = pc.index_in(part["key"], value_set=keys).to_numpy()
        for k, codes in zip(at.tolist(), part["codes"].to_pylist(), strict=True):
            features = np.frombuffer(codes or b"", FEATURE)
            for name, values in held.items():
                values[begins[k] : begins[k + 1]] = features[name]
    return Collection(begins, **held)


_SEARCHES = {HAMMING: _search_bits, COSINE: _search_vectors, VOTES: _search_features}
