"""Whether two matrices of scores differ, and not as rounding would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

ROUNDING = 1e-5  # > standard deviations of the scores: float32 is a hundred times finer
# > of the largest score: 32 times the rounding of float32, as sums of a thousand numbers in another
# order may differ. It is largest in large scores, so a smaller bound would accuse the true pairs.
SUM_ROUNDING = 32 * 2.0**-23
RELATIVE_ROUNDING = 1e-3  # > of the score itself, where all are small
# > share of the scores that moved; bfloat16 rounds one in a thousand the other way
BROAD_SHARE = 0.01
LINE_SHARE = 0.5  # > share of a row or column
# > share of the rows, or columns, in which any score moved by so many times rounding
FAR_LINES, FAR_FLOORS, FAR_SHARES = 0.1, 1e4, 8.0
# >= scores that move, or a quarter; >= rows and columns for `LINE_SHARE`, half for `FAR_LINES`.
MIN_CHANGED = 20


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

    def wide_tolerance(self) -> Rounding:
        """What no rounding does, unless an evaluator has steps: then to few scores."""
        return Rounding(FAR_FLOORS * self.floor, FAR_SHARES * self.share)


def rounding_tolerance(scores: Matrix) -> Rounding:
    """Return what is rounding in scores of an evaluator, by how they spread."""
    finite = scores[np.isfinite(scores)]
    spread = float(finite.std()) if len(finite) else 0.0
    largest = float(np.abs(finite).max(initial=0.0))
    return Rounding(
        max(SUM_ROUNDING * largest, ROUNDING * spread),
        max(RELATIVE_ROUNDING, _relative_precision(finite)),
    )


def exceeds_rounding(one: Matrix, other: Matrix, within: Rounding) -> Mask:
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


def signed_difference(one: Matrix, other: Matrix) -> Matrix:
    """Return one less the other, 0 where they are equal; NaN where nothing can be said."""
    with np.errstate(invalid="ignore"):
        return np.where(one == other, 0.0, one - other)


def systematic_p_value(one: Matrix, other: Matrix, within: Rounding) -> float:
    """Return how likely matrices that should be equal differ so: 0 where it is no rounding."""
    changed = exceeds_rounding(one, other, within)
    if changed.mean() > BROAD_SHARE and changed.sum() >= min(MIN_CHANGED, changed.size / 4):
        return 0.0
    far = exceeds_rounding(one, other, within.wide_tolerance())
    lines = max(changed.mean(axis=0).max(), changed.mean(axis=1).max())
    spread = max(far.any(axis=0).mean(), far.any(axis=1).mean())
    shown = (lines > LINE_SHARE and min(changed.shape) >= MIN_CHANGED) or (
        spread > FAR_LINES and min(changed.shape) >= MIN_CHANGED // 2
    )
    return 0.0 if shown else 1.0


def hypergeometric_p_value(changed: Mask, own: Mask) -> float:
    """Return how likely so many of the moved scores are own ones (hypergeometric), or so few."""
    from scipy.stats import hypergeom

    hit = int((changed & own).sum())
    if not hit:
        return 1.0
    return float(hypergeom.sf(hit - 1, changed.size, int(own.sum()), int(changed.sum())))


def _relative_precision(finite: Matrix) -> float:
    """Relative rounding of numbers that all have few digits, twice; 0 where they have more."""
    short = finite.astype(np.float32)
    if not (short.view(np.uint32) & 0xFFFF).any():
        return 2.0**-7  # bfloat16
    with np.errstate(over="ignore"):
        return 2.0**-10 if (short == short.astype(np.float16)).all() else 0.0
