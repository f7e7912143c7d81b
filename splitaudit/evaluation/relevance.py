"""Which items of a gallery are right for each query, in one form for every way of saying it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.errors import ScoresError

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Relevance:
    """Pairs of a query and an item that is right for it, sorted, each once.

    Parameters
    ----------
    query, item
        int64, shape (pairs,).
    queries, gallery
        How many there are.
    """

    query: Rows
    item: Rows
    queries: int
    gallery: int

    @property
    def counts(self) -> Rows:
        """Right items of each query, shape (queries,)."""
        return np.bincount(self.query, minlength=self.queries)

    def turned(self) -> Relevance:
        """Return the same pairs asked from the gallery: which queries are right for each item."""
        order = np.lexsort([self.query, self.item])
        return Relevance(self.item[order], self.query[order], self.gallery, self.queries)

    def chosen(self, queries: npt.NDArray[np.bool_]) -> Relevance:
        """Return the pairs of some queries; `queries` says which, shape (queries,)."""
        kept, at = queries[self.query], np.cumsum(queries) - 1
        return Relevance(at[self.query[kept]], self.item[kept], int(queries.sum()), self.gallery)


def parse_relevance(relevance: Any, gallery: int) -> Relevance:
    """Return which items are right for each query.

    Parameters
    ----------
    relevance
        An index a query, indices a query (of any number each), or a matrix, boolean or sparse,
        shape (queries, gallery).
    gallery
        Number of items.

    Raises
    ------
    ScoresError
        Where it is none of these, or names an item that the gallery does not have.
    """
    if isinstance(relevance, Relevance):
        return relevance
    if hasattr(relevance, "tocoo"):
        return _from_sparse(relevance.tocoo(), relevance.shape, gallery)
    if isinstance(relevance, np.ndarray) and relevance.dtype == bool and relevance.ndim == 2:
        query, item = relevance.nonzero()
        return sort_pairs(query, item, len(relevance), _check_width(relevance.shape[1], gallery))
    if isinstance(relevance, np.ndarray) and _is_graded(relevance, gallery):
        raise ScoresError(
            "relevance: numbers of which a query has some twice, one for each item: these look "
            "like grades; say which items are right, such as by relevance > 0"
        )
    return _from_indices(relevance, gallery)


def _is_graded(relevance: npt.NDArray[Any], gallery: int) -> bool:
    """Whether these can be no indices: as many as there are items, and one of them twice."""
    if relevance.ndim != 2 or relevance.shape[1] != gallery or relevance.dtype.kind not in "iuf":
        return False
    ordered = np.sort(relevance, axis=1)
    return bool((ordered[:, 1:] == ordered[:, :-1]).any())


def diagonal(queries: int, gallery: int, said: str = "relevance") -> Relevance:
    """Return that the item at the place of each query is right; `said` is how to say otherwise.

    Raises
    ------
    ScoresError
        Where there are not as many items as queries.
    """
    if queries != gallery:
        raise ScoresError(
            f"{queries:,} queries and {gallery:,} items: say by {said} which belong together"
        )
    return parse_relevance(np.arange(queries), gallery)


def _from_sparse(pairs: Any, shape: Any, gallery: int) -> Relevance:
    there = pairs.data > 0  # grades of 0 and below are of what is wrong
    return sort_pairs(pairs.row[there], pairs.col[there], shape[0], _check_width(shape[1], gallery))


def _check_width(width: int, gallery: int) -> int:
    if width != gallery:
        raise ScoresError(f"relevance: {width:,} columns for a gallery of {gallery:,} items")
    return gallery


def _from_indices(relevance: Any, gallery: int) -> Relevance:
    rows: list[npt.NDArray[Any]] = [np.atleast_1d(np.asarray(row)) for row in _as_list(relevance)]
    for number, row in enumerate(rows):
        if row.ndim != 1 or (row.size and row.dtype.kind not in "iu"):
            raise ScoresError(f"relevance: query {number} has {row.tolist()!r}: expected indices")
    item = np.concatenate([np.zeros(0, np.int64), *rows]).astype(np.int64)
    query = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    outside = np.flatnonzero((item < 0) | (item >= gallery))
    if len(outside):
        first = outside[0]
        raise ScoresError(
            f"relevance: query {query[first]} names item {item[first]}, the gallery has "
            f"{gallery:,} items"
        )
    return sort_pairs(query, item, len(rows), gallery)


def _as_list(relevance: Any) -> Sequence[Any]:
    try:
        return list(relevance)
    except TypeError:
        problem = f"relevance: {relevance!r}: expected an index, or indices, a query"
        raise ScoresError(problem) from None


def sort_pairs(query: Any, item: Any, queries: int, gallery: int) -> Relevance:
    """Return pairs of places, shape (pairs,) each, in the form for all: sorted, each once."""
    pairs = np.unique(query.astype(np.int64) * max(gallery, 1) + item)
    return Relevance(pairs // max(gallery, 1), pairs % max(gallery, 1), queries, gallery)
