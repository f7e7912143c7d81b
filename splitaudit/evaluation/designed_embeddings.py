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

    def share(self, test: str, inputs: Inputs) -> float:
        """How far the metric is from its worst to its best value."""
        return (self.value(test, inputs) - self.worst) / (self.perfect - self.worst)

    def design_scores(self, scores: Matrix) -> Inputs:
        """Return embeddings that have these scores."""
        return design_embeddings(self.inputs, scores)

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
    best, worst = (design_embeddings(inputs, scores) for scores in (np.eye(n), 1 - np.eye(n)))
    return MetricProbe(
        value,
        answers.evaluator,
        inputs,
        value("perfect ranks", best),
        value("worst ranks", worst),
        np.random.default_rng(seed),
    )


def design_embeddings(inputs: Inputs, scores: Matrix) -> Inputs:
    """Return as many embeddings as there are items, whose products are these scores."""
    queries = np.zeros((len(scores), inputs.queries.shape[-1]))
    gallery = np.zeros((scores.shape[1], inputs.gallery.shape[-1]))
    queries[:, : scores.shape[1]], gallery[:, : scores.shape[1]] = scores, np.eye(scores.shape[1])
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
    """Scores in which `rank` others are above each truth, always those that follow it."""
    ahead = (np.arange(n)[None, :] - np.arange(n)[:, None]) % n
    return np.where((ahead > 0) & (ahead <= rank), 1.0, np.where(ahead == 0, 0.5, 0.0))


def tile_dimensions(inputs: Inputs, least: int) -> Inputs:
    """Return embeddings of so many numbers at least; where there are fewer, they are repeated."""
    queries, gallery = (
        side[..., np.arange(max(side.shape[-1], least)) % side.shape[-1]]
        for side in (inputs.queries, inputs.gallery)
    )
    return replace(inputs, queries=queries, gallery=gallery)
