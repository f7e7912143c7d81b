"""What of a picture is fingerprinted: all of it, and what lies within its border."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from splitaudit.images.decode.borders import inner
from splitaudit.images.decode.thumbnail import SIDE, thumbnail
from splitaudit.images.fingerprint.gradients import Gradient
from splitaudit.images.fingerprint.hash import ImageHash, shrunk

# >= pixels of the shorter side, or no border is looked for. Of photographs without one, some is
# found in 3 of 66 at 300 pixels, in 7 at 96, in 14 at 64, and in 23 at 32.
LEAST = 64
NARROW = 0.97  # >= of the picture is left: such a border changes no fingerprint
HASH = ImageHash()
GRADIENTS = Gradient()

WHOLE = (-1.0, -1.0, 1.0, 1.0)

Pixels = npt.NDArray[np.uint8]
Part = tuple[slice, slice]
Map = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]  # left, top, right, bottom; a picture reaches from -1 to 1


class View(NamedTuple):
    """A part of a picture, small: in grey to be hashed, and in colour."""

    box: Box
    luma: Pixels
    thumbnail: Pixels


def views(pixels: Pixels, luma: Pixels) -> list[View]:
    """Return the picture, and what lies within its border if it has one.

    Parameters
    ----------
    pixels, luma
        RGB, shape (height, width, 3), and its grey levels.
    """
    return [
        View(
            _box(part, luma.shape),
            shrunk(luma[part], HASH.side),
            thumbnail(pixels[part]),
        )
        for part in parts(luma)
    ]


def parts(luma: Pixels) -> list[Part]:
    """Return where the picture is, all of it, and what lies within its border if it has one."""
    height, width = luma.shape
    whole = slice(0, height), slice(0, width)
    if min(height, width) < LEAST:
        return [whole]
    top, left, bottom, right = inner(luma)
    high, wide = bottom - top, right - left
    if min(high, wide) < SIDE or high * wide >= NARROW * height * width:
        return [whole]
    return [whole, (slice(top, bottom), slice(left, right))]


def _box(part: Part, shape: tuple[int, ...]) -> Box:
    (down, across), (height, width) = part, shape
    left, top = 2 * across.start / width - 1, 2 * down.start / height - 1
    return left, top, 2 * across.stop / width - 1, 2 * down.stop / height - 1


def area(box: Box) -> float:
    """Return which share of a picture a part of it is."""
    left, top, right, bottom = box
    return (right - left) * (bottom - top) / 4


def whence(box: Box) -> Map:
    """Return where a point (x, y, 1) of a part lies in the picture, shape (3, 3)."""
    left, top, right, bottom = box
    across, down = (left + right) / 2, (top + bottom) / 2
    return np.array([[(right - left) / 2, 0, across], [0, (bottom - top) / 2, down], [0, 0, 1]])


def cut(pixels: Pixels, box: Box) -> Pixels:
    """Return a part of a picture, shape (height, width, 3), of whatever size it was read."""
    top, left, bottom, right = _edges(pixels, box)
    return np.ascontiguousarray(pixels[top:bottom, left:right])


def filled(pixels: Pixels, box: Box) -> Pixels:
    """Return a picture with a part of it drawn out over all else."""
    top, left, bottom, right = _edges(pixels, box)
    height, width = pixels.shape[:2]
    around = (top, height - bottom), (left, width - right), (0, 0)
    return np.pad(pixels[top:bottom, left:right], around, "edge")


def _edges(pixels: Pixels, box: Box) -> tuple[int, int, int, int]:
    height, width = pixels.shape[:2]
    left, top, right, bottom = (np.array(box) + 1) / 2 * [width, height, width, height]
    return round(top), round(left), round(bottom), round(right)


def fingerprinted(pictures: Sequence[Sequence[View]]) -> Iterator[dict[str, Any]]:
    """Yield the fingerprints of the views of each picture; they are computed together.

    Yields
    ------
    dict
        boxes, codes, told, thumbnail, gradients as in `prints.PICTURES`, and flat: whether there is
        nothing in any view by which it could be found.
    """
    every = [view for some in pictures for view in some]
    small = np.array([view.luma for view in every], np.uint8)
    thumbnails = np.array([view.thumbnail for view in every], np.uint8)
    hashes = HASH.fingerprint(small.reshape(-1, HASH.side, HASH.side))
    gradients = GRADIENTS.fingerprint(thumbnails.reshape(-1, SIDE, SIDE, 3))
    end = 0
    for some in pictures:
        rows = slice(end, end + len(some))
        end += len(some)
        yield {
            "boxes": [edge for view in some for edge in view.box],
            "codes": hashes.codes[rows].ravel().tolist(),
            "told": (~hashes.degenerate[rows]).tolist(),
            "thumbnail": thumbnails[rows].tobytes(),
            "gradients": gradients.vectors[rows].tobytes(),
            "flat": bool((hashes.degenerate[rows] & gradients.degenerate[rows]).all()),
        }
