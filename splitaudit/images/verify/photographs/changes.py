"""What has changed between two photographs that lie over each other, where ink accounts for it.

A text or a logo is of one grey level, or lets the picture be seen through it evenly. Where somebody
has moved, half of what has changed shows him and half what was behind: no ink does that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from splitaudit.images.verify import placement
from splitaudit.images.verify.photographs import overlay
from splitaudit.images.verify.photographs.overlay import BLOCK, MINE, Blocks, Grey, Laid

DOUBTED = 0.85  # < of correlation: blocks in which ink is looked for
TOUCHED = 0.08  # >= of the pixels of such a block that have changed
QUIET, CLEAR, LEAST = 2.0, 5.0, 10.0  # noise is at least so much; >: times it, and levels: changed
THINNED = 4  # rows and columns of which one tells how light pictures are, and the noise
THROUGH = (0.0, 0.25, 0.5)  # share of the picture in what is seen of an ink
LEVELS = np.arange(-132.0, 400.0, 4.0)  # of inks
ENOUGH = 2_000  # changed pixels that tell the level of an ink
SPREAD = 12.0  # < grey levels from the level of an ink
# >= of the changed pixels that have the level of an ink: on the scenes to develop on, of texts and
# logos at least 0.57, of frames of films in which something has moved at most 0.5.
INK = 0.54
# >= of the unchanged pixels beside that have it as well: it may be what lay behind something that
# is there no more, unless there are larger steps where it ends.
BEHIND = 0.5
UNEXPLAINED = 0.25  # <= of the changed pixels of a block that an ink accounts for
REACH = 5  # pixels around ink in which it changes the detail

Mask = npt.NDArray[np.bool_]


class Ink(NamedTuple):
    """Where ink is, and where pixels have changed that it does not account for."""

    solid: Mask
    unexplained: Mask


def inked(over: Laid, found: Blocks) -> Ink | None:
    """Return where ink lies on either of two pictures, if it does.

    Parameters
    ----------
    over, found
        The pictures and their blocks, at the first level.
    """
    doubted = found[found[:, 2] < DOUBTED]
    if len(doubted) < 2:
        return None
    thin = np.s_[::THINNED, ::THINNED]
    both = overlay.shown(over)[thin]
    gain, bias = placement.fitted(over.mine[thin][both], over.its[thin][both])
    its = np.asarray(gain * over.its + bias, np.float32)
    off = np.abs(over.mine - its)
    noise = max(QUIET, 1.48 * float(np.median(off[thin][both])))
    changed = off > max(CLEAR * noise, LEAST)
    looked = drawn(doubted[_shares(changed, doubted) >= TOUCHED], changed.shape)
    if not (looked & changed).any():
        return None
    inks = [
        _ink(*pictures, looked, looked & changed)
        for pictures in ((over.mine, its), (its, over.mine))
    ]
    share, ink = max(inks, key=lambda found: found[0])
    return ink if share >= INK else None


def left(found: Blocks, level: int, ink: Ink | None) -> Blocks:
    """Return the blocks of a level that no ink accounts for."""
    if ink is None:
        return found
    solid, unexplained = (
        _shares(ink.solid, found, level, REACH),
        _shares(ink.unexplained, found, level),
    )
    explained = (solid > 0) & (unexplained <= UNEXPLAINED * _shares(ink.solid, found, level))
    return found[~explained]


def drawn(found: Blocks, shape: tuple[int, ...]) -> Mask:
    """Return which pixels of a first level of a shape are of some blocks."""
    covered = np.zeros(shape, bool)
    for x, y in _first(found, 0):
        covered[y : y + BLOCK, x : x + BLOCK] = True
    return covered


def _ink(seen: Grey, behind: Grey, looked: Mask, area: Mask) -> tuple[float, Ink]:
    """The ink that most of the changed pixels show, and the share of those."""
    top, under = seen[area], behind[area]
    some = max(1, len(top) // ENOUGH)
    share, through, level = max(_levels(top[::some], under[::some]))
    ink = level / (1 - through)
    beside = looked & ~area
    hidden = beside.any() and float((np.abs(seen[beside] - ink) < SPREAD).mean()) >= BEHIND
    if hidden and _ends(seen, area) <= _ends(behind, area):
        share = 0.0
    solid, unexplained = np.zeros_like(area), np.zeros_like(area)
    here = np.abs(top - through * under - level) < SPREAD * (1 - through)
    # Towards the ink: its edges, where it is mixed with the picture.
    mixed = ((top > under) == (ink > under)) & (np.abs(top - under) <= np.abs(ink - under))
    solid[area], unexplained[area] = here, ~(here | mixed)
    return share, Ink(solid, unexplained)


def _ends(grey: Grey, area: Mask) -> float:
    """How large the steps of a picture are where an area ends: those of what ends there."""
    import cv2

    square = np.ones((3, 3), np.uint8)
    rim = area & (cv2.erode(area.astype(np.uint8), square) == 0)
    steps = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, square)
    return float(np.asarray(steps)[rim].mean())


def _levels(top: Grey, under: Grey) -> list[tuple[float, float, float]]:
    """The share of pixels of the commonest level, for each share of the picture seen through it."""
    found = []
    for through in THROUGH:
        own = top - np.float32(through) * under
        many = np.convolve(np.histogram(own, LEVELS)[0], np.ones(5), "same")
        level = float(LEVELS[many.argmax()] + 2)
        share = float((np.abs(own - level) < SPREAD * (1 - through)).mean())
        found.append((share, through, level))
    return found


def _first(found: Blocks, level: int) -> npt.NDArray[np.int64]:
    """Column and row of the first pixel of blocks, in a first level without its edges."""
    start = (found[:, :2] - (BLOCK - 1) / 2) * 2**level - MINE
    return np.asarray(np.rint(start), np.int64)


def _shares(mask: Mask, found: Blocks, level: int = 0, more: int = 0) -> npt.NDArray[np.float64]:
    """Share of the pixels of blocks that are marked, each with some more to each side."""
    import cv2

    sums = cv2.integral(mask.astype(np.uint8))
    start, most = _first(found, level), np.array(mask.shape[::-1])
    x, y = np.clip(start - (more << level), 0, most).T
    right, below = np.clip(start + ((BLOCK + more) << level), 0, most).T
    inside = sums[below, right] - sums[y, right] - sums[below, x] + sums[y, x]
    return np.asarray(inside / (BLOCK << level) ** 2, np.float64)
