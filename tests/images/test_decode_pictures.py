"""One picture looks the same in every format, and what cannot be read says why."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

import numpy as np
import picture_files as files
import pytest
from numpy.testing import assert_array_equal
from picture_files import cmyk, difference, encoded, frames, photograph, read
from PIL import Image, ImageChops

from splitaudit import schema
from splitaudit.images.decode.pictures import pixels_id
from splitaudit.images.decode.pixels import composite, to_eight_bits

PHOTO = photograph()
GREY = np.asarray(Image.fromarray(PHOTO).convert("L"))
SMALL = {"short_side": 64, "grey": True}  # of 240: at 1/2
Array = np.ndarray


def palette_with_hole() -> bytes:
    """A palette of 256 whose entry for nothing is transparent."""
    return encoded(Image.fromarray(PHOTO).quantize(255), "PNG", transparency=255)


def with_alpha(alpha: int) -> Array:
    return np.dstack([PHOTO, np.full(PHOTO.shape[:2], alpha, np.uint8)])


def tiff(values: Array) -> bytes:
    return encoded(Image.fromarray(values), "TIFF")


@cache
def heic(orientation: int) -> bytes:
    """A HEIC file, which takes its time to be written: where a test asks for it."""
    return files.heic(PHOTO, orientation)


INVERTED = ImageChops.invert(cmyk(PHOTO))
DEEP = GREY.astype(np.uint16)
EXACT_RGB = {
    "png": encoded(PHOTO, "PNG"),
    "bmp": encoded(PHOTO, "BMP"),
    "tiff": encoded(PHOTO, "TIFF"),
    "tiff lzw": encoded(PHOTO, "TIFF", compression="tiff_lzw"),
    "ppm": encoded(PHOTO, "PPM"),
    "tga": encoded(PHOTO, "TGA"),
    "qoi": encoded(PHOTO, "QOI"),
    "webp lossless": encoded(PHOTO, "WEBP", lossless=True),
    "alpha opaque": encoded(with_alpha(255), "PNG"),
    "alpha of nothing": encoded(with_alpha(0), "PNG"),
    "16 bits": files.png16(PHOTO.astype(np.uint16) * 257),
    "16 bits, low byte empty": files.png16(PHOTO.astype(np.uint16) * 256),
    "16 bits with alpha": files.png16(with_alpha(255).astype(np.uint16) * 257),
    "cmyk tiff": encoded(cmyk(PHOTO), "TIFF"),
    **{f"exif {k} png": files.turned(PHOTO, k, "PNG") for k in files.STORED},
    **{f"exif {k} tiff": files.turned(PHOTO, k, "TIFF") for k in files.STORED},
    **{f"exif {k} webp": files.turned(PHOTO, k, "WEBP", lossless=True) for k in files.STORED},
}
EXACT_GREY = {
    "grey png": encoded(GREY, "PNG"),
    "16 bits, 12 used": files.png16(DEEP * 16),
    "16 bits, 8 used": files.png16(DEEP),
    "16-bit png": files.png16(DEEP * 257),
    "16-bit tiff": tiff(DEEP * 257),
    "32-bit tiff": tiff(GREY.astype(np.int32) * 256),
    "float tiff": tiff((GREY / 255).astype(np.float32)),
    "float tiff to 255": tiff(GREY.astype(np.float32)),
    "grey alpha": encoded(np.dstack([GREY, np.full_like(GREY, 255)]), "PNG"),
    "gif": encoded(GREY, "GIF"),
}
NEARLY = {  # levels that lossy coding, or a palette, costs on average
    "jpeg": (encoded(PHOTO, "JPEG", quality=90), 2.5),
    "jpeg progressive": (encoded(PHOTO, "JPEG", quality=90, progressive=True), 2.5),
    "jpeg in rgb": (encoded(PHOTO, "JPEG", quality=90, keep_rgb=True), 2.5),
    "jpeg cmyk, inverted as of Adobe": (encoded(cmyk(PHOTO), "JPEG", quality=90), 2.5),
    "jpeg cmyk": (
        files.without_adobe(encoded(ImageChops.invert(cmyk(PHOTO)), "JPEG", quality=90)),
        2.5,
    ),
    "webp": (encoded(PHOTO, "WEBP", quality=90), 4),
    "avif": (encoded(PHOTO, "AVIF", quality=90), 4),
    "jpeg 2000": (encoded(PHOTO, "JPEG2000"), 1),
    "palette": (encoded(Image.fromarray(PHOTO).quantize(256), "PNG"), 6),
    "palette with a hole": (palette_with_hole(), 6),
    "gif": (encoded(Image.fromarray(PHOTO).quantize(256), "GIF"), 6),
    **{f"exif {k}": (files.turned(PHOTO, k, "JPEG", quality=90), 2.5) for k in files.STORED},
    **{f"exif {k} avif": (files.turned(PHOTO, k, "AVIF", quality=90), 4) for k in files.STORED},
    **{f"exif {k} heic": (partial(heic, k), 4) for k in files.STORED},
}


@pytest.mark.parametrize("name", EXACT_RGB)
def test_lossless_colours_are_read_to_the_pixel(tmp_path: Path, name: str) -> None:
    picture = read(tmp_path, EXACT_RGB[name])
    assert_array_equal(picture.pixels, PHOTO)
    assert (picture.width, picture.height, picture.status) == (320, 240, schema.OK)
    assert pixels_id(picture.pixels) == pixels_id(PHOTO)


@pytest.mark.parametrize("name", EXACT_GREY)
def test_lossless_grey_is_read_to_the_pixel(tmp_path: Path, name: str) -> None:
    assert_array_equal(read(tmp_path, EXACT_GREY[name], grey=True).pixels, GREY)
    assert_array_equal(read(tmp_path, EXACT_GREY[name]).pixels, np.dstack([GREY] * 3))


@pytest.mark.parametrize("name", NEARLY)
def test_lossy_looks_nearly_the_same(tmp_path: Path, name: str) -> None:
    data, levels = NEARLY[name]
    picture = read(tmp_path, data)
    assert difference(picture.pixels, PHOTO) < levels
    assert (picture.width, picture.height, picture.status) == (320, 240, schema.OK)


@pytest.mark.parametrize("name", [*EXACT_RGB, *NEARLY])
def test_the_small_grey_picture_is_nearly_the_same_in_every_format(
    tmp_path: Path, name: str
) -> None:
    data = EXACT_RGB[name] if name in EXACT_RGB else NEARLY[name][0]
    picture = read(tmp_path, data, **SMALL)
    halves = GREY.reshape(120, 2, 160, 2).mean(axis=(1, 3))
    assert (
        difference(picture.pixels, halves[:120, :160]) < 4 if picture.pixels.shape[0] == 120 else 0
    )
    assert (picture.width, picture.height) == (320, 240)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    ("size", "short_side", "expected"),
    [
        ((1200, 1600), 128, (150, 200)),
        ((1600, 1024), 128, (200, 128)),
        ((1016, 1600), 128, (254, 400)),  # 127 would be too few
        ((1017, 1601), 128, (128, 201)),
        ((300, 257), 128, (150, 129)),
        ((300, 255), 128, (150, 128)),
        ((300, 254), 128, (300, 254)),
        ((100, 2000), 128, (100, 2000)),
        ((1, 1), 128, (1, 1)),
        ((1200, 1600), None, (1200, 1600)),
    ],
)
def test_the_shorter_side_keeps_what_is_asked(
    tmp_path: Path,
    form: str,
    size: tuple[int, int],
    short_side: int | None,
    expected: tuple[int, int],
) -> None:
    data = encoded(np.zeros((*size, 3), np.uint8), form)
    for grey in (False, True):
        picture = read(tmp_path, data, short_side=short_side, grey=grey)
        assert picture.pixels.shape == (expected if grey else (*expected, 3))
        assert (picture.height, picture.width) == size


def test_a_decoded_jpeg_has_the_identity_of_its_lossless_copy(tmp_path: Path) -> None:
    jpeg = read(tmp_path, encoded(PHOTO, "JPEG", quality=80)).pixels
    assert pixels_id(read(tmp_path, encoded(jpeg, "PNG")).pixels) == pixels_id(jpeg)
    assert pixels_id(read(tmp_path, encoded(jpeg, "BMP")).pixels) == pixels_id(jpeg)


def test_identity_tells_pixels_and_shape() -> None:
    changed = PHOTO.copy()
    changed[100, 100, 1] ^= 1
    assert pixels_id(changed) != pixels_id(PHOTO)
    assert pixels_id(PHOTO.reshape(320, 240, 3)) != pixels_id(PHOTO)
    assert pixels_id(np.asfortranarray(PHOTO)) == pixels_id(PHOTO)


# What exists only in alpha.


def logo(colour: int) -> Array:
    """A disc of one colour on nothing, shape (96, 96, 4); below nothing lies the same colour."""
    rows, columns = np.mgrid[:96, :96] - 47.5
    alpha = np.clip(30 - np.hypot(rows, columns), 0, 1) * 255
    return np.dstack([np.full((96, 96, 3), colour), alpha]).astype(np.uint8)


@pytest.mark.parametrize("colour", [0, 128, 230, 250, 255])
@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_a_logo_that_exists_only_in_alpha_is_seen(tmp_path: Path, form: str, colour: int) -> None:
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    data = encoded(logo(colour), form, **options)
    for asked in ({}, {"grey": True}, {"short_side": 48, "grey": True}):
        assert np.ptp(read(tmp_path, data, **asked).pixels) >= 25


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    half = with_alpha(255)
    half[:, :160, 3] = 0
    pixels = read(tmp_path, encoded(half, "PNG")).pixels
    assert (pixels[:, :160] == 255).all()
    assert_array_equal(pixels[:, 160:], PHOTO[:, 160:])


def test_transparent_entries_of_a_palette_lie_on_white(tmp_path: Path) -> None:
    grey = Image.fromarray(np.repeat(np.arange(8, dtype=np.uint8), 8).reshape(8, 8) * 20)
    for form in ("PNG", "GIF"):
        pixels = read(tmp_path, encoded(grey.quantize(16), form, transparency=0), grey=True).pixels
        assert (pixels == 255).any()


def test_a_transparent_edge_takes_no_colour_from_below(tmp_path: Path) -> None:
    layer = np.zeros((64, 64, 4), np.uint8)
    layer[..., 0] = 255  # red where nothing is to be seen
    layer[:, 33:] = (0, 0, 255, 255)
    small = read(tmp_path, encoded(layer, "PNG"), short_side=8).pixels
    assert (small[..., 0] == small[..., 1]).all()


def test_what_is_light_on_nothing_lies_on_black() -> None:
    def laid(colour: int) -> int:
        layer = logo(colour).astype(int)
        layer[..., :3] = layer[..., :3] * layer[..., 3:] // 255
        return int(composite(layer.astype(np.uint8))[0, 0, 0])

    assert [laid(colour) for colour in (0, 128, 235, 245, 255)] == [255, 255, 255, 0, 0]


# More than 8 bits.


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_odd_ranges_are_stretched(kind: type) -> None:
    heights = np.linspace(-400, 8_800, 1000).astype(kind).reshape(10, 100)
    scaled = to_eight_bits(heights)
    assert (scaled.min(), scaled.max()) == (0, 255)
    assert (np.diff(scaled.ravel().astype(int)) >= 0).all()


def test_what_is_no_number_does_not_spoil_the_rest() -> None:
    values = np.linspace(0, 1, 256).astype(np.float32).reshape(16, 16)
    values[0, :3] = np.nan, np.inf, -np.inf
    scaled = to_eight_bits(values).ravel()
    assert_array_equal(scaled[3:], np.arange(3, 256))
    assert scaled[:3].tolist() == [0, 255, 0]
    assert (to_eight_bits(np.full((4, 4), np.nan, np.float32)) == 0).all()


# Several pictures in one file.


@pytest.mark.parametrize("form", ["GIF", "WEBP", "TIFF", "PNG"])
def test_the_first_of_several_is_read(tmp_path: Path, form: str) -> None:
    many = frames(3)
    options = {"lossless": True} if form == "WEBP" else {}
    data = encoded(many[0], form, save_all=True, append_images=many[1:], **options)
    assert_array_equal(read(tmp_path, data, grey=True).pixels, np.asarray(many[0]))
