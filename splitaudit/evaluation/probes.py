"""Tests of an evaluator of scores. Each changes what it must not look at, and compares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.evaluation.inputs import Evaluator, Inputs, Matrix
from splitaudit.evaluation.moved import Mask, Rounding, by_chance, moved, rounding, systematic
from splitaudit.evaluation.relevance import Rows

LEAK = "leak"
TRANSDUCTIVE = "transductive"
GALLERY_DEPENDENT = "gallery_dependent"
ORDER_DEPENDENT = "order_dependent"
CLEAN = "clean"

# Of one audit; each of the eleven tests that can accuse may err in its share of it.
FAMILY_WISE = 1e-6
ALPHA = FAMILY_WISE / 11
HALVES = 32  # random halves of the queries: a column moves with its own by chance in 2**-32
ONE_SIDED = 0.5  # >: mean sign of the gaps between equal items
CHANCES = 4  # random embeddings that are drawn


@dataclass(frozen=True)
class Finding:
    """What a test says of an evaluator; it is shown where p < `ALPHA`.

    Parameters
    ----------
    test
        Its name.
    verdict
        What follows from it.
    sentence
        In plain words.
    p
        How likely an evaluator without that fault shows it, at most.
    """

    test: str
    verdict: str
    sentence: str
    p: float


@dataclass(frozen=True)
class Case:
    """An evaluator and what it is tested with.

    Parameters
    ----------
    evaluator, inputs
        The pairs are those of the user.
    scores
        Of the inputs, shape (n, n).
    again
        The same, drawn anew where the evaluator is stochastic.
    rng
        Of the tests.
    """

    evaluator: Evaluator
    inputs: Inputs
    scores: Matrix
    again: Matrix
    rng: np.random.Generator

    @cached_property
    def within(self) -> Rounding:
        """What is rounding in its scores."""
        return rounding(self.scores)

    @cached_property
    def stochastic(self) -> bool:
        """Whether the evaluator returns other scores for the same inputs."""
        return bool(moved(self.scores, self.again, self.within).any())

    @cached_property
    def drifts(self) -> bool:
        """Whether it does so with the same seed, too."""
        if not self.stochastic:
            return False
        same = self.evaluator.scores("repeat", self.inputs)
        return bool(moved(self.scores, same, self.within).any())

    def differ(self, one: Matrix, other: Matrix) -> float:
        """Chance that matrices that should be equal differ so; 1 where they agree."""
        return systematic(one, other, self.within, self._noise(self.stochastic))

    def differ_in_place(self, one: Matrix, other: Matrix) -> float:
        """As `differ`, of scores at the places where they were: one seed gives one noise there."""
        return systematic(one, other, self.within, self._noise(self.drifts))

    def _noise(self, noisy: bool) -> tuple[Matrix, Matrix] | None:
        return (self.scores, self.again) if noisy else None


def equivariance(case: Case) -> Iterator[Finding]:
    """Shuffle queries and items alike: the scores must follow them."""
    order = case.rng.permutation(len(case.inputs))
    shuffled = case.inputs.ordered(order, order)
    found = case.evaluator.scores("equivariance", shuffled)
    p = case.differ(found, case.scores[np.ix_(order, order)])
    yield Finding(
        "equivariance",
        ORDER_DEPENDENT,
        "the scores change when queries and items are put into another order",
        p,
    )


def twins(case: Case) -> Iterator[Finding]:
    """Put items into the gallery twice: both must score alike."""
    n = len(case.inputs)
    rows = np.arange(n)
    rows[n - n // 2 :] = case.rng.permutation(n // 2)
    found = case.evaluator.scores("twins", case.inputs.offered(rows))
    first, second = found[:, rows[n - n // 2 :]], found[:, n - n // 2 :]
    p = case.differ(first, second)
    # A leak sets the twin of an item apart for its own query, and shows elsewhere.
    if _by_position(first - second):
        yield Finding(
            "twins", ORDER_DEPENDENT, "of two equal items, the place decides which scores higher", p
        )


def _by_position(gap: Matrix) -> bool:
    return bool(abs(np.sign(gap).mean()) > ONE_SIDED)


def pairing(case: Case) -> Iterator[Finding]:
    """Give each query another item in its place: what a pair scores must not depend on places."""
    n = len(case.inputs)
    order = _derangement(n, case.rng)
    found = case.evaluator.scores("pairing", case.inputs.offered(order))
    back, own = np.empty_like(found), np.zeros((n, n), bool)
    back[:, order] = found
    own[np.arange(n), np.arange(n)] = own[np.arange(n), order] = True
    if case.stochastic:
        p = _own_stand_out(case.scores - back, own)
    else:
        p = by_chance(moved(case.scores, back, case.within), own)
    yield Finding(
        "pairing",
        LEAK,
        "a query and an item score otherwise where they stand at the same place, as a pair",
        p,
    )


def coupling(case: Case) -> Iterator[Finding]:
    """Exchange half of the queries: a column that moves with its own query has the truth in it.

    Queries and items are paired anew first, at random, so that no column has a reason to move with
    what stands at its place but that the evaluator pairs them; and the queries are exchanged among
    themselves, so that the set of them is as it was.
    """
    n = len(case.inputs)
    pairs = case.inputs.offered(_derangement(n, case.rng))
    base = case.evaluator.scores("coupling", pairs)
    columns, halves = np.empty((HALVES, n)), np.empty((HALVES, n), bool)
    for trial in range(HALVES):
        halves[trial], rows = _exchanged(n, case.rng)
        found = case.evaluator.scores("coupling", pairs.asked(rows))
        kept = ~halves[trial]
        columns[trial] = _movement(found[kept], base[kept], case.within)
    p = min(_moves_with(columns > 0, halves), _moves_more(columns, halves))
    share = _coupled(columns, halves)
    yield Finding(
        "coupling",
        LEAK,
        f"the scores of {share:.0%} of the items, with all queries, change when the query that "
        "is their own is replaced, and not when others are: the truth enters the scores",
        p,
    )


def substitution(case: Case) -> Iterator[Finding]:
    """Replace half of the queries by copies of the others, whose scores must stay."""
    n = len(case.inputs)
    kept, rows = _copied(n, case.rng)
    found = case.evaluator.scores("substitution", case.inputs.asked(rows))
    p = case.differ_in_place(found[kept], case.scores[kept])
    yield Finding(
        "substitution",
        TRANSDUCTIVE,
        "the scores of a query change when other queries are replaced",
        p,
    )


def single(case: Case) -> Iterator[Finding]:
    """Ask one query alone: it must score as among the others."""
    found, rows = [], case.rng.permutation(len(case.inputs))[:4]
    everything = np.arange(len(case.inputs))
    for row in rows:
        alone = case.inputs.ordered(np.array([row]), everything)
        found.append(case.evaluator.scores("single", alone)[0])
    p = case.differ(np.stack(found), case.scores[rows])
    yield Finding(
        "single", TRANSDUCTIVE, "a query that is asked alone scores otherwise than among all", p
    )


def gallery(case: Case) -> Iterator[Finding]:
    """Replace half of the items by copies of the others, whose scores must stay."""
    kept, rows = _copied(len(case.inputs), case.rng)
    found = case.evaluator.scores("gallery", case.inputs.offered(rows))
    p = case.differ_in_place(found[:, kept], case.scores[:, kept])
    yield Finding(
        "gallery",
        GALLERY_DEPENDENT,
        "the score of an item changes when other items of the gallery are replaced",
        p,
    )


def rectangular(case: Case) -> Iterator[Finding]:
    """Leave out a third of the items: the others must score as before."""
    n = len(case.inputs)
    kept = np.sort(case.rng.permutation(n)[: max(2, n - n // 3)])
    part = case.inputs.ordered(np.arange(n), kept)
    p = case.differ(case.evaluator.scores("rectangular", part), case.scores[:, kept])
    yield Finding(
        "rectangular",
        GALLERY_DEPENDENT,
        "the score of an item changes when other items leave the gallery",
        p,
    )


def chance(case: Case) -> Iterator[Finding]:
    """Draw embeddings at random: the truth must rank by chance."""
    if not all(drawable(side) for side in (case.inputs.queries, case.inputs.gallery)):
        return
    drawn = [
        replace(
            case.inputs,
            queries=like(case.inputs.queries, case.rng),
            gallery=like(case.inputs.gallery, case.rng),
        )
        for _ in range(CHANCES)
    ]
    p = _stands_out(case, "chance", drawn)
    yield Finding(
        "chance", LEAK, "with random embeddings, the truth ranks better than chance allows", p
    )


def equals(case: Case) -> Iterator[Finding]:
    """Offer one item in all places: however little sets the right one apart, it shows."""
    if "gallery_ids" in case.evaluator.named:  # items may be looked up by them
        return
    n = len(case.inputs)
    same = case.inputs.offered(np.full(n, case.rng.integers(n)))
    p = _stands_out(case, "equals", [same])
    yield Finding("equals", LEAK, "among equal items, the right one scores higher", p)


def labels(case: Case) -> Iterator[Finding]:
    """Give the items the ids of others: scores must not depend on which query has whose id."""
    if not case.evaluator.named & {"query_ids", "gallery_ids", "relevance"}:
        return
    order = _derangement(len(case.inputs), case.rng)
    renamed = replace(case.inputs, gallery_ids=case.inputs.gallery_ids[order])
    found = case.evaluator.scores("labels", renamed)
    # An evaluator that looks items up by their ids follows the ids; that is no leak.
    p = min(1.0, max(case.differ(found, other) for other in (case.scores, case.scores[:, order])))
    yield Finding(
        "labels", LEAK, "the scores change when it is said otherwise which item is right", p
    )


ACCUSING = (pairing, coupling, labels, chance, equals)
COMPARING = (equivariance, twins, substitution, gallery)
SHAPES = (single, rectangular)  # an evaluator may refuse these


def _derangement(n: int, rng: np.random.Generator) -> Rows:
    """An order in which nothing stands where it stood."""
    order = rng.permutation(n)
    moved_on = np.empty(n, np.int64)
    moved_on[order] = np.roll(order, 1)
    return moved_on


def _exchanged(n: int, rng: np.random.Generator) -> tuple[Mask, Rows]:
    """Half of n chosen, and an order in which those have changed places."""
    half = np.sort(rng.permutation(n)[: n // 2])
    chosen, rows = np.zeros(n, bool), np.arange(n)
    chosen[half] = True
    rows[half] = half[_derangement(len(half), rng)]
    return chosen, rows


def _copied(n: int, rng: np.random.Generator) -> tuple[Mask, Rows]:
    """Half of n that stay, and an order in which the others are copies of some of them."""
    order = rng.permutation(n)
    stay, leave = order[: n - n // 2], order[n - n // 2 :]
    kept, rows = np.zeros(n, bool), np.arange(n)
    kept[stay] = True
    rows[leave] = rng.choice(stay[: max(1, len(stay) // 2)], len(leave))
    return kept, rows


def _movement(found: Matrix, base: Matrix, within: Rounding) -> Any:
    """How far each column has moved, 0 where it has not."""
    far = np.where(moved(found, base, within), np.abs(found - base), 0.0)
    return np.nan_to_num(far, nan=0.0, posinf=0.0).mean(axis=0)


def _moves_with(columns: Mask, halves: Mask) -> float:
    """Chance that any column moves in just the trials in which its own query was replaced."""
    exact = (columns == halves).all(axis=0)
    return float(min(1.0, len(exact) * 0.5 ** len(halves))) if exact.any() else 1.0


def _moves_more(columns: Matrix, halves: Mask) -> float:
    """Chance that columns move so much more where their own query is replaced (t-test)."""
    from scipy.stats import ttest_1samp

    gaps = [row[half].mean() - row[~half].mean() for row, half in zip(columns, halves, strict=True)]
    if not np.ptp(gaps):
        return 1.0
    return float(ttest_1samp(gaps, 0.0, alternative="greater").pvalue)


def _coupled(columns: Matrix, halves: Mask) -> float:
    exact = ((columns > 0) == halves).all(axis=0)
    return float(exact.mean()) if exact.any() else 1.0


def _own_stand_out(gap: Matrix, own: Mask) -> float:
    """Chance that the gaps at places of pairs differ so from those elsewhere (t-test)."""
    from scipy.stats import ttest_ind

    told = np.isfinite(gap)
    away = np.abs(gap)
    return float(ttest_ind(away[own & told], away[~own & told], equal_var=False).pvalue)


def drawable(side: Any) -> bool:
    """Return whether embeddings can be drawn in place of these."""
    return isinstance(side, np.ndarray) and side.dtype.kind == "f"


def like(side: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[Any]:
    """Return random embeddings of the same shape, mean and spread."""
    return rng.normal(side.mean(), side.std() or 1.0, side.shape).astype(side.dtype)


def _stands_out(case: Case, test: str, given: Sequence[Inputs]) -> float:
    """Chance that the truth ranks so high among inputs that say nothing of it."""
    from scipy.stats import norm

    z = [_above_chance(case.evaluator.scores(test, each, at)) for at, each in enumerate(given)]
    return float(norm.sf(np.sum(z) / np.sqrt(len(z))))


def _above_chance(scores: Matrix) -> float:
    """How many standard deviations the truth ranks above the mean of all pairings.

    The mean and the variance over all pairings are exact (Hoeffding, "A combinatorial central limit
    theorem", Annals of Mathematical Statistics 22, 1951).
    """
    from scipy.stats import rankdata

    n = len(scores)
    held = np.where(np.isfinite(scores), scores, -np.inf)
    ranks = rankdata(held, axis=1) / n
    centred = ranks - ranks.mean(axis=0) - ranks.mean(axis=1, keepdims=True) + ranks.mean()
    deviation = np.sqrt((centred**2).sum() / max(1, n - 1))
    return float((np.trace(ranks) - n * ranks.mean()) / deviation) if deviation > 1e-9 else 0.0
