"""Embeddings whose ranks are known beforehand, and what a metric makes of them.

Items are unit vectors along the axes, so a query's embedding is its row of scores, for whatever
multiplies the two or takes their cosine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import numpy as np

from splitaudit.errors import EvaluatorError
from splitaudit.evaluation.inputs import Evaluator, Inputs, Matrix, cast_like, random_like, to_numpy
from splitaudit.evaluation.relevance import Rows

Values = dict[str, float]


@dataclass(frozen=True)
class MetricCache:
    """Metrics by name for inputs; who asks for several of them calls the evaluator once."""

    evaluator: Evaluator
    kept: dict[bytes, Values] = field(default_factory=dict)

    def values(self, test: str, inputs: Inputs, seed: int = 0) -> Values:
        """Return the metrics by their names; of a single number, the name is empty."""
        key = _cache_key(test, inputs, seed)
        if key not in self.kept:
            self.kept[key] = _metric_values(self.evaluator.answer(test, inputs, seed), test)
        return self.kept[key]


def _cache_key(test: str, inputs: Inputs, seed: int) -> bytes:
    held = blake2b(f"{test} {seed}".encode(), digest_size=16)
    for values in (inputs.queries, inputs.gallery, inputs.gallery_ids, inputs.right):
        held.update(to_numpy(values).tobytes())
    return held.digest()


def _metric_values(found: Any, test: str) -> Values:
    named = found if isinstance(found, dict) else {"": found}
    try:
        return {str(name): float(value) for name, value in named.items()}
    except (TypeError, ValueError):
        what = type(found).__name__
        raise EvaluatorError(test, f"returned a {what}, not a number or numbers by name") from None


@dataclass(frozen=True)
class MetricProbe:
    """An evaluator of one metric, and its values for known ranks.

    Parameters
    ----------
    value
        From the name of a test, inputs and a seed (0) to the metric.
    evaluator, inputs
        The latter as the user gave them, n of them.
    perfect, worst
        Where every truth ranks first, and last.
    rng
        Of the tests.
    """

    value: Callable[..., float]
    evaluator: Evaluator
    inputs: Inputs
    perfect: float
    worst: float
    rng: np.random.Generator

    def share(self, test: str, inputs: Inputs, seed: int = 0) -> float:
        """How far the metric is from its worst to its best value."""
        return (self.value(test, inputs, seed) - self.worst) / (self.perfect - self.worst)

    def design_scores(self, scores: Matrix, back: bool = False) -> Inputs:
        """Return embeddings that have these scores; with `back`, a row is that of an item."""
        return design_embeddings(self.inputs, scores, back)

    def design_places(self, place: Rows) -> Inputs:
        """Return embeddings in which the truth of each query stands at that place, without ties."""
        scores = np.empty((len(place),) * 2)
        levels = place_levels(len(place), self.rng)
        np.put_along_axis(scores, order_items(place, self.rng), levels, axis=1)
        return self.design_scores(scores)

    def drawn(self) -> Inputs:
        """Return embeddings drawn at random."""
        queries, gallery = (
            random_like(side, self.rng) for side in (self.inputs.queries, self.inputs.gallery)
        )
        return replace(self.inputs, queries=queries, gallery=gallery)


def probe_metric(answers: MetricCache, inputs: Inputs, name: str, seed: int) -> MetricProbe:
    """Return what is known of one of the metrics of an evaluator."""

    def value(test: str, given: Inputs, seed: int = 0) -> float:
        return answers.values(test, given, seed)[name]

    n = len(inputs)
    best, worst = (design_embeddings(inputs, one) for one in (np.eye(n), scores_at_rank(n, n - 1)))
    return MetricProbe(
        value,
        answers.evaluator,
        inputs,
        value("perfect ranks", best),
        value("worst ranks", worst),
        np.random.default_rng(seed),
    )


def design_embeddings(inputs: Inputs, scores: Matrix, back: bool = False) -> Inputs:
    """Return as many embeddings as there are items, whose products are these scores.

    With `back`, queries are along the axes, so that what scales an item keeps its order of queries.
    """
    rows, columns = scores.shape[::-1] if back else scores.shape
    queries = np.zeros((rows, inputs.queries.shape[-1]))
    gallery = np.zeros((columns, inputs.gallery.shape[-1]))
    axes = np.eye(scores.shape[1])
    queries[:, : len(axes)], gallery[:, : len(axes)] = (axes, scores) if back else (scores, axes)
    return replace(
        inputs,
        queries=_broadcast_like(queries, inputs.queries),
        gallery=_broadcast_like(gallery, inputs.gallery),
    )


def _broadcast_like(vectors: Matrix, like_these: Any) -> Any:
    """Vectors repeated where the user's have more dimensions, such as frames."""
    between = like_these.ndim - 2
    shaped = vectors.reshape(len(vectors), *(1,) * between, vectors.shape[1])
    shape = (len(vectors), *like_these.shape[1:])
    return cast_like(np.broadcast_to(shaped, shape), like_these)


def design_relevance(known: MetricProbe, scores: Matrix, items: Rows) -> Inputs:
    """Return embeddings that have these scores, and for each query the item that is right."""
    base = known.inputs
    asked = design_embeddings(base, scores)
    names = base.gallery_ids[: scores.shape[1]]
    return replace(
        asked, query_ids=base.query_ids[: len(items)], gallery_ids=names, right=names[items]
    )


def scores_at_rank(n: int, rank: int) -> Matrix:
    """Scores in which `rank` others are above each truth, always those that follow it; no ties."""
    ahead = (np.arange(n)[None, :] - np.arange(n)[:, None]) % n
    place = np.where(ahead == 0, rank, np.where(ahead <= rank, ahead - 1, ahead))
    scores: Matrix = 1 - place / n
    return scores


def order_items(place: Rows, rng: np.random.Generator) -> Rows:
    """Return the items of each query in order, its own at that place, others at random (n, n)."""
    n = len(place)
    own, at = np.arange(n)[:, None], np.arange(n)
    others = rng.permuted(np.tile(np.arange(n - 1), (n, 1)), axis=1)
    others += others >= own
    before = np.minimum(at - (at > place[:, None]), n - 2)
    ordered: Rows = np.where(at == place[:, None], own, np.take_along_axis(others, before, axis=1))
    return ordered


def place_levels(n: int, rng: np.random.Generator) -> Matrix:
    """Return scores that fall from place to place, for n queries (n, n).

    By at least 0.7 / n, so that half precision keeps them apart; no two sums of them are equal.
    """
    levels: Matrix = 1 - (np.arange(n) + 0.3 * rng.random((n, n))) / n
    return levels


def tile_dimensions(inputs: Inputs, least: int) -> Inputs:
    """Return embeddings of so many numbers at least; where there are fewer, they are repeated."""
    queries, gallery = (
        side[..., np.arange(max(side.shape[-1], least)) % side.shape[-1]]
        for side in (inputs.queries, inputs.gallery)
    )
    return replace(inputs, queries=queries, gallery=gallery)
