"""What a matrix of scores shows by itself of how it was made.

A matrix cannot prove that its evaluator is clean. Nor can it always show that one leaks: where
items are pooled by their own captions, the scores are those of two honest towers whose items happen
to be pooled so. Only an evaluator that can be called can be asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.evaluation.relevance import Relevance, Rows

Matrix = npt.NDArray[np.float64]

SUSPICIOUS = "suspicious"
NO_EVIDENCE = "no_evidence"

ALPHA = 1e-7  # <: of each test
MAX_PAIRS = 450  # <= queries and items that are looked at
MIN_PAIRS = 24  # >=
# >= share of the variance that the other scores explain: the model is one of two towers
MIN_EXPLAINED = 0.999
RANKS = 3  # the fit is tried with so many numbers of dimensions
ROUNDING = 1e-4  # > of the spread of all scores
CONSTANT_SPREAD = 1e-5  # < of the spread of all scores: constant
MAX_REACHED = 0.01  # < share of the other scores that equal those of the true pairs
DIVISION_ROUNDING = 4 * 2.0**-23  # <= of the highest scores, which a division makes one


@dataclass(frozen=True)
class Sign:
    """Something in a matrix that an honest evaluator would not leave.

    Parameters
    ----------
    name
        Of the sign.
    sentence
        In plain words.
    p
        How likely it is by chance, at most.
    """

    name: str
    sentence: str
    p: float


def signs(scores: Any, right: Relevance) -> list[Sign]:
    """Return what is suspicious.

    Parameters
    ----------
    scores
        Shape (queries, gallery), an array or a memory map; of a large one, a part is looked at.
    right
        What is right for each query.
    """
    query, item = _unique_pairs(right)
    if len(query) < MIN_PAIRS:
        return []
    part = np.asarray(scores[np.sort(query)][:, item[np.argsort(query)]], np.float64)
    told = np.isfinite(part)
    most = (told.mean(axis=0) > 0.5) & (told.mean(axis=1) > 0.5)
    part = part[np.ix_(most, most)]
    # An honest evaluator may leave out what scores low, so what is left out tells nothing.
    if len(part) < MIN_PAIRS or not np.isfinite(part).all() or np.ptp(part) == 0:
        return []
    return [*_constant_truth(part), *_normalised(part), *_unexplained(part)]


def _unique_pairs(right: Relevance) -> tuple[Rows, Rows]:
    """Queries and items, each once, that are right for each other; of many, some."""
    turned = right.turned()
    item, first = np.unique(turned.query, return_index=True)
    query = turned.item[first]
    query, at = np.unique(query, return_index=True)
    kept = np.sort(np.random.default_rng(0).permutation(len(query))[:MAX_PAIRS])
    return query[kept], item[at][kept]


def _constant_truth(scores: Matrix) -> Iterator[Sign]:
    true = np.eye(len(scores), dtype=bool)
    own, others = scores[true], scores[~true]
    near = CONSTANT_SPREAD * others.std()
    reached = (np.abs(others - own[0]) <= near).mean()  # by many where scores are cut off
    if np.ptp(own) <= near and reached < MAX_REACHED:
        yield Sign("constant", "all true pairs have one and the same score, the others do not", 0.0)


def _normalised(scores: Matrix) -> Iterator[Sign]:
    """Columns that all have one sum or maximum: only who knows all queries can make them so."""
    sums, highest = scores.sum(axis=0), scores.max(axis=0)
    # A score that cannot be exceeded is reached as it comes; that of a normalised item just once.
    once = (scores == highest).sum() == len(scores)
    same_sum = np.ptp(sums) < CONSTANT_SPREAD * np.abs(scores).sum(axis=0).mean()
    same_highest = np.ptp(highest) <= DIVISION_ROUNDING * np.abs(highest).max() and once
    for name, same in (("sum", same_sum), ("highest score", same_highest)):
        if same:
            sentence = (
                f"each item's scores have the same {name} over all queries: these are normalised"
            )
            yield Sign("normalised", f"{sentence} over the queries of the test", 0.0)
            return


def _unexplained(scores: Matrix) -> Iterator[Sign]:
    """Scores of two towers have few dimensions: the true ones follow from the others."""
    from scipy.stats import ttest_ind

    gaps, explained = _residuals(scores)
    own = np.eye(gaps.shape[1], dtype=bool)[None].repeat(len(gaps), axis=0)
    true, others = gaps[own], np.abs(gaps[~own])
    more = float(true.mean())
    # Of scores that were raised to a power the largest are predicted worst, and the true ones are
    # the largest: what was added to true pairs is about the same for all, and more than any error.
    added = abs(more) > max(ROUNDING * scores.std(), true.std(), np.quantile(others, 0.999))
    if explained < MIN_EXPLAINED or not added:
        return
    p = float(ttest_ind(true, gaps[~own], equal_var=False).pvalue)
    if p < ALPHA:
        yield Sign(
            "unexplained",
            f"true pairs score {more:+.3g} beside what all other scores say of them, which explain "
            f"{explained:.1%} of the rest",
            p,
        )


def _residuals(scores: Matrix) -> tuple[Matrix, float]:
    """Scores less what is predicted from blocks without any true pair; the share explained."""
    n = len(scores) // 3
    parts = np.random.default_rng(0).permutation(3 * n).reshape(3, n)
    best: tuple[Matrix, float] = np.zeros((1, n, n)), -1.0
    values = np.linalg.svd(scores[np.ix_(parts[1], parts[2])], compute_uv=False)
    for rank in _candidate_ranks(values):
        turned = [np.roll(parts, turn, axis=0) for turn in range(3)]
        gaps = np.stack([_residual(scores, one[0], one[1], one[2], rank) for one in turned])
        others = gaps[:, ~np.eye(n, dtype=bool)]
        explained = 1 - others.var() / scores.var()
        if explained > best[1]:
            best = gaps, float(explained)
    return best


def _candidate_ranks(values: Any) -> list[int]:
    """Where singular values fall most."""
    if not values[0]:
        return []
    steps = values[:-1] / np.maximum(values[1:], 1e-12 * values[0])
    drops = np.argsort(-steps)[:RANKS] + 1
    return sorted({int(drop) for drop in drops if drop < 0.8 * len(values)})


def _residual(scores: Matrix, ours: Rows, rows: Rows, columns: Rows, rank: int) -> Matrix:
    left, values, right = np.linalg.svd(scores[np.ix_(rows, columns)], full_matrices=False)
    inverse = (right[:rank].T / values[:rank]) @ left[:, :rank].T
    predicted = scores[np.ix_(ours, columns)] @ inverse @ scores[np.ix_(rows, ours)]
    gap: Matrix = scores[np.ix_(ours, ours)] - predicted
    return gap
