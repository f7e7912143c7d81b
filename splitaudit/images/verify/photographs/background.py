"""The plain part of two photographs that are aligned: its light is the same in copies.

A logo that stands on two pictures proves nothing but itself. Where little of what both show has
detail that proves, the light of all else is asked, which a copy keeps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from splitaudit.images.verify import placement
from splitaudit.images.verify.photographs import changes, evidence, overlay
from splitaudit.images.verify.photographs.changes import Ink
from splitaudit.images.verify.photographs.overlay import BLOCK, Blocks, Grey, Overlay

# What is plain: pixels off the detail and the ink, by so many to each side; gaps in these, of so
# many, are not plain either (a logo has plain parts). It is asked where less than a share of what
# both show lies in blocks that are alike.
LOOKS = ((4, 0, 0.6), (16, 65, 0.25))
# pixels, side of a cell; >= of it that is plain, or it is not looked at
CELL, MIN_PLAIN_SHARE = 8, 0.5
MIN_CELLS = 8  # >= cells that are plain, or nothing is told
MIN_SHADING = 4.0  # >: grey levels by which the light differs from cell to cell; less is noise
# >= of correlation, or of the variation that half of the cells follow; the other where neither
# picture lies in the other whole. On the scenes to develop on, copies have 0.77 or more (a change
# of hue). Of 1,471 pairs of pictures with one logo in a corner 24 would be copies if this were not
# asked, and none is; of 2,145 pairs with the same words at any height 60, and none is.
MIN_AGREEMENT, MIN_PARTS_AGREEMENT = 0.75, 0.95

Cells = npt.NDArray[np.float32]


def contradicts(over: Overlay, fine: Blocks, ink: Ink | None, whole: bool) -> bool:
    """Return whether the light of what is plain shows that a logo is all that both share.

    Parameters
    ----------
    over, fine, ink
        The pictures at the first level, the blocks that no ink accounts for, and the ink.
    whole
        Whether one of the pictures lies in the other, not only a part of it.
    """
    both, telling = overlay.overlap_mask(over), evidence.is_informative(fine)
    alike = telling & (fine[:, 2] > evidence.ALIKE_CORRELATION)
    proven = alike.sum() * BLOCK**2 / max(both.sum(), 1)
    busy = changes.block_mask(fine[telling], both.shape)
    if ink is not None:
        busy |= ink.solid | ink.unexplained
    plain = (both & ~_dilate(busy, beside, gap) for beside, gap, most in LOOKS if proven < most)
    needed = MIN_AGREEMENT if whole else MIN_PARTS_AGREEMENT
    return any(_agreement(*_plain_means(over, each)) < needed for each in plain)


def _dilate(busy: changes.Mask, beside: int, gap: int) -> changes.Mask:
    import cv2

    square = np.ones((2 * beside + 1, 2 * beside + 1), np.uint8)
    grown = cv2.dilate(busy.astype(np.uint8), square)
    if gap:
        grown = cv2.morphologyEx(grown, cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
    return np.asarray(grown, bool)


def _plain_means(over: Overlay, plain: changes.Mask) -> tuple[Cells, Cells]:
    """Mean grey levels of the plain part of cells, in both pictures."""
    share = _cell_means(plain.astype(np.float32))
    kept = share >= MIN_PLAIN_SHARE
    mine, its = (_cell_means(np.where(plain, grey, 0))[kept] for grey in (over.mine, over.its))
    return mine / share[kept], its / share[kept]


def _cell_means(grey: Grey) -> Cells:
    high, wide = (side // CELL for side in grey.shape)
    cells = grey[: high * CELL, : wide * CELL].reshape(high, CELL, wide, CELL)
    return np.asarray(cells.mean(axis=(1, 3)), np.float32)


def _agreement(mine: Cells, its: Cells) -> float:
    """How far light follows light: in all cells, or in half of them if something was pasted.

    1 where next to nothing is plain. Where all that is plain is flat, just enough for pictures one
    of which lies in the other whole: of parts that share words, nothing but these would be proven.
    """
    if len(mine) < MIN_CELLS:
        return 1.0
    if max(mine.std(), its.std()) <= MIN_SHADING:
        return MIN_AGREEMENT
    away, other = mine - mine.mean(), its - its.mean()
    correlation = (away * other).mean() / np.sqrt((mine.var() + 1) * (its.var() + 1))
    return float(max(correlation, _explained_variation(mine, its), _explained_variation(its, mine)))


def _explained_variation(mine: Cells, its: Cells) -> float:
    """The share of the variation of one that half of the other accounts for."""
    gain, bias = placement.fit_gain_bias(mine, its)
    left = np.median(np.abs(mine - gain * its - bias))
    spread = max(float(np.median(np.abs(mine - np.median(mine)))), 1.0)
    return float(1 - (left / spread) ** 2)
