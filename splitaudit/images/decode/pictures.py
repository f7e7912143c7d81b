"""Picture files to pixels: upright, opaque, 8 bits, and the truth about how much could be read.

JPEG goes through the scaled decode of libjpeg-turbo (through simplejpeg), all else through Pillow.
Of an animation and of several pages, the first is read. Colours are taken as they are stored: no
colour profile is applied.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from io import BufferedReader

import numpy as np
import numpy.typing as npt

from splitaudit import schema
from splitaudit.engine import files
from splitaudit.errors import MediaError
from splitaudit.images.decode import jpeg, pillow
from splitaudit.images.decode.pixels import Pixels, apply_orientation, flatness

FACTORS = (8, 4, 2, 1)  # by which a picture can be read smaller: JPEG's blocks have 8 x 8 pixels
# > of the pixels of a damaged picture have one value: where no data are left, a block is made up.
BLANK_SHARE = 0.99


@dataclass(frozen=True)
class Picture:
    """A picture as one sees it: turned upright, put on a background where it is transparent.

    Parameters
    ----------
    pixels
        uint8, shape (height, width) where grey was asked for, else (height, width, 3), RGB;
        smaller than the whole where that was allowed.
    width, height
        Of the whole, upright, in pixels.
    status
        `ok`, or `truncated`: what could not be read of `pixels` has one colour.
    error
        Why it is truncated.
    """

    pixels: Pixels
    width: int
    height: int
    status: str = schema.OK
    error: str | None = None


def load(path: str, *, short_side: int | None = None, grey: bool = False) -> Picture:
    """Read a picture.

    Parameters
    ----------
    path
        Of the file, with odd bytes as surrogates (`os.fsdecode`).
    short_side
        Pixels that the shorter side needs: the picture is read at 1/8, 1/4 or 1/2 of its size if
        it keeps so many (>=). None: at its size.
    grey
        Whether luma (ITU-R BT.601) is wanted instead of RGB.

    Raises
    ------
    MediaError
        missing, unreadable or unsupported, with a reason in words.
    """
    with files.open_file(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow, about metadata that are odd
        try:
            return _read(file, short_side, grey)
        except ModuleNotFoundError as error:
            reason = f'{error.name} is missing: `pip install "splitaudit[images]"`'
            raise MediaError(schema.UNSUPPORTED, reason) from None


def _read(file: BufferedReader, short_side: int | None, grey: bool) -> Picture:
    with pillow.open_image(file, files.head(file)) as image:
        by = factor(image.size, short_side)
        decoded = jpeg.decode(file, image, by, grey) if image.format in jpeg.FORMATS else None
        pixels, fault = decoded or pillow.decode(image, by, grey)
        orientation = pillow.orientation(image)
        width, height = image.size
    if fault and flatness(pixels) > BLANK_SHARE:
        raise MediaError(schema.UNREADABLE, f"nothing could be decoded: {fault}")
    if orientation > 4:  # lies on its side
        width, height = height, width
    status = schema.TRUNCATED if fault else schema.OK
    error = f"only a part could be read: {fault}" if fault else None
    return Picture(apply_orientation(pixels, orientation), width, height, status, error)


def factor(size: tuple[int, int], short_side: int | None) -> int:
    """Return the largest of `FACTORS` that leaves so many pixels to the shorter side (>=)."""
    if short_side is None:
        return 1
    return next((by for by in FACTORS if -(-min(size) // by) >= short_side), 1)


def pixels_id(pixels: npt.NDArray[np.uint8]) -> str:
    """Return the identity of pixels, in every lossless format the same.

    Take it of a picture at its size and in colour to tell equal pictures. As pixels are upright,
    a picture turned by its orientation tag equals one whose pixels were turned.
    """
    digest = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
