"""Tests of an evaluator of a metric, by embeddings whose ranks are known beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from splitaudit.errors import EvaluatorError, ScoresError
from splitaudit.evaluation import tie_tests
from splitaudit.evaluation.cases import ALPHA, LEAK, ORDER_DEPENDENT, TRANSDUCTIVE, Finding
from splitaudit.evaluation.designed_embeddings import (
    MetricCache,
    MetricProbe,
    design_embeddings,
    design_relevance,
    probe_metric,
    scores_at_rank,
    tile_dimensions,
)
from splitaudit.evaluation.inputs import Evaluator, Inputs, is_floating

MAX_PAIRS = 64  # <= pairs
MIN_PAIRS = 24  # >= pairs, and numbers of each: recall at 10 is then far from all
CONSTANT_SENTENCE = "the same for the best and the worst ranks"
TIES_SENTENCE = (
    "where all scores are equal, the truth is counted as first: ties are resolved in favour of the "
    "right item, so a model that tells nothing apart looks perfect; the place of the truth among "
    "equal scores must not depend on which item is right"
)
NEAR_PERFECT = 0.9  # > of the way from the worst to the best: as good as perfect
LOOKS = ((64, 0.5), (256, 0.02), (1024, ALPHA))  # random embeddings, and p to look on
WINS = 24  # by chance in 2**-24
TRIALS, FRUITLESS = 64, 8  # <=; without any win


def run(
    evaluator: Evaluator, inputs: Inputs, rng: np.random.Generator
) -> tuple[list[Finding], list[str]]:
    """Return what is found, and what could not be tested.

    Raises
    ------
    ScoresError
        Where nothing could be tested.
    """
    sides = inputs.queries, inputs.gallery
    if len(inputs) < MIN_PAIRS or not all(is_floating(side) and side.ndim > 1 for side in sides):
        raise ScoresError(f"a metric is tested with {MIN_PAIRS} pairs of vectors of real numbers")
    inputs = tile_dimensions(inputs, MIN_PAIRS)
    n = min(len(inputs), MAX_PAIRS, inputs.queries.shape[-1], inputs.gallery.shape[-1])
    n -= n > MIN_PAIRS and n % 2 == 0  # else an evaluator's batches may all be whole
    inputs = inputs.take_rows(np.arange(n), np.arange(n))
    answers, seed = MetricCache(evaluator), int(rng.integers(2**32))
    names = answers.values("first call", design_embeddings(inputs, np.eye(n)))
    told = {name: probe_metric(answers, inputs, name, seed) for name in names}
    notes = [
        f"{_prefix(name)}{CONSTANT_SENTENCE}, not tested"
        for name, known in told.items()
        if _is_constant(known)
    ]
    if len(notes) == len(told):
        raise EvaluatorError("worst ranks", f"returned nothing but {CONSTANT_SENTENCE}")
    found: dict[str, list[Finding]] = {}
    for name, known in told.items():
        if not _is_constant(known):
            found[name], said = _run_tests(known)
            notes += [_prefix(name) + word for word in said]
    back = _reverse_metrics(found)
    notes += [f"{name}: ranks the queries of each item, the way back" for name in back]
    findings = [
        replace(one, sentence=_prefix(name) + one.sentence)
        for name, shown in found.items()
        for one in shown
        if not (name in back and one.test == "axis")
    ]
    return findings, list(dict.fromkeys(notes))


def _is_constant(known: MetricProbe) -> bool:
    return math.isclose(known.perfect, known.worst) or not math.isfinite(known.perfect)


def _run_tests(known: MetricProbe) -> tuple[list[Finding], list[str]]:
    said = [word for test in TESTS for word in _try_test(test, known)]
    found = [one for one in said if isinstance(one, Finding)]
    return found, [one for one in said if isinstance(one, str)]


def _try_test(
    test: Callable[[MetricProbe], Iterator[Any]], known: MetricProbe
) -> list[Finding | str]:
    try:
        return list(test(known))
    except EvaluatorError as error:
        return [str(error)]


def _reverse_metrics(found: dict[str, list[Finding]]) -> list[str]:
    """Metrics that rightly rank the queries of each item, as others of the same answer do not."""
    back = [name for name, shown in found.items() if any(one.test == "axis" for one in shown)]
    return back if len(back) < len(found) else []


def _prefix(name: str) -> str:
    return f"{name}: " if name else ""


def ties(known: MetricProbe) -> Iterator[Finding]:
    """Let all scores be equal: that must be worth chance, not everything."""
    constant = known.design_scores(np.ones((len(known.inputs),) * 2))
    if known.share("ties", constant) > NEAR_PERFECT:
        yield Finding("ties", LEAK, TIES_SENTENCE, 0.0)


def axis(known: MetricProbe) -> Iterator[Finding]:
    """Let half of the items be near to every query: that hurts a query, and no item."""
    n = len(known.inputs)
    scores = np.eye(n)
    # every second query, as an evaluator may leave out the last ones; none ties
    scores[::2, 1::2] = np.linspace(2, 2.1, n // 2)
    scores /= np.linalg.norm(scores, axis=1, keepdims=True)
    if known.share("axis", known.design_scores(scores)) > NEAR_PERFECT:
        yield Finding(
            "axis",
            TRANSDUCTIVE,
            "it ranks the queries of each item, not the items of each query: right only for the "
            "way back, if it says so",
            0.0,
        )


def mixed_ties(known: MetricProbe) -> Iterator[Finding | str]:
    """Let some queries have ties and others none: each must count once."""
    yield from tie_tests.mixed_ties(known, back=any(axis(known)))


def diagonal(known: MetricProbe) -> Iterator[Finding | str]:
    """Put the items into another order, and say so."""
    n = len(known.inputs)
    if not known.evaluator.named & {"relevance", "gallery_ids"}:
        yield "it is not told what is right, and takes the item at the place of each query"
        return
    shuffled = known.design_scores(np.eye(n)).take_rows(np.arange(n), known.rng.permutation(n))
    if known.share("diagonal", shuffled) < NEAR_PERFECT:
        yield Finding(
            "diagonal",
            ORDER_DEPENDENT,
            "it takes the item at the place of each query for the right one, whatever it is told",
            0.0,
        )


def captions(known: MetricProbe) -> Iterator[Finding]:
    """Ask for each item twice, once in vain: half may be found."""
    if "relevance" not in known.evaluator.named:
        return
    n = len(known.inputs)
    items = np.repeat(np.arange(n // 2), 2)
    scores = np.eye(n // 2)[items]
    scores[1::2] = 1 - scores[1::2]
    share = known.share("captions", design_relevance(known, scores, items))
    if share > NEAR_PERFECT:
        yield Finding(
            "captions", LEAK, "of several captions of an item, only the best one is counted", 0.0
        )


def chance(known: MetricProbe) -> Iterator[Finding]:
    """Draw embeddings at random: the metric must be the mean of its values over all ranks."""
    n = len(known.inputs)
    expected = np.mean(
        [known.share("ranks", known.design_scores(scores_at_rank(n, rank))) for rank in range(n)]
    )
    for draws, least in LOOKS:
        p = _chance_p_value(known, float(expected), draws)
        if p >= least:
            return
    p = max(p, _control_p_value(known))
    yield Finding("chance", LEAK, "with random embeddings it is better than chance allows", p)


def _chance_p_value(known: MetricProbe, expected: float, draws: int) -> float:
    """Chance that the metric is so much better for random embeddings than expected (t-test)."""
    from scipy.stats import ttest_1samp

    drawn = [known.share("chance", known.drawn()) for _ in range(draws)]
    if np.ptp(drawn) == 0:
        return float(drawn[0] <= expected)
    return float(ttest_1samp(drawn, expected, alternative="greater").pvalue)


def _control_p_value(known: MetricProbe) -> float:
    """As `_chance_p_value`, beside truths at random places: it need not be a mean of queries."""
    from scipy.stats import ttest_ind

    n, draws = len(known.inputs), LOOKS[-1][0]
    places = (known.rng.integers(n, size=n) for _ in range(draws))
    chance = [known.share("places", known.design_places(place)) for place in places]
    drawn = [known.share("control", known.drawn()) for _ in range(draws)]
    if np.ptp(drawn) == np.ptp(chance) == 0:
        return float(drawn[0] <= chance[0])
    return float(ttest_ind(drawn, chance, equal_var=False, alternative="greater").pvalue)


def order(known: MetricProbe) -> Iterator[Finding]:
    """Shuffle queries and items alike, until that has moved the metric and a second call has not.

    Of an evaluator that draws at random, either may move it first.
    """
    won = 0
    for trial in range(TRIALS):
        if won == WINS or (won == 0 and trial == FRUITLESS):
            break
        drawn = known.drawn() if trial % 2 else _draw_first(known)
        places = known.rng.permutation(len(known.inputs))
        one, again, other = (
            known.value("order", given, seed)
            for seed, given in enumerate((drawn, drawn, drawn.take_rows(places, places)))
        )
        if not _is_close(one, again):
            return
        won += not _is_close(one, other)
    yield Finding(
        "order",
        ORDER_DEPENDENT,
        "it changes when queries and items are put into another order",
        2.0**-won,
    )


def _draw_first(known: MetricProbe) -> Inputs:
    """Embeddings in which half of the truths stand first: it shows where a few are left out."""
    n = len(known.inputs)
    return known.design_places(known.rng.integers(n, size=n) * known.rng.integers(2, size=n))


def _is_close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-6)


TESTS = (ties, mixed_ties, chance, captions, axis, order, diagonal)
