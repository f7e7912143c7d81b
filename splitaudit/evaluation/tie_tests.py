"""Tests of a metric by queries with ties and without: whether each of them counts once.

Whatever is done with a tie, the value must lie between those of two orders of the items that tie:
the truth behind the others, and before them. Where it does not, ties change how much queries count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from splitaudit.errors import EvaluatorError
from splitaudit.evaluation.cases import LEAK, Finding
from splitaudit.evaluation.designed_embeddings import MetricProbe, order_items, place_levels
from splitaudit.evaluation.inputs import Matrix
from splitaudit.evaluation.relevance import Rows

# Of the items at other places, with scores to these powers; the first alone accuses nobody, as a
# metric may look at more than places.
POWERS = (1.0, 1.5, 2.0, 2.5)
TOLERANCE = 0.01  # > of the way from the worst to the best value; one query of 63 is 0.016
SEVERAL = "a query with ties counts several times"
LESS = "a query with ties counts less than one without, or not at all"
TOGETHER = "wrong items that tie are counted as one"
NO_ORDER = "ties are counted as in no order"


@dataclass(frozen=True)
class Ties:
    """Where the truth of each query stands, and which places of it tie; shape (n,) each.

    Parameters
    ----------
    place
        Of the truth, from 0.
    first, size
        The places from `first` on, so many, have one score.
    better, worse
        What is said of a metric above the best order, and below the worst one.
    """

    place: Rows
    first: Rows
    size: Rows
    better: str
    worse: str

    def truth_at(self, end: int) -> Rows:
        """Where the truth stands without ties: behind what it tied with (0), or before it (1)."""
        ends = (self.first + self.size - 1, self.first)
        tied = (self.place >= self.first) & (self.place < self.first + self.size)
        return np.where(tied, ends[end], self.place)


def mixed_ties(known: MetricProbe, back: bool) -> Iterator[Finding | str]:
    """Let some queries have ties: the metric must be that of some order of what ties.

    Parameters
    ----------
    known
        The metric.
    back
        Whether it ranks the queries of each item, and not the items of each query.
    """
    for ties in design_ties(len(known.inputs)):
        try:
            said = _try_ties(known, ties, back)
        except EvaluatorError as error:  # such as where all queries have ties: others may not
            yield str(error)
            continue
        if said:
            yield Finding("mixed ties", LEAK, said, 0.0)
            return


def _try_ties(known: MetricProbe, ties: Ties, back: bool) -> str:
    """What is wrong, in words."""
    drawn = [_values(known, ties, back, 0)]
    value, worst, best = drawn[0]
    if worst - TOLERANCE <= value <= best + TOLERANCE:
        return ""
    drawn += [_values(known, ties, back, draw) for draw in range(1, len(POWERS))]
    said = _judge(np.array(drawn), ties)
    return _sentence(known, drawn[0], said) if said else ""


def _judge(drawn: Matrix, ties: Ties) -> str:
    """What is wrong in all draws, by more than whatever else changes the metric (draws, 3)."""
    values, worst, best = drawn.T
    slack = TOLERANCE + np.ptp(worst) + np.ptp(best)
    if values.max() < worst.min() - slack:
        return ties.worse
    return ties.better if values.min() > best.max() + slack else ""


def _sentence(known: MetricProbe, shares: tuple[float, float, float], said: str) -> str:
    value, *ends = (known.worst + share * (known.perfect - known.worst) for share in shares)
    low, high = sorted(ends)
    between = f"{low:.3g}" if np.isclose(low, high) else f"{low:.3g} to {high:.3g}"
    return f"{said}: it gives {value:.3g} where every order of the equal items gives {between}"


def _values(known: MetricProbe, ties: Ties, back: bool, draw: int) -> tuple[float, float, float]:
    """How good the metric is with ties, with the truth behind and before what it ties with."""
    rng = np.random.default_rng(draw)
    n = len(ties.place)
    seed = int(rng.integers(2**32))
    rows = rng.permutation(n)  # which queries have ties

    def share(place: Rows, tied: bool) -> float:
        items = order_items(place[rows], np.random.default_rng(seed))
        levels = place_levels(n, np.random.default_rng(seed)) ** POWERS[draw]
        if tied:
            levels = _tie_levels(levels, ties.first[rows], ties.size[rows])
        scores = np.empty((n, n))
        np.put_along_axis(scores, items, levels, axis=1)
        return known.share("mixed ties", known.design_scores(scores, back=back), seed=draw)

    return share(ties.place, True), share(ties.truth_at(0), False), share(ties.truth_at(1), False)


def _tie_levels(levels: Matrix, first: Rows, size: Rows) -> Matrix:
    place = np.arange(levels.shape[1])
    within = (place >= first[:, None]) & (place < (first + size)[:, None])
    level: Matrix = np.where(within, np.take_along_axis(levels, first[:, None], axis=1), levels)
    return level


def design_ties(n: int) -> list[Ties]:
    """Return queries with ties: all alike; some, at the top and at the end; all otherwise."""
    wide, few, none = n // 4, n // 3, np.zeros(n, np.int64)
    made = [
        Ties(none, none, none + wide, SEVERAL, NO_ORDER),
        Ties(none + wide, none, none + wide, TOGETHER, NO_ORDER),
    ]
    made += [
        _mix(n, tied, (0, LESS, SEVERAL), (first, wide))
        for first in (0, n - wide)
        for tied in (few, n - few)
    ]
    return [*made, _mix(n, few, (n - 1, SEVERAL, LESS), (0, 2)), _scatter(n, wide)]


def _mix(n: int, tied: int, untied: tuple[int, str, str], group: tuple[int, int]) -> Ties:
    """Some queries whose truth ties with others; that of the rest stands at one place alone."""
    some = np.arange(n) < tied
    place = np.where(some, group[0], untied[0])
    first = np.where(some, group[0], 0)
    return Ties(place, first, np.where(some, group[1], 1), *untied[1:])


def _scatter(n: int, wide: int) -> Ties:
    """Ties of all sizes, at all places."""
    rng = np.random.default_rng(n)
    size = np.where(np.arange(n) % 2, rng.integers(2, wide + 1, n), 1)
    first = rng.integers(0, n - size + 1)
    return Ties(first, first, size, NO_ORDER, NO_ORDER)
