"""Pictures whose end is missing: what was not decoded is not seen; what fills up is no damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from picture_files import chunk, difference, encoded, photograph, read, turned
from PIL import Image

from splitaudit import schema

PHOTO = photograph()
JPEG = encoded(PHOTO, "JPEG", quality=90)
GROUND = np.full((40, 320, 3), 128, np.uint8)  # as what was not decoded of a JPEG


def cut(data: bytes, percent: int) -> bytes:
    return data[: len(data) * percent // 100]


FORMS = {
    "jpeg": JPEG,
    "jpeg of whole colours": encoded(PHOTO, "JPEG", quality=90, subsampling=0),
    "png": encoded(PHOTO, "PNG"),
    "png with alpha": encoded(Image.fromarray(PHOTO).convert("RGBA"), "PNG"),
    "tiff": encoded(PHOTO, "TIFF"),
    "gif": encoded(Image.fromarray(PHOTO).quantize(64), "GIF", interlace=0),
    "webp": encoded(PHOTO, "WEBP", quality=99),
    "webp lossless": encoded(PHOTO, "WEBP", lossless=True),
}


@pytest.mark.parametrize("percent", [50, 85])
@pytest.mark.parametrize("name", FORMS)
def test_what_was_not_decoded_is_not_seen(tmp_path: Path, name: str, percent: int) -> None:
    whole = read(tmp_path, FORMS[name])
    for asked in ({}, {"short_side": 120}):
        part = read(tmp_path, cut(FORMS[name], percent), **asked)
        assert part.status == schema.TRUNCATED
        assert (part.width, part.identity) == (320, None)
        assert 0.2 * 240 < part.height < 240
        rows, columns = part.pixels.shape[:2]
        assert part.height == pytest.approx(rows * 320 / columns, abs=2)
        if not asked:
            assert f"{rows} of 240 rows" in (part.error or "")
            assert difference(part.pixels, whole.pixels[:rows]) < 1


def test_a_bitmap_that_is_stored_from_below_lacks_its_top(tmp_path: Path) -> None:
    part = read(tmp_path, cut(encoded(PHOTO, "BMP"), 60))
    assert_array_equal(part.pixels, PHOTO[-part.height :])
    assert 120 < part.height < 144


def test_a_part_is_turned_as_the_whole(tmp_path: Path) -> None:
    part = read(tmp_path, cut(turned(PHOTO, 6, "JPEG", quality=90), 60))
    assert part.height == 240
    assert part.pixels.shape[:2] == (240, part.width)
    assert difference(part.pixels, PHOTO[:, -part.width :]) < 3


def test_a_coarse_whole_is_seen_whole(tmp_path: Path) -> None:
    part = read(tmp_path, cut(encoded(PHOTO, "JPEG", quality=90, progressive=True), 60))
    assert (part.status, part.height) == (schema.TRUNCATED, 240)


@pytest.mark.parametrize("percent", [40, 60])
def test_rows_between_others_are_drawn_from_above(tmp_path: Path, percent: int) -> None:
    whole = encoded(Image.fromarray(PHOTO).quantize(64), "GIF", interlace=1)
    part = read(tmp_path, cut(whole, percent))
    assert (part.status, part.height) == (schema.TRUNCATED, 240)
    assert difference(part.pixels, PHOTO) < 16


def test_ground_of_that_colour_is_no_damage(tmp_path: Path) -> None:
    onto = np.concatenate([PHOTO, GROUND])
    for form in ("JPEG", "PNG", "WEBP"):
        picture = read(tmp_path, encoded(onto, form))
        assert (picture.status, picture.height) == (schema.OK, 280)
        assert picture.pixels.shape == onto.shape


def test_so_little_is_left_that_it_is_kept_as_it_is(tmp_path: Path) -> None:
    part = read(tmp_path, cut(JPEG, 20))
    assert (part.status, part.height) == (schema.TRUNCATED, 240)


def test_a_webp_cannot_ask_for_memory(tmp_path: Path) -> None:
    data = FORMS["webp"][:4] + b"\xf0\xff\xff\xff" + cut(FORMS["webp"], 60)[8:]
    with pytest.raises(Exception, match="damaged at its start"):
        read(tmp_path, data)


# Padding.

BYTES = [b"\0", b" ", b"\xff", b"\xaa"]


@pytest.mark.parametrize("byte", BYTES)
@pytest.mark.parametrize("many", [5, 33, 5000])
def test_bytes_that_fill_a_jpeg_up_are_no_damage(tmp_path: Path, byte: bytes, many: int) -> None:
    whole = read(tmp_path, JPEG)
    preview = JPEG[:2] + b"\xff\xe1" + (len(JPEG) + 2).to_bytes(2, "big") + JPEG + JPEG[2:]
    for data in (JPEG, preview):
        for end in (b"\xff\xd9", b""):
            picture = read(tmp_path, data[:-2] + byte * many + end)
            assert (picture.status, picture.error) == (schema.OK, None)
            assert_array_equal(picture.pixels, whole.pixels)


def test_bytes_in_place_of_what_is_missing_are_damage(tmp_path: Path) -> None:
    half = len(JPEG) // 2
    for byte in BYTES:
        for end in (b"\xff\xd9", b""):
            assert read(tmp_path, JPEG[:half] + byte * half + end).status == schema.TRUNCATED
    rng = np.random.default_rng(3)
    left = rng.integers(0, 255, 60, np.uint8).tobytes()
    assert read(tmp_path, JPEG[:-2] + left + JPEG[-2:]).status == schema.TRUNCATED


def test_a_png_of_more_data_than_pixels_is_whole(tmp_path: Path) -> None:
    png = encoded(PHOTO, "PNG")
    assert read(tmp_path, png + chunk(b"IDAT", bytes(99))).status == schema.OK
