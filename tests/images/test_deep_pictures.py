"""Pictures of more than 8 bits: whatever part of their range they use, it is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from picture_files import encoded, photograph, png16, read
from PIL import Image

from splitaudit.images.decode.pixels import to_eight_bits

GREY = np.asarray(Image.fromarray(photograph()).convert("L"))
DEEP = GREY.astype(np.uint16)
FLOAT = GREY.astype(np.float32)
Array = np.ndarray


def outlier(values: Array, value: float) -> Array:
    values = values.copy()
    values[0, 0] = value
    return values


def padded(values: Array, value: float) -> Array:
    """A slanted strip along the left side without data, half of the picture."""
    rows, columns = np.indices(values.shape)
    return np.where(columns < 160 + rows // 8, values.dtype.type(value), values)


RANGES = {
    "reflectance, and a saturated pixel": outlier(200 + 10 * DEEP, 16_000),
    "14 bits": DEEP * 64,
    "tomography": outlier(padded(1000 + DEEP, 0), 65_535),
    "narrow, high up": outlier(outlier(40_000 + 2 * DEEP, 0), 65_535),
    "below zero": outlier(DEEP.astype(np.int32) * 3 - 900, 30_000),
    "heights, and no data": padded(FLOAT / 4 + 310, -9999),
    "no data of floats": padded(FLOAT / 4 + 310, -3.4e38),
    "dark reals": outlier(FLOAT / 255 / 10, 1),
    "of 255, dark": outlier(FLOAT / 12, 255),
}


@pytest.mark.parametrize("name", RANGES)
def test_the_part_of_a_range_that_is_used_is_seen(name: str) -> None:
    scaled = to_eight_bits(RANGES[name])[30:, 210:].astype(float)
    right = GREY[30:, 210:].astype(float)
    assert np.corrcoef(scaled.ravel(), right.ravel())[0, 1] > 0.999
    assert scaled.std() > 0.9 * right.std()


def test_what_fills_its_range_keeps_its_highest_bits() -> None:
    rng = np.random.default_rng(1)
    full = DEEP * 257 + rng.integers(-128, 128, DEEP.shape).astype(np.uint16)
    assert_array_equal(to_eight_bits(full), full >> 8)
    assert_array_equal(to_eight_bits(outlier(DEEP * 16 + 1, 4095)), outlier(GREY, 255))


def test_dark_pictures_of_8_bits_in_16_are_as_they_were() -> None:
    dark = (GREY // 8 + 20).astype(np.uint16)
    for wide in (dark, dark * 256, dark * 257, (dark / 255).astype(np.float32)):
        assert_array_equal(to_eight_bits(wide), dark)


def test_noise_is_not_blown_up() -> None:
    rng = np.random.default_rng(2)
    assert np.ptp(to_eight_bits(rng.integers(3000, 3005, (40, 40)).astype(np.uint16))) <= 4
    assert np.ptp(to_eight_bits((0.5 + rng.normal(0, 1e-6, (40, 40))).astype(np.float32))) <= 1


@pytest.mark.parametrize("values", [0, 7, 300, 65_535, -3, 70_000])
@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_one_value_or_two_are_no_hindrance(values: int, kind: type) -> None:
    flat = np.full((8, 8), values, kind)
    assert np.ptp(to_eight_bits(flat)) == 0
    assert len(np.unique(to_eight_bits(outlier(flat, 1000)))) == 2


def identity(folder: Path, data: bytes) -> str:
    found = read(folder, data).identity
    assert found is not None
    return found


def test_pictures_of_16_bits_equal_those_of_the_same_values(tmp_path: Path) -> None:
    values = 200 + 10 * DEEP
    mine = identity(tmp_path, png16(values))
    assert mine == identity(tmp_path, encoded(Image.fromarray(values), "TIFF"))
    as_shown = np.dstack([read(tmp_path, png16(values)).pixels[..., 0]] * 3)
    others = [png16(values + 1), png16(2 * values), encoded(as_shown, "PNG")]
    assert mine not in [identity(tmp_path, each) for each in others]
    assert read(tmp_path, png16(values), short_side=100).identity is None


def test_8_bits_written_as_16_equal_those_of_8(tmp_path: Path) -> None:
    mine = identity(tmp_path, encoded(GREY, "PNG"))
    for wide in (DEEP, DEEP * 256, DEEP * 257):
        assert identity(tmp_path, png16(wide)) == mine
    assert identity(tmp_path, encoded(Image.fromarray(FLOAT / 255), "TIFF")) == mine
    assert identity(tmp_path, png16(DEEP * 257 + 1)) != mine
