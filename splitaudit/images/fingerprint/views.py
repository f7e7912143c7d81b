"""What of a picture is fingerprinted: all of it, and what lies within its border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from splitaudit.images.decode.borders import inner_box, is_frame
from splitaudit.images.decode.boxes import Box, pixel_edges
from splitaudit.images.decode.thumbnail import SIDE, thumbnail

# >= pixels of the shorter side, or no border is looked for. Of photographs without one, some is
# found in 3 of 66 at 300 pixels, in 7 at 96, in 14 at 64, and in 23 at 32.
MIN_SIDE = 64
NARROW = 0.97  # >= of the picture is left: such a border changes no fingerprint

Pixels = npt.NDArray[np.uint8]
Part = tuple[slice, slice]


@dataclass(frozen=True)
class View:
    """A picture, or what lies within its border, as fingerprints are given it.

    Parameters
    ----------
    pixels
        RGB, uint8, shape (height, width, 3): read with a shorter side of at least 300 pixels where
        the file has so many.
    luma
        Its grey levels (ITU-R BT.601), shape (height, width).
    box
        Which part of the picture it is.
    short_side
        Of the picture in its file, in pixels.
    """

    pixels: Pixels
    luma: Pixels
    box: Box
    short_side: int

    @cached_property
    def thumbnail(self) -> Pixels:
        """The view at `SIDE` x `SIDE` pixels, RGB."""
        return thumbnail(self.pixels)


def picture_views(pixels: Pixels, luma: Pixels, short_side: int) -> list[View]:
    """Return the picture, and what lies within its border if it has one.

    Parameters
    ----------
    pixels, luma
        RGB, shape (height, width, 3), and its grey levels.
    short_side
        Of the picture in its file.
    """
    return [
        View(pixels[part], luma[part], _box(part, luma.shape), short_side)
        for part in view_slices(luma)
    ]


def has_frame(views: Sequence[View]) -> bool:
    """Return whether a picture has a border that is no part of it."""
    whole, inner = views[0], views[-1]
    return len(views) > 1 and is_frame(whole.luma, pixel_edges(whole.luma, inner.box))


def view_slices(luma: Pixels) -> list[Part]:
    """Return where the picture is, all of it, and what lies within its border if it has one."""
    height, width = luma.shape
    whole = slice(0, height), slice(0, width)
    if min(height, width) < MIN_SIDE:
        return [whole]
    top, left, bottom, right = inner_box(luma)
    high, wide = bottom - top, right - left
    if min(high, wide) < SIDE or high * wide >= NARROW * height * width:
        return [whole]
    return [whole, (slice(top, bottom), slice(left, right))]


def _box(part: Part, shape: tuple[int, ...]) -> Box:
    (down, across), (height, width) = part, shape
    left, top = 2 * across.start / width - 1, 2 * down.start / height - 1
    return left, top, 2 * across.stop / width - 1, 2 * down.stop / height - 1
