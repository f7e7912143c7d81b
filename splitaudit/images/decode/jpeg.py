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
    return read(data, strict=False), None if _is_padding(data, fault) else fault


def _is_padding(data: bytes, fault: str) -> bool:
    """Whether a decoder complains of nothing but bytes that fill a file up before its end.

    Where it lost its way, it is done before its data are; but these are not all the same.
    """
    told = re.search(r"(\d+) extraneous bytes before marker (0x..)", fault)
    left = int(told[1]) if told else 0
    if told is None or left <= PADDING or told[2] != "0xd9":
        return told is not None and left <= PADDING
    scan = (data + END)[: (data + END).index(END, _scan_start(data))]
    same = len(scan) - len(scan.rstrip(scan[-1:]))
    # Of bytes that stand for what is missing, it took many before it was done.
    return left <= same <= left + PADDING


def _scan_start(data: bytes) -> int:
    """Where the first scan begins: a preview before it has an end of its own."""
    at = 2
    while 0 <= at < len(data) - 4:
        at = data.find(b"\xff", at)
        if data[at + 1 : at + 2] == b"\xda":
            return at
        fill = data[at + 1 : at + 2] == b"\xff"
        at += 1 if fill else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0
