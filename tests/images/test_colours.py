"""Other colours take more than a few edges; flags are searched by theirs."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw
from test_photographs import coloured, photograph

from splitaudit.images.fingerprint.colours import ColourLayout, layout
from splitaudit.images.fingerprint.contract import encode
from splitaudit.images.fingerprint.views import View
from splitaudit.images.verify.photographs import colours
from splitaudit.images.verify.photographs.exposure import compare, confirm

Array = np.ndarray


def glossy(*bands: tuple[int, int, int]) -> Array:
    """A flag with a rim, in light from above: of so many colours that it is no drawing."""
    made = Image.new("RGB", (320, 240), "white")
    pen = ImageDraw.Draw(made)
    for at, colour in enumerate(bands):
        pen.rectangle((28 + 88 * at, 28, 28 + 88 * (at + 1), 212), colour)
    pen.rounded_rectangle((26, 26, 294, 214), 12, outline=(90, 90, 90), width=4)
    light = np.linspace(1.0, 0.55, 240)[:, None, None] * np.linspace(1.0, 0.85, 320)[None, :, None]
    return np.rint(np.asarray(made) * light).astype(np.uint8)


FRANCE = glossy((0, 40, 150), (235, 235, 235), (240, 40, 60))
MALI = glossy((20, 160, 50), (245, 225, 30), (240, 40, 60))
SAME = np.eye(3)


def test_little_detail_proves_nothing_in_other_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    little = coloured()[:130, :130]
    assert len(photograph(little).features) < colours.MIN_FEATURES
    sides = photograph(little), photograph(little[..., ::-1])
    found = compare(*sides, orientations=(0,))
    assert found is not None
    assert found.similar
    assert compare(photograph(little), photograph(little), orientations=(0,)).accepted
    monkeypatch.setattr(colours, "MIN_FEATURES", 0)
    assert compare(*sides, orientations=(0,)).accepted  # by grey levels alone it would be


def test_what_was_seen_in_colour_at_full_size_is_not_asked_again() -> None:
    sides = photograph(FRANCE), photograph(MALI)
    assert colours.are_recoloured(sides[0].chroma, sides[1].chroma, SAME)
    assert confirm(*sides, SAME, 0.9).score == 0.9


def test_a_photograph_in_other_colours_is_the_same() -> None:
    found = compare(photograph(coloured()), photograph(coloured()[..., ::-1]), orientations=(0,))
    assert found is not None
    assert found.accepted


def test_colours_are_compared_where_both_are_seen() -> None:
    one, other = (colours.mean_chroma(each) for each in (FRANCE, MALI))
    assert colours.are_recoloured(one, other, SAME)
    assert not colours.are_recoloured(one, one, SAME)
    # What lies beyond the other picture is not compared: the third band is the same in both.
    right = np.array([[1.0, 0, -1.2], [0, 1, 0], [0, 0, 1]])
    assert not colours.are_recoloured(one, one, right) or colours.are_recoloured(one, other, SAME)
    assert not colours.are_recoloured(one, other, np.diag([1.0, 1.0, -1.0]))


@pytest.mark.parametrize(("share", "said"), [(0.19, False), (0.25, True)])
def test_a_fifth_of_the_cells_may_have_another_colour(share: float, said: bool) -> None:
    plain = np.full((colours.GRID, colours.GRID, 2), 128, np.float32)
    other = plain.copy()
    other.reshape(-1, 2)[: round(share * colours.GRID**2), 0] += colours.MAX_CHROMA + 1
    assert colours.are_recoloured(plain, other, SAME) == said


def view(pixels: Array) -> View:
    return View(pixels, pixels[..., 1].copy(), (-1.0, -1.0, 1.0, 1.0), min(pixels.shape[:2]))


def flat_bands(*bands: tuple[int, int, int]) -> Array:
    return np.repeat(np.array(bands, np.uint8)[None], 120, axis=0).repeat(120, axis=1)


def test_flags_are_near_by_their_colours() -> None:
    red, white, blue, green = (200, 20, 40), (250, 250, 250), (0, 50, 150), (0, 120, 60)
    flags = [flat_bands(red, white, blue), flat_bands(red, white, green)]
    codes = encode(ColourLayout(), [view(flag) for flag in flags], ColourLayout().load())
    assert not codes.degenerate.any()
    one, other = (np.asarray(value, float) / 127 for value in codes.values)
    assert 1 - one @ other > ColourLayout.radius
    small = np.asarray(Image.fromarray(flags[0]).resize((200, 90)))
    again = encode(ColourLayout(), [view(small)], ColourLayout().load()).values[0]
    assert 1 - one @ (np.asarray(again, float) / 127) < ColourLayout.radius


def test_what_has_shapes_or_one_colour_is_not_searched_by_colours() -> None:
    flat = np.full((200, 300, 3), 90, np.uint8)
    codes = encode(ColourLayout(), [view(coloured()), view(flat)], ColourLayout().load())
    assert codes.degenerate.tolist() == [True, True]


def test_a_layout_says_how_light_a_picture_is() -> None:
    dark, light = (np.full((32, 32, 3), level, np.uint8) for level in (30, 200))
    assert layout(dark)[-1] < 0 < layout(light)[-1]


def test_what_a_fingerprint_does_not_say_is_seen_in_the_picture() -> None:
    """It has returned one array: a picture of one colour tells nothing, and one of stripes does."""
    plain, stripes = np.full((40, 40, 3), (200, 30, 30), np.uint8), np.zeros((40, 40, 3), np.uint8)
    stripes[::8] = 255
    flags = [
        encode(ColourLayout(), [view(seen)], lambda _: np.ones((1, 195), np.float32))
        for seen in (plain, stripes, stripes.transpose(1, 0, 2))
    ]
    assert [codes.degenerate.tolist() for codes in flags] == [[True], [False], [False]]
