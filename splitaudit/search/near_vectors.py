"""Pairs whose vectors are near, in any of the ways in which each is looked up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from splitaudit.search import vectors

TOP_K = 20  # of each picture, however it is looked at; more only where they are as near as copies
# Of each picture in a crowd: a thousand like logos are one group through fewer pairs than all.
MAX_NEIGHBOURS = 128
BATCH_SIZE = 1_024  # pictures looked up together
PAIRS_SCHEMA = pa.schema({"a": pa.int64(), "b": pa.int64(), "similarity": pa.float32()})

_Similarity = npt.NDArray[np.float32]
_Rows = tuple[vectors.Rows, vectors.Rows, _Similarity]
_NO_ROWS: _Rows = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))


def pairs(views: vectors.Vectors, scale: int, alike: float) -> pa.Table:
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

    Returns
    -------
    pa.Table
        `PAIRS_SCHEMA`, sorted: a < b, each pair once; of all ways to look at it the nearest counts.
        Of a clique as near as copies, all are found that are among the nearest `MAX_NEIGHBOURS` of
        either.
    """
    looks, sides, n, d = views.shape
    # A zero vector is as near to all; in the index it would be met where others are far away.
    told = np.flatnonzero(views[0, 0].any(axis=1))
    # Pictures are looked up in all views among themselves as they are: a mirrored pair is found
    # with either of them mirrored, a crop with the other one seen closer.
    find = vectors.searcher(views[:, :, told].reshape(-1, d), scale, MAX_NEIGHBOURS, len(told))
    rows = [
        _filter_neighbours(
            *_neighbours(find, look * sides + np.arange(sides), begin, len(told)), begin, alike
        )
        for look in range(looks)
        for begin in range(0, len(told), BATCH_SIZE)
    ]
    one, other, similarity = (
        np.concatenate(column) for column in zip(_NO_ROWS, *rows, strict=True)
    )
    return _deduplicate_pairs(told[one], told[other], similarity, n)


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


def _deduplicate_pairs(
    one: vectors.Rows, other: vectors.Rows, similarity: _Similarity, n: int
) -> pa.Table:
    """Each pair once, with its best similarity."""
    key = np.minimum(one, other) * n + np.maximum(one, other)
    order = np.lexsort([-similarity, key])
    key, similarity = key[order], similarity[order]
    first = np.diff(key, prepend=-1) != 0
    columns = [key[first] // max(n, 1), key[first] % max(n, 1), similarity[first]]
    return pa.table(columns, schema=PAIRS_SCHEMA)
