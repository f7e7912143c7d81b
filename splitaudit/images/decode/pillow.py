"""Pictures that Pillow reads, and what their files say of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import TYPE_CHECKING

import numpy as np

from splitaudit import schema
from splitaudit.errors import MediaError
from splitaudit.images.decode.cut import CUT, open_cut_webp
from splitaudit.images.decode.pixels import Pixels, Values, composite, holds_more, to_eight_bits

if TYPE_CHECKING:
    from PIL import Image

# Those that hold pictures and are decoded in this process: EPS would start Ghostscript.
FORMATS = (
    *("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "DIB", "AVIF", "JPEG2000"),
    *("PPM", "TGA", "PSD", "ICO", "PCX", "SGI", "QOI", "DDS", "SUN"),
)
MAX_PIXELS = 178_956_970  # pixels (<=) decoded of a picture: 0.7 GB in RGB; Pillow's limit
ORIENTATION = 0x0112  # tag of EXIF
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # brands


@contextmanager
def open_image(file: BufferedReader, head: bytes) -> Iterator[Image.Image]:
    """Open a picture without decoding it.

    Parameters
    ----------
    file
        At its start.
    head
        Its first bytes.

    Raises
    ------
    MediaError
        unreadable, or unsupported: also where it has more than `MAX_PIXELS` pixels, whose memory
        is not taken.
    """
    with _identify(file, head) as image:
        if image.width * image.height > MAX_PIXELS:
            raise too_large_error(image.width * image.height)
        yield image


def too_large_error(pixels: int) -> MediaError:
    """Return the refusal of a picture of so many pixels."""
    reason = f"{pixels:,} pixels are more than the {MAX_PIXELS:,} that are decoded"
    return MediaError(schema.UNSUPPORTED, reason)


def _identify(file: BufferedReader, head: bytes) -> Image.Image:
    from PIL import Image, UnidentifiedImageError

    try:
        return _heic(file) if _is_heic(head) else _open(file, head)
    except Image.DecompressionBombError as error:  # before we can ask for its size
        raise too_large_error(int(re.findall(r"\d+", str(error))[0])) from None
    except UnidentifiedImageError:
        reason = "no picture of a known format, or damaged at its start"
        raise MediaError(schema.UNREADABLE, reason) from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise MediaError(schema.UNREADABLE, f"damaged at its start: {_error_text(error)}") from None


def _open(file: BufferedReader, head: bytes) -> Image.Image:
    from PIL import Image

    try:
        return Image.open(file, formats=FORMATS)
    except OSError:
        file.seek(0)
        cut = open_cut_webp(file.read()) if head[:4] + head[8:12] == b"RIFFWEBP" else None
        if cut is None:
            raise
        return cut


def _is_heic(head: bytes) -> bool:
    """Whether the brands of an ISO file (ISO/IEC 14496-12) are those of HEIC, not of AVIF."""
    if head[4:8] != b"ftyp":
        return False
    brands = head[8 : int.from_bytes(head[:4], "big")]
    return any(b in brands for b in HEIC) and b"avif" not in brands and b"avis" not in brands


def _heic(file: BufferedReader) -> Image.Image:
    try:
        import pillow_heif
    except ImportError:
        reason = 'HEIC is read after `pip install "splitaudit[heic]"`'
        raise MediaError(schema.UNSUPPORTED, reason) from None
    from PIL import Image

    pillow_heif.register_heif_opener()
    return Image.open(file, formats=("HEIF",))


def orientation(image: Image.Image) -> int:
    """Return which way up a picture is, 1 to 8 as in EXIF; 1 where it does not say.

    Ask after decoding: of some formats, Pillow turns the pixels itself and then says 1.
    """
    try:
        told = image.getexif().get(ORIENTATION, 1)
    except Exception:  # parsers trip over hostile metadata; the pixels are good without
        return 1
    return told if told in range(1, 9) else 1


def decode(image: Image.Image, factor: int, grey: bool) -> tuple[Pixels, str | None]:
    """Decode a picture, of several the first.

    Parameters
    ----------
    image
        As `open_image`.
    factor
        How much smaller it is to become.
    grey
        Luma instead of RGB.

    Returns
    -------
    pixels
        uint8, shape (height, width) or (height, width, 3).
    fault
        What is wrong with them, or None.

    Raises
    ------
    MediaError
        unsupported
    """
    fault = _load(image) or image.info.get(CUT)
    try:
        opaque = _convert_opaque(image, factor)
    except ValueError:  # "conversion from LAB to RGB not supported"
        raise MediaError(schema.UNSUPPORTED, f"pixels of the kind {image.mode}") from None
    return np.asarray(opaque.convert("L" if grey else "RGB")), fault


def deep_values(image: Image.Image) -> Values | None:
    """Return what a decoded picture holds of more than 8 bits; None where its pixels tell all."""
    if not _is_deep(image):
        return None
    values = np.asarray(image)
    return values if holds_more(values) else None


def _is_deep(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;")


def _load(image: Image.Image) -> str | None:
    """Decode the pixels; return why some could not be."""
    try:
        image.load()
        return None
    except MemoryError:
        raise MediaError(schema.ERROR, "there is not memory enough to decode it") from None
    except Exception as error:  # decoders trip over hostile files
        fault = _error_text(error)
    try:
        image.tile = []  # type: ignore[attr-defined]  # nothing left to do: keep what there is
        image.load()
    except Exception:
        raise MediaError(schema.UNREADABLE, f"nothing could be decoded: {fault}") from None
    return fault


def _convert_opaque(image: Image.Image, factor: int) -> Image.Image:
    """Return a picture of 8 bits, L or RGB, that is smaller by a factor."""
    from PIL import Image, ImageChops

    if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        image = ImageChops.invert(image)  # Pillow takes all for inverted, as Adobe's are
    if _is_deep(image):
        image = Image.fromarray(to_eight_bits(np.asarray(image)))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"))
        # Where all is transparent, the colours below are what a program shows that drops alpha.
        if alpha.min() < 255 and alpha.max() > 0:
            return Image.fromarray(composite(np.asarray(image.convert("RGBa").reduce(factor))))
    image = image.convert("L" if image.mode in ("1", "L") else "RGB")
    return image.reduce(factor)


def _error_text(error: Exception) -> str:
    return (str(error) or type(error).__name__).replace("\n", " ")
