"""Pages, clocks and flags: copies are one drawing, however coded; a changed stroke makes two."""

from __future__ import annotations

import io
from functools import cache
from math import cos, pi, sin

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from test_local_features import scene

from splitaudit.images.verify import placement
from splitaudit.images.verify.drawings import drawn, overlay
from splitaudit.images.verify.drawings.verdict import ODD_CORNERS, confirms, count_asymmetric

Picture = Image.Image
WORDS = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "hazel", "inlet", "jetty"]


@cache
def page(seed: int, changed: int | None = None) -> Picture:
    """A page of print; of one word another digit, where `changed` says so."""
    made = Image.new("RGB", (420, 560), "white")
    pen, rng = ImageDraw.Draw(made), np.random.default_rng(seed)
    pen.text((40, 16), "A manual of nothing", "black", ImageFont.load_default(16))
    for line in range(28):
        words = " ".join(rng.choice(WORDS, 8))
        text = (
            f"{line}: {words}" if line != 9 or changed is None else f"{line}: total {changed} paid"
        )
        pen.text((40, 48 + 17 * line), text, "black", ImageFont.load_default(12))
    return made


@cache
def clock(hour: int, minute: int = 0, size: int = 256) -> Picture:
    big, middle = 512, 256
    made = Image.new("RGB", (big, big), "white")
    pen = ImageDraw.Draw(made)
    pen.ellipse((20, 20, 492, 492), "#eeeeee", "#90c0d8", 34)
    for at in range(12):
        x, y = middle + 180 * sin(at * pi / 6), middle - 180 * cos(at * pi / 6)
        pen.ellipse((x - 7, y - 7, x + 7, y + 7), "#555555")
    for length, turn, wide in ((110, hour * pi / 6, 22), (165, minute * pi / 30, 14)):
        end = middle + length * sin(turn), middle - length * cos(turn)
        pen.line((middle, middle, *end), "#603020", wide)
    return made.resize((size, size), Image.Resampling.LANCZOS)


def bands(*colours: str) -> Picture:
    made = Image.new("RGB", (320, 240))
    for at, colour in enumerate(colours):
        ImageDraw.Draw(made).rectangle((at * 107, 0, 320, 240), colour)
    return made


def smaller(picture: Picture, share: float) -> Picture:
    size = round(picture.width * share), round(picture.height * share)
    return picture.resize(size, Image.Resampling.LANCZOS)


def coded(picture: Picture, quality: int) -> Picture:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def captioned(picture: Picture) -> Picture:
    made = picture.copy()
    letters = ImageFont.load_default(picture.height // 12)
    at = picture.width * 0.05, picture.height * 0.8
    pen = ImageDraw.Draw(made)
    pen.text(at, "When Monday comes", "white", letters, stroke_width=3, stroke_fill="black")
    return made


def is_same(a: Picture, b: Picture, orientation: int = 0) -> bool:
    to = placement.orientation_homography(orientation, a.size, b.size)
    return lies(a, b, to, True)


def lies(a: Picture, b: Picture, to: np.ndarray, whole: bool) -> bool:
    return confirms(np.asarray(a), np.asarray(b), placement.normalise(to, a.size, b.size), whole)


DRAWINGS = {
    "page": page(0),
    "clock": clock(3, 40),
    "flag": bands("#c81126", "#ffffff", "#003893"),
}


@pytest.mark.parametrize("share", [1, 0.75, 0.5])
@pytest.mark.parametrize("quality", [90, 25])
@pytest.mark.parametrize("name", DRAWINGS)
def test_copies_are_one_drawing(name: str, quality: int, share: float) -> None:
    original = DRAWINGS[name]
    assert is_same(original, coded(smaller(original, share), quality))
    assert is_same(coded(smaller(original, share), quality), original)


@pytest.mark.parametrize("quality", [90, 60])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (page(0), page(1)),
        (page(0, changed=88), page(0, changed=41)),
        (clock(3), clock(4)),
        (clock(3), clock(3, 5)),
        (bands("#008c45", "#f4f5f0", "#cd212a"), bands("#169b62", "#ffffff", "#ff883e")),
        (bands("#000000", "#dd0000", "#ffcc00"), bands("#000000", "#dd0000", "#ffffff")),
        (bands("#777777", "#ffffff"), bands("#aaaaaa", "#ffffff")),
    ],
)
def test_others_are_not(a: Picture, b: Picture, quality: int) -> None:
    assert not is_same(a, b)
    assert not is_same(a, coded(smaller(b, 0.75), quality))


def test_a_clock_is_not_another_one_mirrored_and_a_page_is() -> None:
    mirror = Image.Transpose.FLIP_LEFT_RIGHT
    assert is_same(clock(3).transpose(mirror), clock(9))
    assert 0 < count_asymmetric(np.asarray(clock(9)), 1) < ODD_CORNERS
    assert not is_same(clock(3), clock(9), 1)
    assert is_same(page(0), page(0).transpose(mirror), 1)


def test_a_caption_is_added_and_a_hand_is_moved() -> None:
    assert is_same(page(0), captioned(page(0)))
    assert is_same(captioned(page(0)), page(0))
    assert not is_same(clock(3), captioned(clock(3)))  # little is left that proves it
    assert not is_same(captioned(page(0)), page(1))


def ensign(arms: str) -> Picture:
    """A page of small print stands for all that two flags of a kind share; and their arms."""
    made = page(0).resize((480, 320), Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(made)
    pen.rectangle((330, 90, 440, 240), "white")
    pen.text((335, 95), arms, "black", ImageFont.load_default(70))
    return made


def test_other_arms_are_no_caption() -> None:
    assert not is_same(ensign("I"), ensign("X#"))
    assert not is_same(ensign(""), ensign("X#"))


def test_other_colours_take_more_that_proves_it() -> None:
    grey = page(0).convert("L").convert("RGB")
    tinted = Image.merge("RGB", [band.point(lambda v: v * 3 // 4) for band in page(0).split()])
    assert is_same(page(0), tinted)
    assert is_same(grey, tinted)
    flag = bands("#c81126", "#ffffff", "#003893")
    assert not is_same(flag, flag.convert("L").convert("RGB"))


def test_a_part_must_prove_itself() -> None:
    cut = page(0).crop((30, 40, 400, 540))
    to = np.array([[1.0, 0, -30], [0, 1, -40], [0, 0, 1]])
    assert lies(page(0), cut, to, False)
    flag = bands("#c81126", "#ffffff", "#003893")
    corner = flag.crop((60, 0, 320, 240))
    to = np.array([[1.0, 0, -60], [0, 1, 0], [0, 0, 1]])
    assert not lies(flag, corner, to, False)


def test_what_says_nothing_is_not_the_same() -> None:
    assert not is_same(bands("#808080"), bands("#808080"))


@pytest.mark.parametrize("picture", DRAWINGS.values(), ids=DRAWINGS)
def test_drawings_are_told(picture: Picture) -> None:
    shares = [
        drawn.common_share(np.asarray(each)) for each in (picture, coded(smaller(picture, 0.5), 60))
    ]
    assert drawn.are_drawn(*shares)


def test_photographs_are_not_drawings() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (60, 80, 3)).astype(np.uint8)
    photograph = np.asarray(Image.fromarray(noise).resize((400, 300), Image.Resampling.BICUBIC))
    share = drawn.common_share(photograph)
    assert share < 0.2
    assert not drawn.are_drawn(share, 1.0)


def test_grey_photographs_are_not_drawings() -> None:
    photograph = scene(1)
    share = drawn.common_share(np.stack([photograph] * 3, axis=-1))
    assert share < drawn.LEAST_SHARE
    assert drawn.common_share(np.asarray(page(0))) >= drawn.CLEAR_SHARE


def test_a_large_drawing_is_compared_at_a_size_that_is_bounded() -> None:
    assert overlay.shrink(np.zeros((4000, 2000, 3), np.uint8), 1600).shape == (1600, 800, 3)
    assert overlay.shrink(np.zeros((40, 20_000, 3), np.uint8), 1600).shape == (3, 1600, 3)
    small = np.zeros((300, 200, 3), np.uint8)
    assert overlay.shrink(small, 300) is small


@pytest.mark.parametrize(("height", "width"), [(24, 48), (48, 24), (96, 200), (40, 40)])
def test_small_drawings_are_enlarged_and_keep_their_shape(height: int, width: int) -> None:
    size = overlay.enlarge(np.zeros((height, width, 3), np.uint8), 96).shape[:2]
    assert size == (round(height * 96 / min(height, width)), round(width * 96 / min(height, width)))


@pytest.mark.parametrize(("tint", "grey"), [(drawn.MAX_TINT, True), (drawn.MAX_TINT + 1, False)])
def test_paper_that_has_yellowed_is_grey(tint: int, grey: bool) -> None:
    """The levels of what is grey are told apart more finely than those of a channel."""
    level = np.arange(0, 128, 2, dtype=np.uint8).repeat(4)[None]
    ramp = np.stack([level + tint, level, level], axis=-1).astype(np.uint8)
    steps = 2**drawn.GREY_BITS // 2 if grey else 2**drawn.BITS
    assert (drawn.common_share(ramp) == drawn.COLOURS / steps) == grey
