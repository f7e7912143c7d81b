"""At which place the right items of each query stand, ties and faults included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.errors import ScoresError
from splitaudit.evaluation.relevance import Relevance, Rows, parse_relevance

Floats = npt.NDArray[np.float64]
Block = npt.NDArray[Any]
Blocks = Callable[[int, int], Any]

READ, BLOCK = 1 << 26, 1 << 20  # bytes asked for, and looked at together: they stay in the cache
# <= right items of a query that are compared one by one; of more, the row is sorted
MAX_COMPARED = 8
TIES = ("expected", "optimistic", "pessimistic")


@dataclass(frozen=True)
class Ranks:
    """Where each right item stands among the scores of its query.

    A score that is no finite number never helps: of a right item it stands behind all others, of a
    wrong one before all.

    Parameters
    ----------
    relevance
        The pairs; everything below is in their order, shape (pairs,).
    better
        Items with a higher score, right ones included.
    tied
        Items with the same score, itself included.
    tied_right
        The right ones among those, itself included.
    not_finite
        Scores that are NaN or infinite, of the whole matrix.
    not_finite_right
        Those of right items.
    """

    relevance: Relevance
    better: Rows
    tied: Rows
    tied_right: Rows
    not_finite: int
    not_finite_right: int


def relevant_ranks(scores: Any, relevance: Any) -> Ranks:
    """Return where the right items stand.

    Parameters
    ----------
    scores
        Shape (queries, gallery), higher is better: an array, a memory map, or a function of a first
        and a last row (excluded) that returns those rows.
    relevance
        See `splitaudit.evaluation.relevance.parse_relevance`.

    Raises
    ------
    ScoresError
        Where shapes do not fit, or there is nothing to rank.
    """
    read, shape = _score_reader(scores, relevance)
    right = parse_relevance(relevance, shape[1])
    if right.queries != shape[0]:
        hint = "; is it transposed?" if right.queries == shape[1] else ""
        raise ScoresError(f"scores: {shape[0]:,} rows for {right.queries:,} queries{hint}")
    if not len(right.query):
        raise ScoresError("relevance: no query has a right item")
    bounds = np.searchsorted(right.query, np.arange(right.queries + 1))
    placed = [_rank_block(block, right, bounds, at) for at, block in _blocks(read, shape)]
    better, tied, own, not_finite = zip(*placed, strict=True)
    held = np.concatenate(own)
    return Ranks(
        right,
        np.concatenate(better),
        np.concatenate(tied),
        _count_tied_right(right, held),
        sum(not_finite),
        int(np.isneginf(held).sum()),
    )


def _score_reader(scores: Any, relevance: Any) -> tuple[Blocks, tuple[int, int]]:
    if callable(scores):
        first = np.asarray(scores(0, 1))
        queries = relevance.shape[0] if hasattr(relevance, "shape") else len(relevance)
        return scores, (int(queries), _check_matrix(first).shape[1])
    matrix = _check_matrix(scores if isinstance(scores, np.ndarray) else np.asarray(scores))
    return (lambda begin, end: matrix[begin:end]), (len(matrix), matrix.shape[1])


def _check_matrix(scores: Block) -> Block:
    if scores.ndim != 2 or scores.dtype.kind not in "fiub":
        what = f"{scores.ndim} dimensions of {scores.dtype}"
        raise ScoresError(f"scores: {what}; expected a matrix of real numbers, a row a query")
    if not scores.size:
        raise ScoresError(f"scores: a matrix of shape {scores.shape} has nothing to rank")
    return scores


def _blocks(read: Blocks, shape: tuple[int, int]) -> Iterator[tuple[int, Block]]:
    asked, rows = (max(1, size // (8 * shape[1])) for size in (READ, BLOCK))
    for begin in range(0, shape[0], asked):
        end = min(begin + asked, shape[0])
        part = _check_matrix(np.asarray(read(begin, end)))
        if part.shape != (end - begin, shape[1]):
            raise ScoresError(
                f"scores: rows {begin} to {end} have shape {part.shape}, expected "
                f"{(end - begin, shape[1])}"
            )
        yield from ((begin + at, part[at : at + rows]) for at in range(0, len(part), rows))


def _rank_block(
    block: Block, right: Relevance, bounds: Rows, at: int
) -> tuple[Rows, Rows, Block, int]:
    """Better, tied, own score of the right items of some queries; the scores not finite."""
    pairs = slice(bounds[at], bounds[at + len(block)])
    row, item = right.query[pairs] - at, right.item[pairs]
    block, not_finite = _replace_nonfinite(block, row, item)
    many = np.diff(bounds[at : at + len(block) + 1])
    count = _count_by_comparison if many.max(initial=0) <= MAX_COMPARED else _count_by_sorting
    return *count(block, row, item), block[row, item], not_finite


def _replace_nonfinite(block: Block, row: Rows, item: Rows) -> tuple[Block, int]:
    if block.dtype.kind != "f":
        return block, 0
    finite = np.isfinite(block)
    if finite.all():
        return block, 0
    own = np.where(finite[row, item], block[row, item], -np.inf)
    block = np.where(finite, block, block.dtype.type(np.inf))
    block[row, item] = own
    return block, int(finite.size - finite.sum())


def _count_by_comparison(block: Block, row: Rows, item: Rows) -> tuple[Rows, Rows]:
    """Compare every score of a row with the first right one, then with the second, and so on."""
    better, tied = np.zeros((2, len(row)), np.int64)
    nth = np.arange(len(row)) - np.searchsorted(row, row)
    for n in range(int(nth.max(initial=-1)) + 1):
        here = np.flatnonzero(nth == n)
        others = block if len(here) == len(block) else block[row[here]]
        own = block[row[here], item[here], None]
        better[here] = np.count_nonzero(others > own, axis=1)
        tied[here] = np.count_nonzero(others == own, axis=1)
    return better, tied


def _count_by_sorting(block: Block, row: Rows, item: Rows) -> tuple[Rows, Rows]:
    ordered, bounds = np.sort(block, axis=1), np.searchsorted(row, np.arange(len(block) + 1))
    better, tied = np.zeros((2, len(row)), np.int64)
    for n, (begin, end) in enumerate(pairwise(bounds)):
        own = block[n, item[begin:end]]
        below = np.searchsorted(ordered[n], own)
        not_above = np.searchsorted(ordered[n], own, "right")
        better[begin:end], tied[begin:end] = block.shape[1] - not_above, not_above - below
    return better, tied


def _count_tied_right(right: Relevance, own: Block) -> Rows:
    """How many right items of a query have the score of each."""
    order = np.lexsort([own, right.query])
    new = np.append(True, np.diff(right.query[order]) != 0)
    new[1:] |= own[order][1:] != own[order][:-1]
    group = np.cumsum(new) - 1
    counts = np.empty(len(order), np.int64)
    counts[order] = np.bincount(group)[group]
    return counts
