"""JPEG through libjpeg-turbo, which can decode to 1/2, 1/4 or 1/8 of the size at less cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from io import BufferedReader

from splitaudit.media.pixels import Pixels

FORMATS = ("JPEG", "MPO")  # of Pillow; MPO: several pictures, one behind the other
END = b"\xff\xd9"  # marker: end of image
PADDING = 16  # <= bytes before the end that cameras leave; more, and the decoder lost its way


def decode(file: BufferedReader, factor: int, grey: bool) -> tuple[Pixels, str | None] | None:
    """Decode a JPEG file.

    Parameters
    ----------
    file
        To be read from its start.
    factor
        1, 2, 4 or 8: how much smaller it is to become.
    grey
        Luma instead of RGB.

    Returns
    -------
    tuple or None
        Pixels, shape (height, width) or (height, width, 3), and what is wrong with them; None
        where this decoder cannot read the file, so that another may try.
    """
    import simplejpeg

    file.seek(0)
    data = file.read()
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    if colours in ("CMYK", "YCCK"):  # takes all for inverted
        return None
    size = {"min_height": -(-height // factor), "min_width": -(-width // factor)}
    read = partial(simplejpeg.decode_jpeg, colorspace="GRAY" if grey else "RGB", **size)
    try:
        pixels, fault = _read(read, data)
    except ValueError:
        return None
    return pixels[..., 0] if grey else pixels, fault


def _read(read: Callable[..., Pixels], data: bytes) -> tuple[Pixels, str | None]:
    fault = ""
    for end in (b"", END):  # which some writers leave out
        try:
            return read(data + end), None
        except ValueError as error:
            fault = str(error)
    left = re.search(r"(\d+) extraneous bytes", fault)
    harmless = left is not None and int(left[1]) <= PADDING
    return read(data, strict=False), None if harmless else fault
