"""JPEG through libjpeg-turbo, which can decode to 1/2, 1/4 or 1/8 of the size at less cost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from io import BufferedReader
from typing import TYPE_CHECKING

from splitaudit.images.decode.pixels import Pixels

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("JPEG", "MPO")  # of Pillow; MPO: several pictures, one behind the other
END = b"\xff\xd9"  # marker: end of image, which some writers leave out
PADDING = 16  # <= bytes before the end that cameras leave; more, and the decoder lost its way


def decode(
    file: BufferedReader, image: Image.Image, factor: int, grey: bool
) -> tuple[Pixels, str | None] | None:
    """Decode a JPEG file.

    Parameters
    ----------
    file
        To be read from its start.
    image
        What Pillow has learned from its head.
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

    if image.mode == "CMYK":  # it takes all for inverted
        return None
    file.seek(0)
    data = file.read()
    size = {"min_height": -(-image.height // factor), "min_width": -(-image.width // factor)}
    read = partial(simplejpeg.decode_jpeg, colorspace="GRAY" if grey else "RGB", **size)
    # A progressive picture that ends between two passes shows nothing but its missing end.
    ends = (b"",) if image.info.get("progressive") else (b"", END)
    try:
        pixels, fault = _read(read, data, ends)
    except ValueError:
        return None
    return pixels[..., 0] if grey else pixels, fault


def _read(
    read: Callable[..., Pixels], data: bytes, ends: Iterable[bytes]
) -> tuple[Pixels, str | None]:
    """Decode data that lack nothing but perhaps their end; else as much as can be."""
    fault = ""
    for end in ends:
        try:
            return read(data + end), None
        except ValueError as error:
            fault = str(error)
    left = re.search(r"(\d+) extraneous bytes", fault)
    harmless = left is not None and int(left[1]) <= PADDING
    return read(data, strict=False), None if harmless else fault
