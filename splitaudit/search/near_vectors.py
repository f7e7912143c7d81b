"""Pairs whose vectors are near, in any of the ways in which each is looked up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from splitaudit.search import vectors
from splitaudit.search.turns import Held

TOP_K = 20  # of each picture, however it is looked at; more only where they are as near as copies
# Of each picture in a crowd: a thousand like logos are one group through fewer pairs than all.
MAX_NEIGHBOURS = 128
NEAREST_ELSEWHERE = 2  # in every other split, of those whose `TOP_K` nearest all stand in their own
BATCH_SIZE = 1_024  # pictures looked up together
PAIRS_SCHEMA = pa.schema(
    {"a": pa.int64(), "b": pa.int64(), "similarity": pa.float32(), "crowded": pa.bool_()}
)

_Similarity = npt.NDArray[np.float32]
_Rows = tuple[vectors.Rows, vectors.Rows, _Similarity]
_NO_ROWS: _Rows = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))


def pairs(views: vectors.Vectors, scale: int, alike: float, held: Held | None = None) -> pa.Table:
    """Return the pairs to compare.

    Parameters
    ----------
    views
        Shape (looks, sides, n, d), unit vectors times `scale`: ways to look at each, the first
        as it is kept, and each of them from several sides; zero where there is nothing to find.
    scale
        See there.
    alike
        Least cosine (>=) of what is returned.
    held
        In which splits each stands; None: all in one.

    Returns
    -------
    pa.Table
        `PAIRS_SCHEMA`, sorted: a < b, each pair once; of all ways to look at it the nearest counts.
        Of a clique as near as copies, all are found that are among the nearest `MAX_NEIGHBOURS` of
        either, and of each that is in such a crowd, the nearest in every split, too. Of one whose
        nearest all stand in its own splits, those that are nearest in the others. Of a pair that is
        there for one of these reasons alone, `crowded` is true.
    """
    looks, _, n, d = views.shape
    # A zero vector is as near to all; in the index it would be found where others are far away.
    told = np.flatnonzero(views[0, 0].any(axis=1))
    # Pictures are looked up in all views among themselves as they are: a mirrored pair is found
    # with either of them mirrored, a crop with the other one seen closer.
    find = vectors.searcher(
        views[:, :, told].reshape(-1, d), scale, MAX_NEIGHBOURS, views[0, 0, told]
    )
    stands = (np.ones((n, 1), np.bool_) if held is None else held)[told]
    rows, dense, hidden = [_NO_ROWS], *np.zeros((2, len(told)), np.bool_)
    for look in range(looks):
        for begin in range(0, len(told), BATCH_SIZE):
            near = _neighbours(find, _views_of(views, look), begin, len(told))
            rows.append(_filter_neighbours(*near, begin, alike))
            dense[begin : begin + BATCH_SIZE] |= _is_dense(*near)
            hidden[begin : begin + BATCH_SIZE] |= _is_hidden(*near, stands, begin, alike)
    more = []
    for split in stands.T if stands.shape[1] > 1 else ():
        there, absent = told[split], told[hidden & ~split]
        more += [_nearest_within(views, scale, told[dense], there, vectors.COPY_SIMILARITY)]
        more += [_nearest_within(views, scale, absent, there, alike, NEAREST_ELSEWHERE)]
    one, other, similarity = (np.concatenate(column) for column in zip(*rows, strict=True))
    return _deduplicate_pairs((told[one], told[other], similarity), more, n)


def _views_of(views: vectors.Vectors, look: int) -> vectors.Rows:
    sides = views.shape[1]
    rows: vectors.Rows = look * sides + np.arange(sides)
    return rows


def _is_dense(similarity: _Similarity, index: vectors.Rows) -> npt.NDArray[np.bool_]:
    """Which have `MAX_NEIGHBOURS` as near as copies, so that there may be more."""
    near = (similarity >= vectors.COPY_SIMILARITY).sum(axis=1)
    return np.asarray(near >= min(MAX_NEIGHBOURS, index.shape[1] - 1))


def _is_hidden(
    similarity: _Similarity, index: vectors.Rows, stands: Held, begin: int, alike: float
) -> npt.NDArray[np.bool_]:
    """Which have `TOP_K` neighbours, none of which stands in another split."""
    if index.shape[1] < TOP_K:
        return np.zeros(len(index), np.bool_)
    own = stands[begin : begin + len(index), None]
    among_its_own = (stands[index[:, :TOP_K]] == own).all(axis=(1, 2))
    return np.asarray(among_its_own & (similarity[:, :TOP_K] >= alike).all(axis=1))


def _nearest_within(
    views: vectors.Vectors,
    scale: int,
    crowd: vectors.Rows,
    split: vectors.Rows,
    alike: float,
    many: int = vectors.NEIGHBOURS,
) -> _Rows:
    """Rows of so many that are nearest of each of a crowd among those of a split."""
    if not len(crowd) or not len(split):
        return _NO_ROWS
    d, rows = views.shape[-1], [_NO_ROWS]
    seen = views[:, :, crowd].reshape(-1, d)
    find = vectors.searcher(seen, scale, vectors.NEIGHBOURS, views[0, 0, split])
    for begin in range(0, len(seen), BATCH_SIZE):
        some = slice(begin, min(begin + BATCH_SIZE, len(seen)))
        similarity, index = find(some, slice(0, 0))
        similarity, index = similarity[:, :many], index[:, :many]
        of = crowd[np.arange(some.start, some.stop) % len(crowd)][:, None]
        near = (index >= 0) & (similarity >= alike)
        near &= split[index] != of
        rows.append((np.broadcast_to(of, near.shape)[near], split[index[near]], similarity[near]))
    one, other, similarity = (np.concatenate(column) for column in zip(*rows, strict=True))
    return one, other, similarity


def _neighbours(find: vectors.Search, of: vectors.Rows, begin: int, n: int) -> vectors.Neighbours:
    """Neighbours of `BATCH_SIZE` vectors in these views of them, the nearest first."""
    some = slice(begin, min(begin + BATCH_SIZE, n))
    found = [find(slice(view * n + some.start, view * n + some.stop), slice(0, 0)) for view in of]
    similarity, index = (np.concatenate(column, axis=1) for column in zip(*found, strict=True))
    own = np.arange(some.start, some.stop)[:, None]
    similarity[(index == own) | (index < 0)] = -np.inf
    order = np.argsort(-similarity, axis=1, kind="stable")
    return np.take_along_axis(similarity, order, axis=1), np.take_along_axis(index, order, axis=1)


def _filter_neighbours(
    similarity: _Similarity, index: vectors.Rows, begin: int, alike: float
) -> _Rows:
    """The neighbours that are near enough, as rows."""
    one = np.arange(begin, begin + len(index))[:, None]
    near = (np.arange(index.shape[1]) < TOP_K) | (similarity >= vectors.COPY_SIMILARITY)
    near &= similarity >= alike
    return np.broadcast_to(one, near.shape)[near], index[near], similarity[near]


def _deduplicate_pairs(rows: _Rows, more: Sequence[_Rows], n: int) -> pa.Table:
    """Each pair once, with its best similarity; crowded where it is only among `more`."""
    one, other, similarity = (np.concatenate(each) for each in zip(rows, *more, strict=True))
    crowded = np.arange(len(one)) >= len(rows[0])
    key = np.minimum(one, other) * n + np.maximum(one, other)
    order = np.lexsort([-similarity, key])
    key, similarity, crowded = key[order], similarity[order], crowded[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    only = np.logical_and.reduceat(crowded, first) if len(first) else crowded
    columns = [key[first] // max(n, 1), key[first] % max(n, 1), similarity[first], only]
    return pa.table(columns, schema=PAIRS_SCHEMA)
