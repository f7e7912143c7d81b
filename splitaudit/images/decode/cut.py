"""What of a damaged picture was decoded: where no data were left, its rows have one colour."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from splitaudit.images.decode.pixels import Pixels

if TYPE_CHECKING:
    from PIL import Image

LEAST = 1 / 5  # >= of the rows that are left; of fewer, nothing is taken away: too little was seen
# <= times the bytes of a cut WebP that the whole has: a header cannot ask for any memory
MOST_MISSING = 5
# Stands where a WebP is cut, before zeros: all that follows is decoded otherwise.
OTHERWISE = b"\x0f\x3a"
INTERLACED = 1 / 10  # >= gaps of missing rows, of all rows: they were not missing at the end
CUT = "cut"  # in `Image.info`: what is wrong with the file


def decoded_rows(pixels: Pixels, beside: int) -> slice:
    """Return which rows of a damaged picture were decoded.

    Rows of one colour at its end, or at its beginning where it is stored from below, were not; or
    they are so by themselves, and nothing is lost with them.

    Parameters
    ----------
    pixels
        Shape (height, width) or (height, width, 3).
    beside
        Rows that may be decoded in part, beside those that were not at all.
    """
    rows = pixels.reshape(len(pixels), pixels.shape[1], -1)
    plain = (rows == rows[:, :1]).all(axis=(1, 2))
    below, above = (
        _first(~(plain[::by] & (rows[::by, 0] == rows[::by, 0][0]).all(axis=1))) for by in (-1, 1)
    )
    lost = max(below, above)
    if not lost or len(rows) - lost - beside < LEAST * len(rows):
        return slice(0, len(rows))
    return slice(0, len(rows) - lost - beside) if below >= above else slice(lost + beside, None)


def fill_missing_rows(pixels: Pixels) -> Pixels:
    """Return a damaged picture with the rows that are missing between others drawn from above.

    A GIF or PNG that is interlaced holds every eighth row first, then those between.
    """
    rows = pixels.reshape(len(pixels), -1)
    plain = pixels.reshape(len(pixels), pixels.shape[1], -1)
    missing = (rows == rows[-1]).all(axis=1) & (plain == plain[:, :1]).all(axis=(1, 2))
    if (missing[1:] & ~missing[:-1]).sum() < INTERLACED * len(pixels):
        return pixels
    filled: Pixels = pixels[np.maximum.accumulate(np.where(missing, 0, np.arange(len(pixels))))]
    return filled


def _first(flags: npt.NDArray[np.bool_]) -> int:
    """Where the first is that is set; behind all of them where none is."""
    return int(flags.argmax()) if flags.any() else len(flags)


def open_cut_webp(data: bytes) -> Image.Image | None:
    """Return what can be decoded of a WebP file whose end is missing; None where nothing can.

    It is decoded twice, with other bytes in place of the missing ones: what differs was not read,
    and is made one colour.
    """
    from PIL import Image

    size = int.from_bytes(data[4:8], "little") + 8
    if not len(data) < size <= MOST_MISSING * len(data):
        return None
    filled = [(data + fill)[:size].ljust(size, b"\0") for fill in (b"", OTHERWISE)]
    try:
        read, other = (Image.open(io.BytesIO(each), formats=("WEBP",)) for each in filled)
        seen, again = (np.array(image) for image in (read, other))
    except (OSError, ValueError, EOFError):
        return None
    same = (seen == again).reshape(len(seen), -1).all(axis=1)
    seen[_first(~same) :] = 0
    image = Image.fromarray(seen)
    image.info[CUT] = f"{size - len(data):,} of {size:,} bytes are missing"
    return image
