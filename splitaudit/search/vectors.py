"""The nearest vectors of other sounds: FAISS where it is installed, else blocks of numpy.

A few thousand vectors are compared with all; more are parted into cells, of which the nearest
`PROBES` are looked through. What is found there is ranked by the vectors themselves.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.int8]
Rows = npt.NDArray[np.int64]
Neighbours = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]

NEIGHBOURS = 32  # more than the sounds that make a stretch generic
MORE = 4  # times as many, while the last of them is still as near as a copy
# >= in similarity; where sounds are unlike, one patch in thirty has 32 as near
COPY_SIMILARITY = 0.8
BRUTE_FORCE_LIMIT = 20_000  # <= vectors are compared with all
VECTORS_PER_CELL = 400  # vectors, on average
MAX_CELLS = 1 << 14
TRAINING_PER_CELL = 64  # vectors a cell
PROBES = 16
BLOCK = 1 << 16  # vectors held as floats


class Search(Protocol):
    """Finds the nearest vectors of others, see `searcher`."""

    def __call__(self, some: slice, own: slice, k: int = NEIGHBOURS) -> Neighbours:
        """Return the similarity and the index of k neighbours of some, without `own`."""


def has_faiss() -> bool:
    """Return whether FAISS is."""
    return find_spec("faiss") is not None


def searcher(
    vectors: Vectors, scale: int, most: int = sys.maxsize, among: Vectors | None = None
) -> Search:
    """Return what finds the nearest vectors of other sounds.

    Parameters
    ----------
    vectors
        Shape (n, d), unit vectors times `scale`.
    most
        Neighbours, rounded up to k times a power of `MORE`, of a vector in a crowd.
    among
        Vectors among which is searched; those that are looked up if None.

    Returns
    -------
    callable
        Which vectors, which of those searched are of the same sound, and k -> (similarity, index),
        each of shape (m, k), by falling similarity, those of the same sound left out; index -1
        where there are no more. There are more than k while the last is as near as a copy, so that
        what a thousand sounds share is found in each. Many threads may call it.
    """
    among = vectors if among is None else among
    search = _faiss_search(vectors, among) if has_faiss() else _numpy_search(vectors, among)
    copy = np.float32(COPY_SIMILARITY * scale**2)

    def nearest(some: slice, own: slice, k: int = NEIGHBOURS) -> Neighbours:
        similarity, index = search(np.arange(some.start, some.stop), own, k)
        while k < min(most, len(among)) and (similarity[:, -1] >= copy).any():
            k *= MORE
            dense = np.flatnonzero(similarity[:, -1] >= copy)
            more = search(some.start + dense, own, k)
            similarity = _widen(similarity, dense, more[0], -np.inf)
            index = _widen(index, dense, more[1], -1)
        return similarity / np.float32(scale**2), index

    return nearest


def _widen(rows: Any, dense: Any, more: Any, none: float) -> Any:
    """Rows as wide as `more`, which takes the place of some of them."""
    wide = np.full((len(rows), more.shape[1]), none, rows.dtype)
    wide[:, : rows.shape[1]] = rows
    wide[dense] = more
    return wide


def _faiss_search(vectors: Vectors, among: Vectors) -> Callable[[Rows, slice, int], Neighbours]:
    import faiss

    faiss.omp_set_num_threads(1)  # the caller has threads of its own
    n, d = among.shape
    kind = faiss.ScalarQuantizer.QT_8bit_direct_signed
    if n <= BRUTE_FORCE_LIMIT:
        index: Any = faiss.IndexScalarQuantizer(d, kind, faiss.METRIC_INNER_PRODUCT)
        settings: Any = faiss.SearchParameters
    else:
        cells = min(MAX_CELLS, n // VECTORS_PER_CELL)
        coarse = faiss.IndexFlatIP(d)
        index = faiss.IndexIVFScalarQuantizer(
            coarse, d, cells, kind, faiss.METRIC_INNER_PRODUCT, False
        )
        _train(index, among, cells)
        settings = partial(faiss.SearchParametersIVF, nprobe=PROBES)  # type: ignore[call-arg]
    for begin in range(0, n, BLOCK):
        index.add(among[begin : begin + BLOCK].astype(np.float32))

    def search(some: Rows, own: slice, k: int) -> Neighbours:
        same = faiss.IDSelectorRange(own.start, own.stop)
        others = settings(sel=faiss.IDSelectorNot(same))
        found: Neighbours = index.search(vectors[some].astype(np.float32), k, params=others)
        return found

    return search


def _train(index: Any, vectors: Vectors, cells: int) -> None:
    """Place the cells; by a sample, drawn in the same way each time."""
    import faiss

    sample = np.linspace(0, len(vectors) - 1, min(len(vectors), TRAINING_PER_CELL * cells)).astype(
        int
    )
    faiss.omp_set_num_threads(os.cpu_count() or 1)
    index.cp.max_points_per_centroid = TRAINING_PER_CELL
    index.train(vectors[sample].astype(np.float32))
    faiss.omp_set_num_threads(1)


def _numpy_search(vectors: Vectors, among: Vectors) -> Callable[[Rows, slice, int], Neighbours]:
    def search(some: Rows, own: slice, k: int) -> Neighbours:
        mine = vectors[some].astype(np.float32)
        best = np.full((len(mine), k), -np.inf, np.float32), np.full((len(mine), k), -1)
        for begin in range(0, len(among), BLOCK):
            similarity = mine @ among[begin : begin + BLOCK].astype(np.float32).T
            similarity[:, max(0, own.start - begin) : max(0, own.stop - begin)] = -np.inf
            best = _merge_top_k(best, similarity, begin)
        return best

    return search


def _merge_top_k(best: Neighbours, similarity: Any, begin: int) -> Neighbours:
    """The k best of those found so far and of a block that starts at `begin`."""
    k = best[0].shape[1]
    rows = np.arange(len(similarity))[:, None]
    near = np.argpartition(similarity, max(0, similarity.shape[1] - k), axis=1)[:, -k:]
    values = np.concatenate([best[0], similarity[rows, near]], axis=1)
    index = np.concatenate([best[1], near + begin], axis=1)
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    return values[rows, order], index[rows, order]
