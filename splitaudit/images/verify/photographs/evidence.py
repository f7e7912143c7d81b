"""What the blocks of two photographs that are aligned say: one exposure, or not.

Noise, compression and blur change all blocks of a picture in proportion to what is in them. Between
two moments most blocks are the same, and a few are not at all: what has moved is missing at one
place and too much at another, or is found beside its place.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from splitaudit.images.verify.photographs.overlay import Blocks

NOISY = 4.0  # >: times the typical residual (and the floor) of blocks that tell anything
UNLIKE_CORRELATION = 0.5  # < of correlation: blocks that contradict
MIN_BLOCKS = 6  # >= blocks that tell anything, or nothing is proven
# >: correlation of blocks by which powers are compared, and of those that have moved
ALIKE_CORRELATION = 0.6
QUIET = 4.0  # floors: residuals are taken to be at least so large
BEYOND, DIFFERENT = 6.0, 0.3  # >: times the residual to expect, and share of the power: changed
BESIDE, CLEARER, GAINED = 0.3, 0.5, 0.03  # > pixels off, < of what is left over, > of correlation
# What takes off the logarithm of the score: a share of blocks exchanged, and of blocks that
# contradict; blocks that have gone and others that have come (the geometric mean of how many); a
# share of blocks that have only gone or only come, at half the size; a share of blocks that moved.
EXCHANGED, CONTRADICTED, SWAPPED, ONE_SIDED, MOVED = 10.0, 2.0, 0.3, 6.0, 8.0

Flags = npt.NDArray[np.bool_]


class _BlockResiduals(NamedTuple):
    """Blocks of a level, powers of a and of b as bright as a, and what is left over."""

    found: Blocks
    mine: npt.NDArray[np.float64]
    its: npt.NDArray[np.float64]
    residual: npt.NDArray[np.float64]
    tell: Flags


class Evidence(NamedTuple):
    """How sure it is that pictures are one exposure; and if no block lay beside its place."""

    score: float
    in_place: float


NO_EVIDENCE = Evidence(0.0, 0.0)


def weigh(fine: Blocks, coarse: Blocks) -> Evidence:
    """Return what blocks say.

    Parameters
    ----------
    fine, coarse
        Of the first level, found around their places, and of the second.
    """
    levels = [_measure_residuals(fine), _measure_residuals(coarse)]
    enough = [each for each in levels if each.tell.sum() >= MIN_BLOCKS]
    if levels[0].tell.sum() < MIN_BLOCKS:
        return NO_EVIDENCE
    exchanged, contradicted = np.max([_contradicting_shares(each) for each in levels], axis=0)
    gone, come = _count_changed(levels[0])
    against = EXCHANGED * exchanged + CONTRADICTED * contradicted
    against += SWAPPED * float(np.sqrt(gone * come))
    gone, come = _count_changed(levels[1])
    against += ONE_SIDED * abs(gone - come) / max(len(coarse), 1)
    alike = min(float(np.median(each.found[each.tell, 2])) for each in enough)
    in_place = float(max(alike, 0) * np.exp(-against))
    return Evidence(in_place * float(np.exp(-MOVED * _moved_share(levels[0]))), in_place)


def is_informative(found: Blocks) -> Flags:
    """Return which blocks of a level have so much detail that they tell anything."""
    return _measure_residuals(found).tell


def _measure_residuals(found: Blocks) -> _BlockResiduals:
    alike, mine, its = found[:, 2], found[:, 4], found[:, 5]
    good = alike > ALIKE_CORRELATION
    if good.any():
        its = its * np.median(mine[good] / np.maximum(its[good], 0.05))
    power = np.maximum(mine, its)
    residual = power * (1 - np.clip(alike, 0, 1) ** 2)
    noise = max(1.0, float(np.median(residual))) if len(found) else 1.0
    return _BlockResiduals(found, mine, its, residual, power > NOISY * noise)


def _contradicting_shares(blocks: _BlockResiduals) -> tuple[float, float]:
    """Shares of the blocks that tell: exchanged, and that contradict."""
    unlike = blocks.tell & (blocks.found[:, 2] < UNLIKE_CORRELATION)
    more = blocks.mine > blocks.its
    gone, come = (unlike & more).sum(), (unlike & ~more).sum()
    count = max(int(blocks.tell.sum()), 1)
    return 2 * min(gone, come) / count, (gone + come) / count


def _count_changed(blocks: _BlockResiduals) -> tuple[int, int]:
    """How many blocks differ far more than others, with more in a, and with more in b."""
    power = np.maximum(blocks.mine, blocks.its)
    if len(power) < MIN_BLOCKS:
        return 0, 0
    left = blocks.residual / np.maximum(power, 1e-9)
    # What compression leaves of strong detail is a share of it.
    share = np.median(left[power >= np.quantile(power, 0.67)])
    expected = max(QUIET, float(np.median(blocks.residual))) + share * power
    differ = (blocks.residual > BEYOND * expected) & (left > DIFFERENT)
    more = blocks.mine > blocks.its
    return int((differ & more).sum()), int((differ & ~more).sum())


def _moved_share(blocks: _BlockResiduals) -> float:
    """Share of the blocks with detail in both pictures that lie beside their place."""
    here, there = blocks.found[:, 2], blocks.found[:, 3]
    noise = max(1.0, float(np.median(blocks.residual))) if len(here) else 1.0
    both = np.minimum(blocks.mine, blocks.its) > NOISY * noise
    clearer = (
        (1 - there < CLEARER * (1 - here)) & (there - here > GAINED) & (there > ALIKE_CORRELATION)
    )
    beside = np.hypot(blocks.found[:, 6], blocks.found[:, 7]) > BESIDE
    return float((both & clearer & beside).sum() / max(both.sum(), MIN_BLOCKS))
