"""Intervals of means over queries that are not independent: whole groups are drawn anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RESAMPLES = 2_000
LEVEL = 0.95
BLOCK = 1 << 22  # numbers held together
NO_DEVIATION = 1e-6  # <= of the standard error: rounding, where one group was drawn alone


@dataclass(frozen=True)
class Interval:
    """A value, and between which values it lies in `LEVEL` of repetitions."""

    value: float
    low: float
    high: float


def mean(values: Floats, groups: Any, *, level: float = LEVEL, seed: int = 0) -> Interval:
    """Return the mean of values, and its interval by the bootstrap over groups.

    Groups are drawn with replacement, as many as there are ("cluster bootstrap": Field and Welsh,
    "Bootstrapping clustered data", JRSS B 69, 2007); the distribution of the mean is studentised
    (Davison and Hinkley, "Bootstrap methods and their application", 1997, section 5.2.1), since
    percentiles alone are too narrow where groups are few.

    Parameters
    ----------
    values
        Shape (queries,).
    groups
        Of each query: whatever names its group. What is in one group may be related.
    level
        Of the interval.
    seed
        Of the draws.
    """
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    sums, sizes = np.bincount(group, values), np.bincount(group, np.ones(len(group)))
    middle = float(values.mean())
    if len(sums) < 2:
        return Interval(middle, float(values.min()), float(values.max()))
    gaps = sums - middle * sizes  # small numbers: what is left of large ones would be rounding
    spread = _standard_error(gaps, sizes.sum())
    drawn = [_bootstrap_means(gaps, sizes, counts) for counts in _resample_counts(len(sums), seed)]
    means, deviations = (np.concatenate(side) for side in zip(*drawn, strict=True))
    told = deviations > NO_DEVIATION * spread
    off = means[told] / deviations[told] if told.any() else np.zeros(1)
    tails = (1 - level) / 2, (1 + level) / 2
    # Near the ends of the scale most draws have no deviation: there the percentiles reach further.
    ends = [*(middle + np.quantile(means, tails)), *(middle - spread * np.quantile(off, tails))]
    low, high = (float(np.clip(end, values.min(), values.max())) for end in (min(ends), max(ends)))
    return Interval(middle, low, high)


def median(values: Floats, groups: Any, *, level: float = LEVEL, seed: int = 0) -> Interval:
    """Return the median of values, and its interval by the bootstrap over groups (percentiles)."""
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    order = np.argsort(values, kind="stable")
    drawn = []
    for counts in _resample_counts(int(group.max()) + 1, seed, len(values)):
        weights = np.cumsum(counts[:, group[order]], axis=1)
        half = weights[:, -1:] / 2
        drawn.append(values[order][(weights >= half).argmax(axis=1)])
    ends = np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(np.median(values)), *map(float, ends))


def _resample_counts(groups: int, seed: int, width: int = 0) -> Any:
    """How often each group is drawn, in blocks of shape (draws, groups)."""
    rng, left = np.random.default_rng(seed), RESAMPLES
    while left:
        rows = min(left, max(1, BLOCK // max(groups, width)))
        yield rng.multinomial(groups, np.full(groups, 1 / groups), size=rows)
        left -= rows


def _bootstrap_means(sums: Any, sizes: Any, counts: Any) -> tuple[Floats, Floats]:
    """Means of what was drawn, and their standard deviations."""
    total = counts @ sizes
    means = (counts @ sums) / total
    # Sum over groups of counts * (sum - mean * size) squared, without a matrix of all groups.
    squares = counts @ sums**2 - 2 * means * (counts @ (sums * sizes))
    squares += means**2 * (counts @ sizes**2)
    deviations: Floats = np.sqrt(np.maximum(squares, 0)) / total
    return means, deviations


def _standard_error(gaps: Floats, total: float) -> float:
    return float(np.sqrt((gaps**2).sum()) / total)
