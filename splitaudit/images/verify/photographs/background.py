"""The plain part of two photographs that lie over each other: its light is the same in copies.

A logo that stands on two pictures proves nothing but itself. Where little of what both show has
detail that proves, the light of all else is asked, which a copy keeps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from splitaudit.images.verify import placement
from splitaudit.images.verify.photographs import changes, evidence, overlay
from splitaudit.images.verify.photographs.changes import Ink
from splitaudit.images.verify.photographs.overlay import BLOCK, Blocks, Grey, Laid

# What is plain: pixels off the detail and the ink, by so many to each side; gaps in these, of so
# many, are not plain either (a logo has plain parts). It is asked where less than a share of what
# both show lies in blocks that are alike.
LOOKS = ((4, 0, 0.6), (16, 65, 0.25))
CELL, WHOLE = 8, 0.5  # pixels, side of a cell; >= of it that is plain, or it is not looked at
FEWEST = 8  # >= cells that are plain, or nothing is told
SHADED = 4.0  # >: grey levels by which the light differs from cell to cell; less is noise
# >= of correlation, or of the variation that half of the cells follow; the other where neither
# picture lies in the other whole. On the scenes to develop on, copies have 0.77 or more (a change
# of hue). Of 1,471 pairs of pictures with one logo in a corner 24 would be copies if this were not
# asked, and none is; of 2,145 pairs with the same words at any height 60, and none is.
AGREES, PARTS_AGREE = 0.75, 0.95

Cells = npt.NDArray[np.float32]


def contradicts(over: Laid, fine: Blocks, ink: Ink | None, whole: bool) -> bool:
    """Return whether the light of what is plain shows that a logo is all that both share.

    Parameters
    ----------
    over, fine, ink
        The pictures at the first level, the blocks that no ink accounts for, and the ink.
    whole
        Whether one of the pictures lies in the other, not only a part of it.
    """
    both, telling = overlay.shown(over), evidence.telling(fine)
    alike = telling & (fine[:, 2] > evidence.ALIKE)
    proven = alike.sum() * BLOCK**2 / max(both.sum(), 1)
    busy = changes.drawn(fine[telling], both.shape)
    if ink is not None:
        busy |= ink.solid | ink.unexplained
    plain = (both & ~_grown(busy, beside, gap) for beside, gap, most in LOOKS if proven < most)
    needed = AGREES if whole else PARTS_AGREE
    return any(_agreement(*_cells(over, each)) < needed for each in plain)


def _grown(busy: changes.Mask, beside: int, gap: int) -> changes.Mask:
    import cv2

    square = np.ones((2 * beside + 1, 2 * beside + 1), np.uint8)
    grown = cv2.dilate(busy.astype(np.uint8), square)
    if gap:
        grown = cv2.morphologyEx(grown, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    return np.asarray(grown, bool)


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
    """How far light follows light: in all cells, or in half of them if something was pasted.

    1 where next to nothing is plain. Where all that is plain is flat, just enough for pictures one
    of which lies in the other whole: of parts that share words, nothing but these would be proven.
    """
    if len(mine) < FEWEST:
        return 1.0
    if max(mine.std(), its.std()) <= SHADED:
        return AGREES
    away, other = mine - mine.mean(), its - its.mean()
    correlation = (away * other).mean() / np.sqrt((mine.var() + 1) * (its.var() + 1))
    return float(max(correlation, _followed(mine, its), _followed(its, mine)))


def _followed(mine: Cells, its: Cells) -> float:
    """The share of the variation of one that half of the other accounts for."""
    gain, bias = placement.fitted(mine, its)
    left = np.median(np.abs(mine - gain * its - bias))
    spread = max(float(np.median(np.abs(mine - np.median(mine)))), 1.0)
    return float(1 - (left / spread) ** 2)
