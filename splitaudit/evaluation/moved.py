"""Whether two matrices of scores differ, and not as rounding or the evaluator's own noise would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ROUNDING = 1e-5  # > standard deviations of the scores: float32 is a hundred times finer
# > of the largest score: 32 times the rounding of float32, as sums of a thousand numbers in another
# order may differ. It is largest in large scores, so a smaller bound would accuse the true pairs.
SUMMED = 32 * 2.0**-23
RELATIVE = 1e-3  # > of the score itself, where all are small
BROAD = 0.01  # > share of the scores that moved; bfloat16 rounds one in a thousand the other way
LINE = 0.5  # > share of a row or column
LOUDER = 1.2  # > times the noise of a stochastic evaluator, as the mean of squares


@dataclass(frozen=True)
class Rounding:
    """How far scores of an evaluator may differ by rounding.

    Parameters
    ----------
    floor
        Whatever their size.
    share
        Of the score itself.
    """

    floor: float
    share: float


def rounding(scores: Matrix) -> Rounding:
    """Return what is rounding in scores of an evaluator, by how they spread."""
    finite = scores[np.isfinite(scores)]
    spread = float(finite.std()) if len(finite) else 0.0
    largest = float(np.abs(finite).max(initial=0.0))
    return Rounding(max(SUMMED * largest, ROUNDING * spread), max(RELATIVE, _grain(finite)))


def moved(one: Matrix, other: Matrix, within: Rounding) -> Mask:
    """Return which scores differ by more than rounding."""
    with np.errstate(invalid="ignore"):
        far = np.abs(one - other)
        large: Mask = far > within.share * np.maximum(np.abs(one), np.abs(other))
    large &= far > within.floor
    if np.isfinite(far).all():
        return large
    finite = np.isfinite(one) & np.isfinite(other)
    same_fault = (np.isnan(one) & np.isnan(other)) | (one == other)
    return np.where(finite, large, ~same_fault)


def systematic(
    one: Matrix, other: Matrix, within: Rounding, noise: tuple[Matrix, Matrix] | None
) -> float:
    """Return how likely matrices that should be equal differ so, 0 where they cannot.

    Parameters
    ----------
    one, other
        Scores.
    within
        What is rounding.
    noise
        Two draws of a stochastic evaluator for the same inputs, which differ by chance.
    """
    if noise is not None:
        return _louder(one - other, noise[0] - noise[1])
    changed = moved(one, other, within)
    lines = max(changed.mean(axis=0).max(), changed.mean(axis=1).max())
    broad = changed.mean() > BROAD or (min(changed.shape) >= 20 and lines > LINE)
    return 0.0 if broad else 1.0


def by_chance(changed: Mask, own: Mask) -> float:
    """Return how likely so many of the moved scores are own ones (hypergeometric), or so few."""
    from scipy.stats import hypergeom

    hit = int((changed & own).sum())
    if not hit:
        return 1.0
    return float(hypergeom.sf(hit - 1, changed.size, int(own.sum()), int(changed.sum())))


def _grain(finite: Matrix) -> float:
    """Relative rounding of numbers that all have few digits, twice; 0 where they have more."""
    short = finite.astype(np.float32)
    if not (short.view(np.uint32) & 0xFFFF).any():
        return 2.0**-7  # bfloat16
    with np.errstate(over="ignore"):
        return 2.0**-10 if (short == short.astype(np.float16)).all() else 0.0


def _louder(found: Matrix, noise: Matrix) -> float:
    """Compare rows of squared differences with those of noise (Welch's t-test)."""
    from scipy.stats import ttest_ind

    squares: list[Any] = [np.nanmean(np.square(gap), axis=1) for gap in (found, noise)]
    if not squares[0].mean() > LOUDER * squares[1].mean():
        return 1.0
    return float(ttest_ind(*squares, equal_var=False, alternative="greater").pvalue)
