"""One drawing over another at the finest size that both have, in light and colour."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from splitaudit.images.verify.photographs import overlay as blocks
from splitaudit.images.verify.photographs.overlay import Grey, Map

SOFT = 0.6  # pixels: deviation of a Gaussian, over which two ways to resample differ
EDGE = 2  # pixels along the edges that are not looked at: what lies beyond is mixed in
# (level, reach) by which a map is refined: it was found on pictures of 256 pixels.
STEPS = ((2, 2), (1, 2), (0, 1))

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


class Overlay(NamedTuple):
    """Two drawings, one over the other.

    Parameters
    ----------
    mine, its
        Luma and two chromas (YCrCb, 0 to 255), float32, shape (height, width, 3): of the coarser
        picture, and of the finer one as it is seen there.
    both
        Where both are seen, shape (height, width).
    """

    mine: Grey
    its: Grey
    both: Mask


def shrink(pixels: Pixels, longest: int) -> Pixels:
    """Return a picture whose longer side has at most so many pixels."""
    import cv2

    height, width = pixels.shape[:2]
    by = longest / max(height, width)
    if by >= 1:
        return pixels
    size = max(1, round(width * by)), max(1, round(height * by))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def enlarge(pixels: Pixels, shortest: int) -> Pixels:
    """Return a picture whose shorter side has at least so many pixels."""
    import cv2

    height, width = pixels.shape[:2]
    by = shortest / min(height, width)
    if by <= 1:
        return pixels
    size = round(width * by), round(height * by)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def lay_over(a: Pixels, b: Pixels, homography: Map) -> Iterator[Overlay]:
    """Lay the finer of two pictures over the coarser one: as a map has it, and refined.

    Parameters
    ----------
    a, b
        RGB, uint8, shape (height, width, 3).
    homography
        Where a pixel of a lies in b.
    """
    if blocks.scale(homography, a.shape) < 1:
        a, b, homography = b, a, np.asarray(np.linalg.inv(homography))
    yield _warp(a, b, homography)
    mine, its = blocks.levels(_luma(a)), blocks.levels(_luma(b))
    steps = tuple((level, reach) for level, reach in STEPS if level < len(mine))
    refined = blocks.refine_homography(mine, its, homography, steps)
    if refined is not None:
        yield _warp(a, b, refined)


def _luma(pixels: Pixels) -> Grey:
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)


def _warp(a: Pixels, b: Pixels, homography: Map) -> Overlay:
    import cv2

    mine, its = (np.asarray(cv2.cvtColor(x, cv2.COLOR_RGB2YCrCb), np.float32) for x in (a, b))
    finer = blocks.scale(homography, a.shape)
    if finer > 1.1:
        its = blur(its, 0.5 * math.sqrt(finer**2 - 1))
    size = a.shape[1], a.shape[0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(its, homography, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    its = np.asarray(seen, np.float32)
    return Overlay(blur(mine, SOFT), blur(its, SOFT), _overlap(b, homography, size))


def blur(values: Grey, deviation: float) -> Grey:
    """Return a picture through a Gaussian, of a deviation in pixels, in its shape."""
    import cv2

    smooth = cv2.GaussianBlur(values, (0, 0), deviation)
    return np.asarray(smooth, np.float32).reshape(values.shape)


def _overlap(b: Pixels, homography: Map, size: tuple[int, int]) -> Mask:
    """Where the finer picture is seen, less the edges of both."""
    import cv2

    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(np.ones(b.shape[:2], np.uint8), homography, size, flags=flags)
    square = np.ones((2 * EDGE + 1, 2 * EDGE + 1), np.uint8)
    return np.asarray(cv2.erode(seen, square, borderType=cv2.BORDER_CONSTANT, borderValue=0), bool)
