"""The plain part of two photographs that lie over each other: its light is the same in copies.

A logo that stands on two pictures proves nothing but itself. Where little of what both show has
detail that proves, the light of all else is asked, which a copy keeps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from splitaudit.verify import changes, evidence, overlay, placement
from splitaudit.verify.changes import Ink
from splitaudit.verify.overlay import BLOCK, Blocks, Grey, Laid

PROVEN = 0.25  # >= of what both show, in blocks that are alike: enough, and nothing else is asked
# Pixels, sides of squares: by which detail and ink grow, and into which gaps between them fit.
BESIDE, GAP = 33, 65
CELL, WHOLE = 8, 0.5  # pixels, side of a cell; >= of it that is plain, or it is not looked at
FEWEST = 8  # >= cells that are plain, or nothing is told
SHADED = 4.0  # >: grey levels by which the light differs from cell to cell; less is noise
# >= of correlation, or of the variation that half of the cells follow. On the scenes to develop on,
# copies have 0.77 or more (a change of hue); of 1,471 pairs with one logo in a corner 24 would be
# copies if this were not asked, and 1 is.
AGREES = 0.75

Cells = npt.NDArray[np.float32]


def contradicts(over: Laid, fine: Blocks, ink: Ink | None) -> bool:
    """Return whether the light of what is plain shows that a logo is all that both share.

    Parameters
    ----------
    over, fine, ink
        The pictures at the first level, the blocks that no ink accounts for, and the ink.
    """
    both, telling = overlay.shown(over), evidence.telling(fine)
    alike = telling & (fine[:, 2] > evidence.ALIKE)
    if alike.sum() * BLOCK**2 >= PROVEN * both.sum():
        return False
    mine, its = _cells(over, both & ~_busy(fine[telling], ink, both.shape))
    if len(mine) < FEWEST or max(mine.std(), its.std()) <= SHADED:
        return False
    return _agreement(mine, its) < AGREES


def _busy(telling: Blocks, ink: Ink | None, shape: tuple[int, ...]) -> changes.Mask:
    """Pixels with detail or ink, those beside, and gaps between them: a logo has plain parts."""
    import cv2

    busy = changes.drawn(telling, shape)
    if ink is not None:
        busy |= ink.solid | ink.unexplained
    larger = cv2.dilate(busy.astype(np.uint8), np.ones((BESIDE, BESIDE)))
    return np.asarray(cv2.morphologyEx(larger, cv2.MORPH_CLOSE, np.ones((GAP, GAP))), bool)


def _cells(over: Laid, plain: changes.Mask) -> tuple[Cells, Cells]:
    """Mean grey levels of the plain part of cells, in both pictures."""
    share = _means(plain.astype(np.float32))
    kept = share >= WHOLE
    mine, its = (_means(np.where(plain, grey, 0))[kept] for grey in (over.mine, over.its))
    return mine / share[kept], its / share[kept]


def _means(grey: Grey) -> Cells:
    high, wide = (side // CELL for side in grey.shape)
    cells = grey[: high * CELL, : wide * CELL].reshape(high, CELL, wide, CELL)
    return np.asarray(cells.mean(axis=(1, 3)), np.float32)


def _agreement(mine: Cells, its: Cells) -> float:
    """How far light follows light: in all cells, or in half of them if something was pasted."""
    away, other = mine - mine.mean(), its - its.mean()
    correlation = (away * other).mean() / np.sqrt((mine.var() + 1) * (its.var() + 1))
    return float(max(correlation, _followed(mine, its), _followed(its, mine)))


def _followed(mine: Cells, its: Cells) -> float:
    """The share of the variation of one that half of the other accounts for."""
    gain, bias = placement.fitted(mine, its)
    left = np.median(np.abs(mine - gain * its - bias))
    spread = max(float(np.median(np.abs(mine - np.median(mine)))), 1.0)
    return float(1 - (left / spread) ** 2)
