"""Binary local features of a photograph, by which a part of it is found again.

Corners on several scales, found, ranked and turned as in ORB (Rublee et al., "ORB: an efficient
alternative to SIFT or SURF", ICCV 2011), and comparisons of pairs of pixels around each. The pairs
are our own: with each of them its mirror image is there, and both turned by half a circle. So the
descriptors of the mirrored picture, and of its negative, are the same bits in another order.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from splitaudit.engine.compiled import compiled
from splitaudit.images.fingerprint.contract import VOTES, Codes, PictureFingerprint
from splitaudit.images.fingerprint.feature_sets import Features, pack
from splitaudit.images.fingerprint.gradients import SMALL
from splitaudit.images.fingerprint.views import View

SHORT = 300  # pixels of the shorter side, to which larger pictures are shrunk
MAX_FEATURES = 300  # features
MAX_CORNERS = 1200  # corners of which those are chosen: a text may have the strongest 600
CELLS = 8  # to each side, from which they are chosen in turn
LEVELS, FACTOR = 8, 1.2  # scales, and the step between them
RADIUS = 15  # pixels around a corner that it is told by
CONTRAST = 8  # grey levels between a corner and the arc around it (FAST)

Grey = npt.NDArray[np.uint8]
Reals = npt.NDArray[np.float32]


# Pairs of points, x and y of either, in pixels: x along the direction of a corner. Of 6,000 drawn
# (normally distributed, deviation 6) those whose comparisons are even and little correlated, chosen
# as for ORB, on photographs and frames of films: 64, which with their images make 256.
_PATTERN_TEXT = """
9 -9 5 4 7 -3 7 1 -4 -4 -4 -10 -8 -11 -6 -8 4 -2 10 -8 2 -6 1 -1 -1 2 1 -12 6 1 11 3 -6 1 -6 6
-12 -1 -10 3 -3 7 -3 -3 -1 9 -1 -7 2 -8 1 -4 -13 3 -9 1 5 -6 3 -2 -8 10 -6 4 -10 6 -8 -7 -1 5
1 13 -10 1 -11 6 6 -5 10 -6 7 3 9 1 -4 -10 -3 13 2 7 6 -12 3 1 4 -2 -12 1 -9 8 5 -10 2 -5 13 2
9 4 -5 9 -4 12 2 11 4 13 -6 -3 -5 12 8 -4 4 1 1 3 7 -10 -1 -6 -2 -3 -1 4 1 -7 6 -5 4 6 1 -13
-1 10 -8 -2 -5 -9 3 -3 7 -4 -9 10 -10 5 3 5 12 -5 5 6 10 3 3 9 8 10 -3 6 -1 9 -6 -1 -4 -4 -4
-9 -1 9 -8 8 -3 -10 5 11 13 -3 7 2 2 -1 -3 -6 -5 -2 0 -3 4 -6 -3 0 -1 -4 -1 10 3 12 -7 6 -3 9
-6 -7 -3 -6 0 10 -4 -3 1 12 4 10 12 7 4 12 2 -10 -2 7 1 -4 10 0 -1 1 3 -3 0 -8 4 -8 -1 1 12 5
-9 3 -1 -13 -4 -4 -1 -6
"""
PATTERN = np.array(_PATTERN_TEXT.split(), np.float32).reshape(64, 4)


@dataclass(frozen=True)
class LocalFeatures(PictureFingerprint):
    """The fingerprint, of all of a picture that is not small."""

    name: ClassVar[str] = "features"
    version: ClassVar[int] = 2
    metric: ClassVar[str] = VOTES
    short_sides: ClassVar[tuple[int, int]] = (SMALL + 1, sys.maxsize)
    inside_borders: ClassVar[bool] = False

    def load(self, device: str = "cpu") -> Callable[[Sequence[View]], Codes]:
        """Return what finds the features of views."""
        return self._of_views

    def _of_views(self, views: Sequence[View]) -> Codes:
        found = [pack(fingerprint(view.luma)) for view in views]
        return Codes(found, np.array([not len(features) for features in found], bool))


def fingerprint(grey: Grey) -> Features:
    """Return the features of an upright grey picture, at most `MAX_FEATURES`, from all over it.

    Parameters
    ----------
    grey
        uint8, shape (height, width). Read it with a shorter side of about `SHORT` pixels.
    """
    import cv2

    cv2.setNumThreads(1)
    picture = downscale(grey)
    finder = cv2.ORB.create(
        MAX_CORNERS, FACTOR, LEVELS, RADIUS + 1, patchSize=2 * RADIUS + 1, fastThreshold=CONTRAST
    )
    found = finder.detect(picture, None)
    size = np.array(picture.shape[::-1], np.float32)
    corners = [
        found[n]
        for n in _select_corners(
            _corner_positions(found) / size, _corner_attribute(found, "response")
        )
    ]
    places, octave = _corner_positions(corners), _corner_attribute(corners, "octave")
    angle = np.radians(_corner_attribute(corners, "angle"))
    descriptors = np.empty((len(corners), 4), np.uint64)
    for level, smooth in enumerate(_pyramid(picture)):
        own = np.flatnonzero(octave == level)
        at = places[own] / np.float32(FACTOR**level)
        descriptors[own] = _describe_corners(smooth, at, angle[own], PATTERN)
    points = (2 * places + 1) / size - 1
    return Features(points, np.float32(FACTOR) ** octave, angle, descriptors)


def _corner_positions(corners: Sequence[Any]) -> Reals:
    """Where OpenCV's corners are, in pixels, shape (n, 2)."""
    import cv2

    return np.reshape(cv2.KeyPoint.convert(corners), (-1, 2)).astype(np.float32)


def _corner_attribute(corners: Sequence[Any], name: str) -> Reals:
    return np.fromiter(map(attrgetter(name), corners), np.float32, len(corners))


def luma(pixels: Grey) -> Grey:
    """Return the grey levels of an RGB picture (ITU-R BT.601), shape (height, width)."""
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def downscale(grey: Grey) -> Grey:
    """Return a picture with a shorter side of at most `SHORT` pixels."""
    import cv2

    by = SHORT / min(grey.shape)
    if by >= 1:
        return np.ascontiguousarray(grey)
    size = round(grey.shape[1] * by), round(grey.shape[0] * by)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def _select_corners(places: Reals, strength: Reals) -> npt.NDArray[np.int64]:
    """Choose corners: the strongest of each cell of a grid, then the second of each, ...

    Places are shares of the picture. All sorts are stable, so ties stay in their order.
    """
    across, down = (places * CELLS).astype(np.uint8).T
    cells = down * np.uint8(CELLS) + across
    strongest = np.argsort(-strength, kind="stable")
    by_cell = strongest[np.argsort(cells[strongest], kind="stable")]
    count = np.bincount(cells, minlength=CELLS**2)
    rank = np.empty(len(cells), np.uint16)
    rank[by_cell] = np.arange(len(cells)) - np.repeat(np.cumsum(count) - count, count)
    return np.sort(strongest[np.argsort(rank[strongest], kind="stable")][:MAX_FEATURES])


def _pyramid(picture: Grey) -> Iterator[Grey]:
    """A picture on all scales, each smoothed so that a comparison of two pixels is steady."""
    import cv2

    height, width = picture.shape
    for level in range(LEVELS):
        size = round(width / FACTOR**level), round(height / FACTOR**level)
        if level:
            picture = np.asarray(cv2.resize(picture, size), np.uint8)
        yield np.asarray(cv2.blur(picture, (5, 5)), np.uint8)


@compiled
def _describe_corners(picture: Any, points: Any, angles: Any, pattern: Any) -> Any:
    """The descriptors of corners of one scale, shape (n, 4).

    ORB keeps corners `RADIUS` + 1 away from the edge, so no pixel lies beyond it.
    """
    out = np.zeros((len(points), 4), np.uint64)
    # One unsigned index spares the question whether it counts from the end: a third of the time.
    pixels, width = picture.ravel(), np.int64(picture.shape[1])
    for n in range(len(points)):
        x, y = points[n, 0] + np.float32(0.5), points[n, 1] + np.float32(0.5)
        c, s = np.cos(angles[n]), np.sin(angles[n])
        for image in range(4):
            along = np.float32(-1 if image >= 2 else 1)
            across = -along if image % 2 == 1 else along
            # Along the direction of the corner, and across it, in pixels to the right and down.
            right, down = along * c, along * s
            aside, below = -across * s, across * c
            bits = np.uint64(0)
            for k in range(len(pattern)):
                px, py, qx, qy = pattern[k, 0], pattern[k, 1], pattern[k, 2], pattern[k, 3]
                p = int(y + px * down + py * below) * width + int(x + px * right + py * aside)
                q = int(y + qx * down + qy * below) * width + int(x + qx * right + qy * aside)
                less = pixels[np.uint32(p)] < pixels[np.uint32(q)]
                bits |= np.uint64(less) << np.uint64(k)
            out[n, image] = bits
    return out


FINGERPRINT = LocalFeatures
