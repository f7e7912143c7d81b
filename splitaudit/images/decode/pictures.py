"""Picture files to pixels: upright, opaque, 8 bits, and the truth about how much could be read.

JPEG goes through the scaled decode of libjpeg-turbo (through simplejpeg), all else through Pillow.
Of an animation and of several pages, the first is read. Colours are taken as they are stored: no
colour profile is applied.
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, replace
from io import BufferedReader

import numpy as np

from splitaudit import schema
from splitaudit.engine import files
from splitaudit.errors import MediaError
from splitaudit.images.decode import jpeg, pillow
from splitaudit.images.decode.cut import decoded_rows, fill_missing_rows
from splitaudit.images.decode.pixels import Pixels, Values, apply_orientation, flatness

FACTORS = (8, 4, 2, 1)  # by which a picture can be read smaller: JPEG's blocks have 8 x 8 pixels
# > of the pixels of a damaged picture have one value: where no data are left, a block is made up.
BLANK_SHARE = 0.99
BLOCK = 16  # rows that are decoded together, at most (of JPEG and WebP): some may be there in part


@dataclass(frozen=True)
class Picture:
    """A picture as one sees it: turned upright, put on a background where it is transparent.

    Parameters
    ----------
    pixels
        uint8, shape (height, width) where grey was asked for, else (height, width, 3), RGB;
        smaller than the whole where that was allowed.
    width, height
        Of the whole, upright, in pixels; of a damaged one, of the rows that could be read.
    status
        `ok`, or `truncated`.
    error
        Why it is truncated.
    deep
        What the whole holds of more than 8 bits, where `pixels` do not tell all.
    """

    pixels: Pixels
    width: int
    height: int
    status: str = schema.OK
    error: str | None = None
    deep: Values | None = None

    @property
    def identity(self) -> str | None:
        """The same for equal pictures, see `pixels_id`; None unless all of it was read."""
        seen = self.pixels if self.deep is None else self.deep
        whole = self.status == schema.OK and seen.shape[:2] == (self.height, self.width)
        return pixels_id(seen) if whole else None


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
        deep = pillow.deep_values(image) if by == 1 and not decoded else None
        way = pillow.orientation(image)
        whole = Picture(pixels, *image.size, deep=deep)
    part = _cut_unread(whole, fault) if fault else whole
    return _turn(part, way)


def _cut_unread(picture: Picture, fault: str) -> Picture:
    """What was decoded of a damaged picture: what was not is not seen, and so not changed."""
    if flatness(picture.pixels) > BLANK_SHARE:
        raise MediaError(schema.UNREADABLE, f"nothing could be decoded: {fault}")
    pixels, height = fill_missing_rows(picture.pixels), picture.height
    part = pixels[decoded_rows(pixels, -(-BLOCK * len(pixels) // height))]
    read = round(height * len(part) / len(pixels))
    much = f"{read:,} of {height:,} rows; " if read < height else ""
    error = f"only a part could be read: {much}{fault}"
    return replace(picture, pixels=part, height=read, status=schema.TRUNCATED, error=error)


def _turn(picture: Picture, way: int) -> Picture:
    """A picture upright, by its orientation in EXIF."""
    width, height = picture.width, picture.height
    if way > 4:  # lies on its side
        width, height = height, width
    deep = None if picture.deep is None else apply_orientation(picture.deep, way)
    pixels = apply_orientation(picture.pixels, way)
    return replace(picture, pixels=pixels, width=width, height=height, deep=deep)


def factor(size: tuple[int, int], short_side: int | None) -> int:
    """Return the largest of `FACTORS` that leaves so many pixels to the shorter side (>=)."""
    if short_side is None:
        return 1
    return next((by for by in FACTORS if -(-min(size) // by) >= short_side), 1)


def pixels_id(pixels: Pixels | Values) -> str:
    """Return the identity of pixels, in every lossless format the same.

    Take it of a picture at its size and in colour to tell equal pictures. As pixels are upright,
    a picture turned by its orientation tag equals one whose pixels were turned.
    """
    kind = "" if pixels.dtype == np.uint8 else pixels.dtype.kind
    wide = pixels.astype(np.float64) if kind else pixels  # exact for any of a picture
    digest = hashlib.blake2b(f"{pixels.shape}{kind}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(wide).data)
    return digest.hexdigest()
