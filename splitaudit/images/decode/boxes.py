"""Parts of a picture: where they lie, how large they are, and the picture cut to one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

WHOLE = (-1.0, -1.0, 1.0, 1.0)

Pixels = npt.NDArray[np.uint8]
Map = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]  # left, top, right, bottom; a picture reaches from -1 to 1


def area(box: Box) -> float:
    """Return which share of a picture a part of it is."""
    left, top, right, bottom = box
    return (right - left) * (bottom - top) / 4


def box_matrix(box: Box) -> Map:
    """Return where a point (x, y, 1) of a part lies in the picture, shape (3, 3)."""
    left, top, right, bottom = box
    across, down = (left + right) / 2, (top + bottom) / 2
    return np.array([[(right - left) / 2, 0, across], [0, (bottom - top) / 2, down], [0, 0, 1]])


def crop(pixels: Pixels, box: Box) -> Pixels:
    """Return a part of a picture, shape (height, width, 3), of whatever size it was read."""
    top, left, bottom, right = pixel_edges(pixels, box)
    return np.ascontiguousarray(pixels[top:bottom, left:right])


def replicate_edges(pixels: Pixels, box: Box) -> Pixels:
    """Return a picture with a part of it drawn out over all else."""
    top, left, bottom, right = pixel_edges(pixels, box)
    height, width = pixels.shape[:2]
    around = (top, height - bottom), (left, width - right), (0, 0)
    return np.pad(pixels[top:bottom, left:right], around, "edge")


def pixel_edges(pixels: Pixels, box: Box) -> tuple[int, int, int, int]:
    """Return top, left, bottom and right of a part, in pixels of a picture as it was read."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = (np.array(box) + 1) / 2 * [width, height, width, height]
    return round(top), round(left), round(bottom), round(right)
