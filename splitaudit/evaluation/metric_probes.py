"""Tests of an evaluator of a metric, by embeddings whose ranks are known beforehand.

Items are unit vectors along the axes, so a query's embedding is its row of scores, for whatever
multiplies the two or takes their cosine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.errors import EvaluatorError
from splitaudit.evaluation.cases import LEAK, ORDER_DEPENDENT, TRANSDUCTIVE, Finding
from splitaudit.evaluation.inputs import Evaluator, Inputs
from splitaudit.evaluation.probes import drawable, like
from splitaudit.evaluation.relevance import Rows

Values = dict[str, float]
Matrix = npt.NDArray[np.float64]

MOST = 64  # <= pairs
LEAST = 24  # >=: recall at 10 is then far from all
NEARLY = 0.9  # > of the way from the worst to the best: as good as perfect
DRAWS = 64  # random embeddings


@dataclass(frozen=True)
class Known:
    """An evaluator of one metric, and its values for known ranks.

    Parameters
    ----------
    value
        From inputs and the name of a test to the metric.
    evaluator, inputs
        The latter as the user gave them, n of them.
    perfect, worst
        Where every truth ranks first, and last.
    rng
        Of the tests.
    """

    value: Callable[[str, Inputs], float]
    evaluator: Evaluator
    inputs: Inputs
    perfect: float
    worst: float
    rng: np.random.Generator

    def share(self, test: str, inputs: Inputs) -> float:
        """How far the metric is from its worst to its best value."""
        return (self.value(test, inputs) - self.worst) / (self.perfect - self.worst)

    def scored(self, scores: Matrix) -> Inputs:
        """Return embeddings that have these scores."""
        return designed(self.inputs, scores)


def run(
    evaluator: Evaluator, inputs: Inputs, rng: np.random.Generator
) -> tuple[list[Finding], list[str]]:
    """Return what is found, and what could not be tested."""
    n = min(len(inputs), MOST, inputs.queries.shape[-1], inputs.gallery.shape[-1])
    if n < LEAST or not (drawable(inputs.queries) and drawable(inputs.gallery)):
        return [], [f"not tested: at least {LEAST} pairs of as many real numbers are needed"]
    inputs = inputs.ordered(np.arange(n), np.arange(n))
    findings, notes = [], []
    for name in values(evaluator, "first call", designed(inputs, np.eye(n))):
        known = _known(evaluator, inputs, name, rng)
        if math.isclose(known.perfect, known.worst) or not math.isfinite(known.perfect):
            notes.append(
                f"{name or 'metric'}: the same for the best and the worst ranks, not tested"
            )
            continue
        for test in TESTS:
            found, said = _tried(test, known)
            findings += [replace(one, sentence=_of(name) + one.sentence) for one in found]
            notes += [_of(name) + word for word in said]
    return findings, list(dict.fromkeys(notes))


def _tried(test: Callable[[Known], Iterator[Any]], known: Known) -> tuple[list[Finding], list[str]]:
    try:
        said = list(test(known))
    except EvaluatorError as error:
        return [], [str(error)]
    found = [one for one in said if isinstance(one, Finding)]
    return found, [one for one in said if isinstance(one, str)]


def _of(name: str) -> str:
    return f"{name}: " if name else ""


def _known(evaluator: Evaluator, inputs: Inputs, name: str, rng: np.random.Generator) -> Known:
    def value(test: str, given: Inputs) -> float:
        return values(evaluator, test, given)[name]

    n = len(inputs)
    best, worst = (designed(inputs, scores) for scores in (np.eye(n), 1 - np.eye(n)))
    return Known(
        value, evaluator, inputs, value("perfect ranks", best), value("worst ranks", worst), rng
    )


def values(evaluator: Evaluator, test: str, inputs: Inputs) -> Values:
    """Return the metrics by their names; of a single number, the name is empty."""
    found = evaluator.answer(test, inputs)
    named = found if isinstance(found, dict) else {"": found}
    try:
        return {str(name): float(value) for name, value in named.items()}
    except (TypeError, ValueError):
        what = type(found).__name__
        raise EvaluatorError(test, f"returned a {what}, not a number or numbers by name") from None


def designed(inputs: Inputs, scores: Matrix) -> Inputs:
    """Return as many embeddings as there are items, whose products are these scores."""
    queries = np.zeros((len(scores), inputs.queries.shape[-1]))
    gallery = np.zeros((scores.shape[1], inputs.gallery.shape[-1]))
    queries[:, : scores.shape[1]], gallery[:, : scores.shape[1]] = scores, np.eye(scores.shape[1])
    return replace(
        inputs,
        queries=_spread(queries, inputs.queries),
        gallery=_spread(gallery, inputs.gallery),
    )


def _spread(vectors: Matrix, like_these: Any) -> Any:
    """Vectors repeated where the user's have more dimensions, such as frames."""
    between = like_these.ndim - 2
    shaped = vectors.reshape(len(vectors), *(1,) * between, vectors.shape[1])
    shape = (len(vectors), *like_these.shape[1:])
    return np.broadcast_to(shaped, shape).astype(like_these.dtype)


def ties(known: Known) -> Iterator[Finding]:
    """Let all scores be equal: that must be worth chance, not everything."""
    constant = known.scored(np.ones((len(known.inputs),) * 2))
    if known.share("ties", constant) > NEARLY:
        yield Finding(
            "ties", LEAK, "where all scores are equal, the truth is counted as first", 0.0
        )


def axis(known: Known) -> Iterator[Finding]:
    """Let half of the items be near to every query: that hurts a query, and no item."""
    n = len(known.inputs)
    scores = np.eye(n)
    hubs = n // 2
    scores[hubs:, :hubs] = 2.0
    scores /= np.linalg.norm(scores, axis=1, keepdims=True)
    if known.share("axis", known.scored(scores)) > NEARLY:
        yield Finding(
            "axis",
            TRANSDUCTIVE,
            "it ranks the queries of each item, not the items of each query: right only for the "
            "way back, if it says so",
            0.0,
        )


def diagonal(known: Known) -> Iterator[Finding | str]:
    """Put the items into another order, and say so."""
    n = len(known.inputs)
    if not known.evaluator.named & {"relevance", "gallery_ids"}:
        yield "it is not told what is right, and takes the item at the place of each query"
        return
    shuffled = known.scored(np.eye(n)).ordered(np.arange(n), known.rng.permutation(n))
    if known.share("diagonal", shuffled) < NEARLY:
        yield Finding(
            "diagonal",
            ORDER_DEPENDENT,
            "it takes the item at the place of each query for the right one, whatever it is told",
            0.0,
        )


def captions(known: Known) -> Iterator[Finding]:
    """Ask for each item twice, once in vain: half may be found."""
    if "relevance" not in known.evaluator.named:
        return
    n = len(known.inputs)
    items = np.repeat(np.arange(n // 2), 2)
    scores = np.eye(n // 2)[items]
    scores[1::2] = 1 - scores[1::2]
    share = known.share("captions", _several(known, scores, items))
    if share > NEARLY:
        yield Finding(
            "captions", LEAK, "of several captions of an item, only the best one is counted", 0.0
        )


def _several(known: Known, scores: Matrix, items: Rows) -> Inputs:
    base = known.inputs
    asked = designed(base, scores)
    names = base.gallery_ids[: scores.shape[1]]
    return replace(
        asked, query_ids=base.query_ids[: len(items)], gallery_ids=names, right=names[items]
    )


def chance(known: Known) -> Iterator[Finding]:
    """Draw embeddings at random: the metric must be the mean of its values over all ranks."""
    from scipy.stats import ttest_1samp

    n = len(known.inputs)
    expected = np.mean([known.share("ranks", known.scored(_at_rank(n, rank))) for rank in range(n)])
    drawn = [known.share("chance", _random(known)) for _ in range(DRAWS)]
    if np.ptp(drawn) == 0 and drawn[0] <= expected:
        return
    p = float(ttest_1samp(drawn, expected, alternative="greater").pvalue) if np.ptp(drawn) else 0.0
    yield Finding("chance", LEAK, "with random embeddings it is better than chance allows", p)


def _at_rank(n: int, rank: int) -> Matrix:
    """Scores in which `rank` others are above each truth, always those that follow it."""
    ahead = (np.arange(n)[None, :] - np.arange(n)[:, None]) % n
    return np.where((ahead > 0) & (ahead <= rank), 1.0, np.where(ahead == 0, 0.5, 0.0))


def _random(known: Known) -> Inputs:
    queries, gallery = (
        like(side, known.rng) for side in (known.inputs.queries, known.inputs.gallery)
    )
    return replace(known.inputs, queries=queries, gallery=gallery)


def order(known: Known) -> Iterator[Finding]:
    """Shuffle queries and items alike."""
    drawn, places = _random(known), known.rng.permutation(len(known.inputs))
    one, again = (known.value("order", drawn) for _ in range(2))
    other = known.value("order", drawn.ordered(places, places))
    if math.isclose(one, again) and not math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-6):
        yield Finding(
            "order",
            ORDER_DEPENDENT,
            "it changes when queries and items are put into another order",
            0.0,
        )


TESTS = (ties, chance, captions, axis, order, diagonal)
