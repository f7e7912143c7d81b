"""Whether two drawings are one, by what they differ in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from splitaudit.images.verify import placement
from splitaudit.images.verify.drawings import differences, overlay
from splitaudit.images.verify.drawings.captions import is_captioned
from splitaudit.images.verify.drawings.differences import Differences
from splitaudit.images.verify.drawings.overlay import Mask, Overlay, Pixels
from splitaudit.images.verify.photographs.overlay import Map

SIZES = (400, 1_600)  # pixels of the longer side, at most: of a page at 150 an inch
SPOT = 16  # pixels, >=: that lie together and have another light or colour
MIN_CONTRAST = 4.0  # >=: deviation of light or colour, or nothing is said
# >= windows that are placed in both directions and agree, where only parts are the same, and where
# one has other colours: bands and discs of any colours agree in few, a line of print in 30.
PART_CORNERS, RECOLOURED_CORNERS = 12, 60
ODD_CORNERS = 100  # >= windows that differ from those of the same drawing turned or mirrored
GREY = 6.0  # < levels of chroma that a picture without colours has
# > of the windows that tell anything differ: the map may be a little off. Where fewer do, what lies
# upon each other is drawn alike, but for what was changed.
MISPLACED = 0.1
MOST_CAPTIONED = 0.5  # <= of them differ where a caption was written
FAINT = 0.3  # > of the logarithm of how much stronger the detail of one is: its light was changed
CERTAIN = 0.9  # score of drawings that differ in nothing
DIFFERENT = 0.3  # <= score of drawings that do


class Verdict(NamedTuple):
    """What is said of two drawings.

    Parameters
    ----------
    same
        Whether they differ in nothing but what copies differ in.
    corners
        In how many windows they agree that are placed in both directions.
    recoloured
        Whether one of them has other colours, or none.
    """

    same: bool
    corners: int
    recoloured: bool


def judge(a: Pixels, b: Pixels, homography: Map) -> Verdict:
    """Compare two drawings: smaller first, since what differs there differs at full size, too.

    Parameters
    ----------
    a, b
        RGB, uint8, shape (height, width, 3).
    homography
        Where a lies in b; both reach from -1 to 1.
    """
    for longest in SIZES:
        one, other = (overlay.shrink(side, longest) for side in (a, b))
        verdict = _compare(one, other, placement.denormalise(homography, size(one), size(other)))
        if not verdict.same:
            break
    return verdict


def _compare(a: Pixels, b: Pixels, homography: Map) -> Verdict:
    """Compare two drawings at their size, as a map of pixels has them, and refined."""
    verdict = Verdict(False, 0, False)
    for over in overlay.lay_over(a, b, homography):
        found = differences.compare(over)
        verdict = _weigh(found, False)
        if not verdict.same and _may_be_recoloured(found):
            verdict = _weigh(differences.compare(_recolour(over)), True)
        if verdict.same or found.changed_share < MISPLACED:
            break  # what lies upon each other is the same there, or different
    return verdict


def _may_be_recoloured(found: Differences) -> bool:
    """Whether other colours may be all that differs."""
    faint = abs(np.log(found.contrast_ratio)) > FAINT
    return bool(faint or found.changed_share < MISPLACED)


def confirms(a: Pixels, b: Pixels, homography: Map, is_whole: bool) -> bool:
    """Return whether two drawings are one, where a map lays one upon the other.

    Parameters
    ----------
    a, b, homography
        As of `judge`.
    is_whole
        Whether all of the one lies upon all of the other.
    """
    verdict = judge(a, b, homography)
    least = 0 if is_whole else PART_CORNERS
    least = RECOLOURED_CORNERS if verdict.recoloured else least
    if not verdict.same or verdict.corners < least:
        return False
    to = placement.denormalise(homography, size(a), size(b))
    orientation = placement.nearest_orientation(to, size(a))
    return not orientation or count_asymmetric(a, orientation) >= ODD_CORNERS


def count_asymmetric(pixels: Pixels, orientation: int) -> int:
    """Return how many windows of a drawing differ from those of it turned or mirrored.

    A clock and its mirror image have all but their hands in common: these alone could prove that
    one is the other, mirrored.
    """
    to = placement.orientation_homography(orientation, size(pixels), size(pixels))
    return differences.compare(next(overlay.lay_over(pixels, pixels, to))).changed_windows


def size(pixels: Pixels) -> placement.Size:
    """Return width and height."""
    return pixels.shape[1], pixels.shape[0]


def _weigh(found: Differences, recoloured: bool) -> Verdict:
    if found.changed_share > MOST_CAPTIONED or found.contrast < MIN_CONTRAST:
        return Verdict(False, 0, recoloured)
    changed = found.changed_windows > 0 or _has_spot(found.recoloured)
    same = not changed or is_captioned(found)
    return Verdict(same, int(found.corners.sum()) if same else 0, recoloured)


def _has_spot(changed: Mask) -> bool:
    """Whether enough changed pixels lie together."""
    import cv2

    if int(changed.sum()) < SPOT:
        return False
    sizes = cv2.connectedComponentsWithStats(changed.astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    return bool(sizes.max() >= SPOT)


def _recolour(over: Overlay) -> Overlay:
    """The finer picture in the colours of the coarser one, as far as a line for each takes it."""
    its = over.its.copy()
    for k in range(3):
        gain, bias = placement.fit_gain_bias(
            over.mine[..., k][over.both], over.its[..., k][over.both]
        )
        its[..., k] = gain * over.its[..., k] + bias
    grey = min(float(side[over.both][:, 1:].std()) for side in (over.mine, over.its)) < GREY
    if grey:
        its[..., 1:] = over.mine[..., 1:]
    return over._replace(its=its)
