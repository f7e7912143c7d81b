"""Borders: planted bands are found to the pixel, pictures without any are left whole."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from picture_files import photograph
from PIL import Image, ImageDraw

from splitaudit.images.decode.borders import Box, inner_box, is_frame

WIDTHS = st.tuples(*4 * [st.one_of(st.just(0), st.integers(3, 70))])  # top, left, bottom, right
COLOURS = st.tuples(*3 * [st.integers(0, 255)])


def banded(picture: np.ndarray, widths: Box, colour: tuple[int, ...]) -> tuple[np.ndarray, Box]:
    """A picture within bands, and where it lies."""
    (height, width), (top, left, bottom, right) = picture.shape[:2], widths
    shape = (top + height + bottom, left + width + right, 3)
    framed = np.broadcast_to(np.array(colour, np.uint8), shape).copy()
    framed[top : top + height, left : left + width] = picture
    return framed, (top, left, top + height, left + width)


def compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def noisy(picture: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, deviation, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def textured(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return photograph(seed, int(rng.integers(110, 260)), int(rng.integers(110, 260)))


def whole(picture: np.ndarray) -> Box:
    return (0, 0, *picture.shape[:2])


def away(found: Box, expected: Box) -> int:
    return int(np.abs(np.subtract(found, expected)).max())


@given(st.integers(0, 10_000), WIDTHS, COLOURS)
@settings(deadline=None, max_examples=40)
def test_bands_of_any_colour_are_found_to_the_pixel(seed, widths, colour):
    picture = textured(seed)
    framed, expected = banded(picture, widths, colour)
    assume(clear_of(colour, picture))
    assert away(inner_box(framed), expected) <= 1


def clear_of(colour: tuple[int, ...], picture: np.ndarray) -> bool:
    """Whether no side of a picture has the colour of the band: nobody could tell them apart."""
    sides = (picture[:3], picture[-3:], picture[:, :3], picture[:, -3:])
    off = [(np.abs(side.astype(int) - colour).max(axis=2) > 30).mean() for side in sides]
    return min(off) > 0.6


@given(st.integers(0, 10_000), WIDTHS, COLOURS, st.floats(0, 5), st.integers(60, 95))
@settings(deadline=None, max_examples=40)
def test_noise_and_compression_move_them_by_a_pixel_or_two(
    seed, widths, colour, deviation, quality
):
    picture = textured(seed)
    framed, expected = banded(picture, widths, colour)
    assume(clear_of(colour, picture))
    assert away(inner_box(compressed(noisy(framed, deviation), quality)), expected) <= 3


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=40)
def test_a_picture_without_bands_is_left_whole(seed):
    picture = textured(seed)
    assert away(inner_box(picture), whole(picture)) <= 1  # a line of one colour may be a border
    assert away(inner_box(compressed(picture, 50)), whole(picture)) <= 1


@given(COLOURS, st.floats(0, 8))
@example((0, 1, 0), 0.125)
@settings(deadline=None, max_examples=30)
def test_a_flat_picture_is_left_whole(colour, deviation):
    flat = np.broadcast_to(np.array(colour, np.uint8), (90, 120, 3))
    assert inner_box(noisy(flat, deviation)) == whole(flat)


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (2, 2), (300, 1, 3), (5, 5, 3)])
def test_a_tiny_picture_is_left_whole(shape):
    assert inner_box(np.zeros(shape, np.uint8)) == (0, 0, *shape[:2])


def test_a_grey_picture_has_borders_too():
    framed, expected = banded(textured(1), (20, 30, 40, 0), (255, 255, 255))
    assert away(inner_box(framed[..., 1]), expected) <= 1


def test_bands_within_bands_are_taken_away():
    mat, at = banded(textured(2), (12, 12, 12, 12), (245, 243, 240))
    framed, _ = banded(mat, (9, 9, 9, 9), (60, 40, 20))
    assert away(inner_box(framed), tuple(np.add(at, 9))) <= 1


def test_the_frame_of_a_screenshot_is_taken_away():
    """A side bar, a title bar with words, and margins of other widths, of other colours."""
    page, at = banded(textured(3), (40, 25, 60, 10), (255, 255, 255))
    bar, _ = banded(page, (30, 0, 0, 0), (32, 33, 36))
    screen, _ = banded(bar, (0, 50, 0, 0), (240, 240, 245))
    image = Image.fromarray(screen)
    ImageDraw.Draw(image).text((60, 9), "cat.jpg", fill="white")
    assert away(inner_box(np.asarray(image)), tuple(np.add(at, (30, 50, 30, 50)))) <= 1


def test_a_sky_above_roofs_is_kept():
    picture = textured(4)
    rows, columns = np.indices(picture.shape[:2])
    sky = rows < 60 + 25 * np.sin(columns / 17)
    night = np.where(sky[..., None], np.uint8(9), picture)
    assert inner_box(night) == whole(night)


def test_a_cloud_in_a_sky_is_kept():
    """Though the sea below begins along a straight line."""
    picture = textured(4)
    sky = np.zeros(picture.shape[:2], bool)
    sky[:60] = True
    sky[10:35, : round(0.4 * picture.shape[1])] = False
    night = np.where(sky[..., None], np.uint8(9), picture)
    assert inner_box(night)[0] == 0


def test_bands_may_be_as_noisy_as_a_scan():
    framed, expected = banded(textured(7), (40, 30, 20, 25), (120, 60, 30))
    assert away(inner_box(noisy(framed, 8)), expected) <= 1


def test_bands_are_found_in_bad_jpegs():
    """Colours ring over a block of 16 pixels; a band that ends in it is found all the same."""
    found = 0
    for seed in range(12):
        framed, expected = banded(textured(seed), (37, 43, 29, 51), (30, 90, 200))
        found += away(inner_box(compressed(framed, 20)), expected) <= 3
    assert found >= 11


def test_a_thing_on_white_is_kept():
    picture = textured(5)
    rows, columns = np.indices(picture.shape[:2])
    middle = np.array(picture.shape[:2]) / 2
    round_one = np.hypot(*(np.stack([rows, columns]) - middle[:, None, None])) < 0.45 * min(
        picture.shape[:2]
    )
    assert inner_box(np.where(round_one[..., None], picture, np.uint8(255))) == whole(picture)


def test_a_ramp_is_left_whole():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 200, axis=1)
    for picture in (ramp, ramp.T, ramp[::-1]):
        assert inner_box(picture) == whole(picture)


def test_a_small_thing_in_a_wide_margin_is_no_framed_picture():
    framed, _ = banded(textured(6)[:60, :60], (150, 150, 150, 150), (255, 255, 255))
    assert inner_box(framed) == whole(framed)


@pytest.mark.parametrize("upright", [True, False])
def test_a_narrow_thing_as_high_as_the_picture_is_no_framed_picture(upright):
    """What is left between bands is a fifth of the picture at least, in both directions."""
    for wide, kept in ((60, False), (110, True)):
        framed, at = banded(textured(6)[:, :wide], (0, 150, 0, 150), (255, 255, 255))
        framed, at = (
            (framed, at) if upright else (framed.swapaxes(0, 1), (150, 0, 150 + wide, at[2]))
        )
        assert away(inner_box(framed), at if kept else whole(framed)) <= 1


# Objects on plain ground.


def thing(side: int, legs: int) -> np.ndarray:
    """A round body on white, with or without legs, drawn large and made smaller."""
    image = Image.new("L", (600, 600), 255)
    draw = ImageDraw.Draw(image)
    draw.ellipse((150, 200, 450, 330), 90)
    for leg in range(legs):
        draw.line((200 + 100 * leg, 265, 180 + 100 * leg, 420), 90, 8)
    return np.asarray(image.resize((side, side), Image.Resampling.LANCZOS))


@pytest.mark.parametrize("legs", [0, 3])
@pytest.mark.parametrize("side", [300, 420])
def test_what_lies_around_an_object_is_no_frame(side: int, legs: int) -> None:
    body = (side // 3, side // 4, 330 * side // 600, 3 * side // 4)
    assert not is_frame(thing(side, legs), body)


def test_a_seat_with_legs_is_no_frame() -> None:
    chair = np.full((300, 300), 255, np.uint8)
    chair[100:200, 80:220] = 70
    assert is_frame(chair, (100, 80, 200, 220))
    chair[200:260, 90:94] = 70  # it stands on legs
    assert not is_frame(chair, (100, 80, 200, 220))


def test_what_lies_around_a_picture_is_a_frame() -> None:
    for seed in range(6):
        framed = np.full((300, 380), 240, np.uint8)
        framed[40:260, 30:350] = photograph(seed, 220, 320)[..., 0]
        framed[10:20, 60:160:4] = 20  # a title
        assert is_frame(compressed(framed, 50), (40, 30, 260, 350))
