"""Tests of whether scores depend on other queries, on other items, or on places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from splitaudit.evaluation.cases import (
    ALPHA,
    GALLERY_DEPENDENT,
    ORDER_DEPENDENT,
    TRANSDUCTIVE,
    Case,
    Finding,
)
from splitaudit.evaluation.differences import Mask, signed_difference, systematic_p_value
from splitaudit.evaluation.inputs import Matrix
from splitaudit.evaluation.relevance import Rows

ONE_SIDED = 0.5  # >: mean sign of the gaps between equal items
SINGLE_QUERIES = 4  # queries that are asked one by one


def equivariance(case: Case) -> Iterator[Finding]:
    """Shuffle queries and items alike: the scores must follow them."""
    yield Finding(
        "equivariance",
        ORDER_DEPENDENT,
        "the scores change when queries and items are put into another order",
        case.permutation_p_value,
    )


def twins(case: Case) -> Iterator[Finding]:
    """Put items into the gallery twice: both must score alike."""
    if case.stochastic or case.evaluator.sees_gallery_ids:
        return
    n = len(case.inputs)
    rows = np.arange(n)
    rows[n - n // 2 :] = case.rng.permutation(n // 2)
    found = case.evaluator.scores("twins", case.inputs.with_gallery(rows))
    first, second = found[:, rows[n - n // 2 :]], found[:, n - n // 2 :]
    # A leak sets the twin of an item apart for its own query, and shows elsewhere.
    if _is_one_sided(signed_difference(first, second)):
        yield Finding(
            "twins",
            ORDER_DEPENDENT,
            "of two equal items, the place decides which scores higher",
            systematic_p_value(first, second, case.within),
        )


def _is_one_sided(gap: Matrix) -> bool:
    told = gap[np.isfinite(gap)]
    return bool(told.size and abs(np.sign(told).mean()) > ONE_SIDED)


def substitution(case: Case) -> Iterator[Finding]:
    """Replace half of the queries by copies of the others, whose scores must stay."""
    kept, rows = _copy_half(len(case.inputs), case.rng)

    def part(scores: Matrix) -> Matrix:
        return scores[kept]

    def answer(seed: int) -> Matrix:
        return part(case.evaluator.scores("substitution", case.inputs.with_queries(rows), seed))

    yield Finding(
        "substitution",
        TRANSDUCTIVE,
        "the scores of a query change when other queries are replaced",
        case.placewise_p_value(answer, part),
    )


def single(case: Case) -> Iterator[Finding]:
    """Ask one query alone: it must score as among the others."""
    if case.permutation_p_value < ALPHA:  # alone, it stands at another place
        return
    # Of one call, as noise may be one for all queries of a call.
    rows = case.rng.permutation(len(case.inputs))[: 1 if case.stochastic else SINGLE_QUERIES]
    everything = np.arange(len(case.inputs))
    alone = [case.inputs.take_rows(np.array([row]), everything) for row in rows]

    def answer(seed: int) -> Matrix:
        return np.concatenate([case.evaluator.scores("single", one, seed) for one in alone])

    yield Finding(
        "single",
        TRANSDUCTIVE,
        "a query that is asked alone scores otherwise than among all",
        case.difference_p_value(answer, lambda scores: scores[rows]),
    )


def gallery(case: Case) -> Iterator[Finding]:
    """Replace half of the items by copies of the others, whose scores must stay."""
    kept, rows = _copy_half(len(case.inputs), case.rng)

    def part(scores: Matrix) -> Matrix:
        return scores[:, kept]

    def answer(seed: int) -> Matrix:
        return part(case.evaluator.scores("gallery", case.inputs.with_gallery(rows), seed))

    yield Finding(
        "gallery",
        GALLERY_DEPENDENT,
        "the score of an item changes when other items of the gallery are replaced",
        case.placewise_p_value(answer, part),
    )


def rectangular(case: Case) -> Iterator[Finding]:
    """Leave out a third of the items: the others must score as before."""
    if case.permutation_p_value < ALPHA:
        return
    n = len(case.inputs)
    kept = np.sort(case.rng.permutation(n)[: max(2, n - n // 3)])
    fewer = case.inputs.take_rows(np.arange(n), kept)

    def answer(seed: int) -> Matrix:
        return case.evaluator.scores("rectangular", fewer, seed)

    yield Finding(
        "rectangular",
        GALLERY_DEPENDENT,
        "the score of an item changes when other items leave the gallery",
        case.difference_p_value(answer, lambda scores: scores[:, kept]),
    )


COMPARISON_TESTS = (equivariance, twins, substitution, gallery)
SHAPE_TESTS = (single, rectangular)  # an evaluator may refuse these


def _copy_half(n: int, rng: np.random.Generator) -> tuple[Mask, Rows]:
    """Half of n that stay, and an order in which the others are copies of some of them."""
    order = rng.permutation(n)
    stay, leave = order[: n - n // 2], order[n - n // 2 :]
    kept, rows = np.zeros(n, bool), np.arange(n)
    kept[stay] = True
    rows[leave] = rng.choice(stay[: max(1, len(stay) // 2)], len(leave))
    return kept, rows
