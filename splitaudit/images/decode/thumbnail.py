"""Small pictures at one size, so that thousands can be compared at once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from splitaudit.images.decode.resampling import weighted_sums

SIDE = 32  # pixels, of every thumbnail
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as in JPEG

Pixels = npt.NDArray[np.uint8]
Grey = npt.NDArray[np.float32]


def thumbnail(picture: Pixels, side: int = SIDE) -> Pixels:
    """Return a picture at `side` x `side` pixels, shape (side, side, 3), whatever its proportions.

    Parameters
    ----------
    picture
        Shape (height, width, 3).
    side
        In pixels.
    """
    height, width = picture.shape[:2]
    if (height, width) == (side, side):
        return picture
    lines = np.ascontiguousarray(picture).reshape(height, -1)
    low = weighted_sums(lines, _weights(height, side)).reshape(side, width, 3)
    turned = np.ascontiguousarray(low.transpose(1, 0, 2)).reshape(width, -1)
    small = weighted_sums(turned, _weights(width, side)).reshape(side, side, 3).transpose(1, 0, 2)
    return np.ascontiguousarray(np.rint(small), np.uint8)


@lru_cache(maxsize=64)
def _weights(length: int, side: int) -> Grey:
    """What each of `length` pixels adds to each of `side`: a triangle, at least a pixel wide."""
    reach = max(1.0, length / side)
    centres = (np.arange(side) + 0.5) * length / side - 0.5
    weights = np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(length)) / reach)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def grey(pictures: Pixels) -> Grey:
    """Return the luma of pictures, shape (..., 3) -> (...), 0 to 255."""
    return pictures.astype(np.float32) @ LUMA
