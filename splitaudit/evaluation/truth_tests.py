"""Tests of whether the truth enters the scores. Each changes what must not matter, and compares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from splitaudit.evaluation.cases import LEAK, ORDER_DEPENDENT, Case, Finding
from splitaudit.evaluation.differences import (
    Mask,
    Rounding,
    exceeds_rounding,
    hypergeometric_p_value,
    signed_difference,
)
from splitaudit.evaluation.inputs import Matrix, is_floating, random_like
from splitaudit.evaluation.relevance import Rows

HALVES = 46  # random halves: that any of a thousand moves most with its partner is chance in 1e-8
QUIET = 4  # of them, in which each partner is replaced twice
RANDOM_DRAWS = 4  # random embeddings that are drawn
REPAIRED, REPAIRED_NOISY = 6, 16  # random pairings that are compared, two and two


def pairing(case: Case) -> Iterator[Finding]:
    """Put items into other places: what a pair scores must not depend on whether it shares one."""

    def put_back(order: Rows, seed: int) -> Matrix:
        back = np.empty_like(case.scores)
        given = case.inputs.take_rows(np.arange(len(order)), order)
        back[:, order] = case.evaluator.scores("pairing", given, seed)
        return back

    orders = _random_pairings(case)
    found = np.stack([put_back(order, seed) for seed, order in enumerate(orders)])
    p = min(_pairing_p_values(case, found, orders))
    if not case.stochastic:
        p = min(p, _truth_p_value(case, found[0]))
    yield Finding(
        "pairing",
        LEAK,
        "a query and an item score otherwise where they stand at the same place, as a pair",
        p,
    )


def _random_pairings(case: Case) -> list[Rows]:
    """Random pairings, of each query with the item at so many places."""
    number = REPAIRED_NOISY if case.stochastic else REPAIRED
    return [case.rng.permutation(len(case.inputs)) for _ in range(number)]


def _pairing_p_values(case: Case, found: Matrix, orders: list[Rows]) -> tuple[float, float]:
    """Chance that so many of what moves from a pairing to the next are pairs; that they gain so."""
    one, other = found[::2], found[1::2]
    changed = exceeds_rounding(one, other, case.within)
    gap = np.where(changed, signed_difference(one, other), 0.0)
    gained = _savage_p_value(case, _pair_gains(gap, orders))
    if case.stochastic:  # all moves
        return 1.0, gained
    places = np.stack([order[:, None] == np.arange(len(order)) for order in orders])
    return hypergeometric_p_value(changed, places[::2] | places[1::2]), gained


def _pair_gains(gap: Matrix, orders: list[Rows]) -> Iterator[Matrix]:
    """What pairs gained beside what others did, the pairs along the diagonal."""
    for more, one, other in zip(gap, orders[::2], orders[1::2], strict=True):
        yield more[:, one]
        yield -more[:, other]


def _truth_p_value(case: Case, apart: Matrix) -> float:
    """Chance that so many of what moves are true pairs, which stand no longer at one place.

    True pairs have high scores, and what is done to high scores alone may hang on the order. Where
    some of them move though pairs stay together, nothing is said.
    """
    true = np.eye(len(apart), dtype=bool)
    if (case.permutation_changes & true).any():
        return 1.0
    return hypergeometric_p_value(exceeds_rounding(case.scores, apart, case.within), true)


def coupling(case: Case) -> Iterator[Finding]:
    """Exchange half of the queries, then of the items: what moves with its own partner is a leak.

    Queries and items are paired anew first, at random, so that nothing has a reason to move with
    what stands at its place but that the evaluator pairs them. What is exchanged changes places
    among itself, so that the set of it is as it was.
    """
    pairs = case.inputs.with_gallery(_derangement(len(case.inputs), case.rng))
    base = case.evaluator.scores("coupling", pairs)

    def of_items(rows: Rows) -> Matrix:
        return case.evaluator.scores("coupling", pairs.with_queries(rows))

    def of_queries(rows: Rows) -> Matrix:
        return case.evaluator.scores("coupling", pairs.with_gallery(rows)).T

    yield _coupling_finding(("items", "queries", "query"), *_exchange_trials(case, base, of_items))
    yield _coupling_finding(
        ("queries", "items", "item"), *_exchange_trials(case, base.T, of_queries)
    )


def _exchange_trials(
    case: Case, base: Matrix, asked: Callable[[Rows], Matrix]
) -> tuple[Mask, Matrix]:
    """Which partners were replaced in each trial, and how far each column moved in the others."""
    halves = _random_halves(len(base), case.rng)
    far = np.zeros(halves.shape)
    for trial, half in enumerate(halves):
        found = asked(_permute_half(half, case.rng))
        far[trial] = _column_movement(found[~half], base[~half], case.within)
        if trial + 1 == QUIET and not far.any():
            break
    return halves, far


def _coupling_finding(words: tuple[str, str, str], halves: Mask, far: Matrix) -> Finding:
    moving, others, partner = words
    least = np.where(halves, far, np.inf).min(axis=0)
    follow = least > np.where(halves, 0.0, far).max(axis=0)
    by_luck = float(_chance_per_column(halves).sum()) if follow.any() else 1.0
    share = follow.mean() if follow.any() else 1.0
    return Finding(
        "coupling",
        LEAK,
        f"the scores of {share:.0%} of the {moving}, with all {others}, change when the {partner} "
        "that is their own is replaced, and not when others are: the truth enters the scores",
        min(by_luck, _partner_t_test(halves, far)),
    )


def _chance_per_column(halves: Mask) -> Any:
    """Chance of each column that it moves most in just the trials that replace its partner."""
    from scipy.special import comb

    pairs = QUIET // 2  # a half and what it leaves: one of both replaces it
    return 1 / (2.0**pairs * comb(HALVES - QUIET, halves.sum(axis=0) - pairs))


def labels(case: Case) -> Iterator[Finding]:
    """Give the items the ids of others: scores must not depend on which query has whose id."""
    if not case.evaluator.named & {"query_ids", "gallery_ids", "relevance"}:
        return

    def renamed(order: Rows, seed: int) -> Matrix:
        names = np.empty_like(case.inputs.gallery_ids)
        names[order] = case.inputs.gallery_ids
        return case.evaluator.scores("labels", replace(case.inputs, gallery_ids=names), seed)

    orders = _random_pairings(case)
    found = np.stack([renamed(order, seed) for seed, order in enumerate(orders)])
    together, gained = _pairing_p_values(case, found, orders)
    p = min(together, _change_p_value(case, renamed, orders[0]))
    if not case.evaluator.sees_gallery_ids:  # else true items gain, wherever their ids stand
        p = min(p, gained)
    yield Finding(
        "labels", LEAK, "the scores change when it is said otherwise which item is right", p
    )


def _change_p_value(case: Case, renamed: Callable[[Rows, int], Matrix], order: Rows) -> float:
    """Chance that scores change so, and are not those of items looked up by their new ids."""

    def answer(seed: int) -> Matrix:
        return renamed(order, seed)

    looked_up = np.argsort(order)
    return max(
        case.difference_p_value(answer, part)
        for part in (np.asarray, lambda held: held[:, looked_up])
    )


def chance(case: Case) -> Iterator[Finding]:
    """Draw embeddings at random: the truth must rank by chance."""
    sides = case.inputs.queries, case.inputs.gallery
    if not all(map(is_floating, sides)):
        return
    found = []
    for draw in range(RANDOM_DRAWS):
        queries, gallery = (random_like(side, case.rng) for side in sides)
        drawn = replace(case.inputs, queries=queries, gallery=gallery)
        found.append(case.evaluator.scores("chance", drawn, seed=draw))
    yield Finding(
        "chance",
        LEAK,
        "with random embeddings, the truth ranks better than chance allows",
        _savage_p_value(case, found),
    )


def equals(case: Case) -> Iterator[Finding]:
    """Offer one item in all places: however little sets the right one apart, it shows."""
    if case.evaluator.sees_gallery_ids:
        return
    n = len(case.inputs)
    same = case.inputs.with_gallery(np.full(n, case.rng.integers(n)))
    first, large = _top_rank_test(case.evaluator.scores("equals", same), case.within)
    # What is added to pairs is found by `pairing` where it is more than rounding; else, the order
    # decides among equal items.
    verdict = ORDER_DEPENDENT if large and not case.stochastic else LEAK
    yield Finding("equals", verdict, "among equal items, the right one scores higher", first)


def _top_rank_test(scores: Matrix, within: Rounding) -> tuple[float, bool]:
    """Chance that the right item alone is first so often; whether it is by more than rounding.

    Products of matrices are rounded otherwise at the end of rows and columns, but to the same for
    several items, so that none of them is first alone.
    """
    from scipy.stats import binom

    n = len(scores)
    others = np.where(np.eye(n, dtype=bool), -np.inf, scores).max(axis=1)
    own = np.diagonal(scores)
    ahead = own > others
    large = exceeds_rounding(own, others, within)[ahead].mean() > 0.5 if ahead.any() else False
    return float(binom.sf(ahead.sum() - 1, n, 1 / n)), bool(large)


TRUTH_TESTS = (pairing, coupling, labels, chance, equals)


def _derangement(n: int, rng: np.random.Generator) -> Rows:
    """An order in which nothing stands where it stood."""
    order = rng.permutation(n)
    moved_on = np.empty(n, np.int64)
    moved_on[order] = np.roll(order, 1)
    return moved_on


def _random_halves(n: int, rng: np.random.Generator) -> Mask:
    """Random halves of n, shape (`HALVES`, n); the first `QUIET` are two, and what they leave."""
    halves = np.zeros((HALVES, n), bool)
    for half in halves:
        half[rng.permutation(n)[: n // 2]] = True
    halves[1:QUIET:2] = ~halves[0:QUIET:2]
    return halves


def _permute_half(half: Mask, rng: np.random.Generator) -> Rows:
    """An order in which that half has changed places."""
    rows, chosen = np.arange(len(half)), np.flatnonzero(half)
    rows[chosen] = chosen[_derangement(len(chosen), rng)]
    return rows


def _column_movement(found: Matrix, base: Matrix, within: Rounding) -> Any:
    """How far each column has moved, 0 where it has not."""
    far = np.abs(signed_difference(found, base))
    far[~np.isfinite(far)] = 1.0  # to or from NaN or infinity
    return np.where(exceeds_rounding(found, base, within), far, 0.0).mean(axis=0)


def _partner_t_test(halves: Mask, far: Matrix) -> float:
    """Chance that columns move so much more where their own partner is replaced (t-test)."""
    from scipy.stats import ttest_1samp

    more = [row[half].mean() - row[~half].mean() for half, row in zip(halves, far, strict=True)]
    if not np.ptp(more):
        return 1.0
    return float(ttest_1samp(more, 0.0, alternative="greater").pvalue)


def _savage_p_value(case: Case, found: Iterable[Matrix]) -> float:
    """Chance that scores along the diagonals rank so high in their rows, if pairs are random.

    Savage's scores of the ranks, -log(1 - u), are large for the first few only, so that few pairs
    among many show. Of random pairs each is at most exponential, so that Chernoff bounds their
    mean. Where an evaluator adds something to each place, the places are independent, not the
    matrices.
    """
    u = np.stack([_diagonal_ranks(scores) for scores in found])
    mean = -np.log1p(-u).mean()
    independent = u.size if case.is_equivariant else u.shape[1]
    return float(np.exp(-independent * (mean - 1 - np.log(mean)))) if mean > 1 else 1.0


def _diagonal_ranks(scores: Matrix) -> Any:
    """Where scores along the diagonal stand in their rows, from 0 to 1; ties in the middle."""
    held = np.where(np.isnan(scores), -np.inf, scores)
    own = np.diagonal(held)[:, None]
    return ((held < own).sum(axis=1) + (held == own).sum(axis=1) / 2) / len(held)
