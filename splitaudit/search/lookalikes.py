"""Pairs of pictures whose descriptors are near, as they are or as seen in a mirror."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from splitaudit.search import nearest

ALIKE = 0.4  # >= of cosine: pairs less alike are not returned; proven copies have 0.41 and more
# Of each picture in a crowd: a thousand like logos are one group through fewer pairs than all.
MOST = 128
AT_ONCE = 1_024  # pictures looked up together
FOUND = pa.schema({"a": pa.int64(), "b": pa.int64(), "similarity": pa.float32()})


def pairs(plain: nearest.Vectors, mirrored: nearest.Vectors, scale: int) -> pa.Table:
    """Return the pairs of pictures to compare.

    Parameters
    ----------
    plain, mirrored
        Shape (n, d), unit vectors times `scale`, of each picture and of its mirror image; zero
        where there is nothing to find it by.
    scale
        See there.

    Returns
    -------
    pa.Table
        `FOUND`, sorted: a < b, each pair once; of both ways to look at it the nearer one counts.
        Of a clique as near as copies, all are found that are among the nearest `MOST` of either.
    """
    n = len(plain)
    told = np.flatnonzero(plain.any(axis=1))
    # A zero vector is as near to all; in the index it would be met where others are far away.
    find = nearest.searcher(np.concatenate([plain[told], mirrored[told]]), scale, MOST)
    # The mirror images of two pictures are as near as they are themselves; but they lie in other
    # cells of a parted index, so that a pair missed here is mostly found there.
    rows = [
        _rows(find, slice(begin, min(2 * len(told), begin + AT_ONCE)), len(told))
        for begin in range(0, 2 * len(told), AT_ONCE)
    ]
    one, other, similarity = (np.concatenate(column) for column in zip(_NONE, *rows, strict=True))
    return _once(told[one], told[other], similarity, n)


_Similarity = npt.NDArray[np.float32]
_Rows = tuple[nearest.Rows, nearest.Rows, _Similarity]
_NONE: _Rows = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))


def _rows(find: nearest.Search, some: slice, n: int) -> _Rows:
    """Neighbours of some pictures, themselves left out."""
    similarity, index = find(some, slice(0, 0))
    one = np.repeat(np.arange(some.start, some.stop) % n, index.shape[1])
    other = np.where(index.ravel() < 0, one, index.ravel() % n)
    others = (one != other) & (similarity.ravel() >= ALIKE)
    return one[others], other[others], similarity.ravel()[others]


def _once(one: nearest.Rows, other: nearest.Rows, similarity: _Similarity, n: int) -> pa.Table:
    """Each pair once, with its best similarity."""
    key = np.minimum(one, other) * n + np.maximum(one, other)
    order = np.lexsort([-similarity, key])
    key, similarity = key[order], similarity[order]
    first = np.diff(key, prepend=-1) != 0
    columns = [key[first] // max(n, 1), key[first] % max(n, 1), similarity[first]]
    return pa.table(columns, schema=FOUND)
