"""What has changed between two photographs that are aligned, where ink accounts for it.

A text or a logo is of one grey level, or lets the picture be seen through it evenly. Where somebody
has moved, half of what has changed shows him and half what was behind: no ink does that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from splitaudit.images.verify import placement
from splitaudit.images.verify.photographs import overlay
from splitaudit.images.verify.photographs.overlay import BLOCK, MARGIN_A, Blocks, Grey, Overlay

DOUBTFUL_CORRELATION = 0.85  # < of correlation: blocks in which ink is looked for
MIN_CHANGED_SHARE = 0.08  # >= of the pixels of such a block that have changed
# noise is at least so much; >: times it, and levels: changed
MIN_NOISE, NOISE_FACTOR, MIN_CHANGE = 2.0, 5.0, 10.0
SUBSAMPLING = 4  # rows and columns of which one tells how light pictures are, and the noise
TRANSPARENCIES = (0.0, 0.25, 0.5)  # share of the picture in what is seen of an ink
LEVELS = np.arange(-132.0, 400.0, 4.0)  # of inks
LEVEL_SAMPLES = 2_000  # changed pixels that tell the level of an ink
LEVEL_TOLERANCE = 12.0  # < grey levels from the level of an ink
# >= of the changed pixels that have the level of an ink: on the scenes to develop on, of texts and
# logos at least 0.57, of frames of films in which something has moved at most 0.5.
MIN_INK_SHARE = 0.54
# >= of the unchanged pixels beside that have it as well: it may be what lay behind something that
# is there no more, unless there are larger steps where it ends.
MAX_BACKGROUND_SHARE = 0.5
MAX_UNEXPLAINED_SHARE = 0.25  # <= of the changed pixels of a block that an ink accounts for
REACH = 5  # pixels around ink in which it changes the detail

Mask = npt.NDArray[np.bool_]


class Ink(NamedTuple):
    """Where ink is, and where pixels have changed that it does not account for."""

    solid: Mask
    unexplained: Mask


def find_ink(over: Overlay, found: Blocks) -> Ink | None:
    """Return where ink lies on either of two pictures, if it does.

    Parameters
    ----------
    over, found
        The pictures and their blocks, at the first level.
    """
    doubted = found[found[:, 2] < DOUBTFUL_CORRELATION]
    if len(doubted) < 2:
        return None
    thin = np.s_[::SUBSAMPLING, ::SUBSAMPLING]
    both = overlay.overlap_mask(over)[thin]
    gain, bias = placement.fit_gain_bias(over.mine[thin][both], over.its[thin][both])
    its = np.asarray(gain * over.its + bias, np.float32)
    off = np.abs(over.mine - its)
    noise = max(MIN_NOISE, 1.48 * float(np.median(off[thin][both])))
    changed = off > max(NOISE_FACTOR * noise, MIN_CHANGE)
    looked = block_mask(
        doubted[_marked_shares(changed, doubted) >= MIN_CHANGED_SHARE], changed.shape
    )
    if not (looked & changed).any():
        return None
    inks = [
        _fit_ink(*pictures, looked, looked & changed)
        for pictures in ((over.mine, its), (its, over.mine))
    ]
    share, ink = max(inks, key=lambda found: found[0])
    return ink if share >= MIN_INK_SHARE else None


def unexplained_blocks(found: Blocks, level: int, ink: Ink | None) -> Blocks:
    """Return the blocks of a level that no ink accounts for."""
    if ink is None:
        return found
    solid, unexplained = (
        _marked_shares(ink.solid, found, level, REACH),
        _marked_shares(ink.unexplained, found, level),
    )
    explained = (solid > 0) & (
        unexplained <= MAX_UNEXPLAINED_SHARE * _marked_shares(ink.solid, found, level)
    )
    return found[~explained]


def block_mask(found: Blocks, shape: tuple[int, ...]) -> Mask:
    """Return which pixels of a first level of a shape are of some blocks."""
    covered = np.zeros(shape, bool)
    for x, y in _block_origins(found, 0):
        covered[y : y + BLOCK, x : x + BLOCK] = True
    return covered


def _fit_ink(seen: Grey, behind: Grey, looked: Mask, area: Mask) -> tuple[float, Ink]:
    """The ink that most of the changed pixels show, and the share of those."""
    top, under = seen[area], behind[area]
    some = max(1, len(top) // LEVEL_SAMPLES)
    share, through, level = max(_modal_levels(top[::some], under[::some]))
    ink = level / (1 - through)
    beside = looked & ~area
    hidden = (
        beside.any()
        and float((np.abs(seen[beside] - ink) < LEVEL_TOLERANCE).mean()) >= MAX_BACKGROUND_SHARE
    )
    if hidden and _edge_strength(seen, area) <= _edge_strength(behind, area):
        share = 0.0
    solid, unexplained = np.zeros_like(area), np.zeros_like(area)
    here = np.abs(top - through * under - level) < LEVEL_TOLERANCE * (1 - through)
    # Towards the ink: its edges, where it is mixed with the picture.
    mixed = ((top > under) == (ink > under)) & (np.abs(top - under) <= np.abs(ink - under))
    solid[area], unexplained[area] = here, ~(here | mixed)
    return share, Ink(solid, unexplained)


def _edge_strength(grey: Grey, area: Mask) -> float:
    """How large the steps of a picture are where an area ends: those of what ends there."""
    import cv2

    square = np.ones((3, 3), np.uint8)
    rim = area & (cv2.erode(area.astype(np.uint8), square) == 0)
    steps = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, square)
    return float(np.asarray(steps)[rim].mean())


def _modal_levels(top: Grey, under: Grey) -> list[tuple[float, float, float]]:
    """The share of pixels of the commonest level, for each share of the picture seen through it."""
    found = []
    for through in TRANSPARENCIES:
        own = top - np.float32(through) * under
        many = np.convolve(np.histogram(own, LEVELS)[0], np.ones(5), "same")
        level = float(LEVELS[many.argmax()] + 2)
        share = float((np.abs(own - level) < LEVEL_TOLERANCE * (1 - through)).mean())
        found.append((share, through, level))
    return found


def _block_origins(found: Blocks, level: int) -> npt.NDArray[np.int64]:
    """Column and row of the first pixel of blocks, in a first level without its edges."""
    start = (found[:, :2] - (BLOCK - 1) / 2) * 2**level - MARGIN_A
    return np.asarray(np.rint(start), np.int64)


def _marked_shares(
    mask: Mask, found: Blocks, level: int = 0, more: int = 0
) -> npt.NDArray[np.float64]:
    """Share of the pixels of blocks that are marked, each with some more to each side."""
    import cv2

    sums = cv2.integral(mask.astype(np.uint8))
    start, most = _block_origins(found, level), np.array(mask.shape[::-1])
    x, y = np.clip(start - (more << level), 0, most).T
    right, below = np.clip(start + ((BLOCK + more) << level), 0, most).T
    inside = sums[below, right] - sums[y, right] - sums[below, x] + sums[y, x]
    return np.asarray(inside / (BLOCK << level) ** 2, np.float64)
