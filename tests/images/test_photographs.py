"""The same exposure, however it was cut, framed or turned; and not another of the scene."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from test_local_features import scene

from splitaudit.images.fingerprint.features import fingerprint
from splitaudit.images.fingerprint.hash import ORIENTATIONS
from splitaudit.images.verify.photographs.exposure import Photograph, Proof, compare, prepare

Array = np.ndarray


NOTHING = fingerprint(np.zeros((97, 97), np.uint8))  # no features


def photograph(pixels: Array) -> Photograph:
    pixels = np.ascontiguousarray(pixels)
    return prepare(pixels, fingerprint(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)))


@cache
def coloured(seed: int = 0) -> Array:
    return np.stack([scene(seed), scene(seed) // 2 + 40, 255 - scene(seed) // 3], axis=-1)


def proof(a: Array, b: Array, **hints: object) -> Proof:
    found = compare(photograph(a), photograph(b), **hints)  # type: ignore[arg-type]
    assert found is not None
    return found


def jpeg(pixels: Array) -> Array:
    coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 20])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))


def blurred(pixels: Array) -> Array:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(2)))


def noisy(pixels: Array, seed: int = 0, deviation: float = 12) -> Array:
    noise = np.random.default_rng(seed).normal(0, deviation, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def bordered(pixels: Array) -> Array:
    return np.pad(pixels, ((60, 60), (20, 20), (0, 0)))


def rotated(pixels: Array) -> Array:
    return np.asarray(Image.fromarray(pixels).rotate(-7, Image.Resampling.BICUBIC))


def beside_another(pixels: Array) -> Array:
    return np.concatenate([coloured(5), pixels], axis=1)


def bent(pixels: Array) -> Array:
    height, width = pixels.shape[:2]
    start = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    inwards = np.array([[20, 10], [-5, 0], [-25, -5], [0, -20]], np.float32)
    to = cv2.getPerspectiveTransform(start, start + inwards)
    return np.asarray(cv2.warpPerspective(pixels, to, (width, height)))


def partly_covered(pixels: Array) -> Array:
    covered = pixels.copy()
    covered[200:, :200] = 240
    return covered


def with_logo(pixels: Array) -> Array:
    marked = pixels.copy()
    cv2.circle(marked, (340, 250), 35, (230, 20, 20), -1)
    cv2.putText(marked, "COPY", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (255, 255, 255), 4)
    return marked


def written_over(pixels: Array) -> Array:
    """Large letters right across it, a fifth of its height."""
    marked = pixels.copy()
    cv2.putText(marked, "MONDAY", (5, 180), cv2.FONT_HERSHEY_SIMPLEX, 3.3, (240, 240, 40), 14)
    return marked


def labelled(pixels: Array) -> Array:
    """A plate that the picture is seen through a little, and a word on it."""
    plate = pixels.copy()
    cv2.rectangle(plate, (250, 200), (390, 290), (10, 60, 10), -1)
    marked = cv2.addWeighted(plate, 0.75, pixels, 0.25, 0)
    cv2.putText(marked, "LOGO", (270, 250), cv2.FONT_HERSHEY_SIMPLEX, 1, (200, 30, 30), 3)
    return np.asarray(marked)


def in_bars(pixels: Array) -> Array:
    return np.pad(jpeg(pixels), ((70, 70), (0, 0), (0, 0)))


# What is done to a picture, and what the proof says in words; None: that is not asked.
COPIES: dict[str, tuple[Callable[[Array], Array], str | None]] = {
    "recoded": (jpeg, "recompressed"),
    "smaller": (lambda p: np.ascontiguousarray(p[::2, ::2]), None),
    "blurred": (blurred, None),
    "noisy": (noisy, None),
    "mirrored": (np.fliplr, "mirror"),
    "upside down": (lambda p: np.rot90(p, 2), "rot180"),
    "turned": (np.rot90, "rot90"),
    "turned back": (lambda p: np.rot90(p, -1), "rot270"),
    "rotated": (rotated, "rotated 7 degrees"),
    "negative": (lambda p: 255 - p, "negative"),
    "part": (lambda p: p[30:270, 60:340], "crop 0.56"),
    "part of a mirrored negative": (lambda p: 255 - p[20:260, 340:20:-1], "mirror, crop 0.64"),
    "framed": (bordered, "border"),
    "squeezed": (lambda p: cv2.resize(p, (320, 300), interpolation=cv2.INTER_AREA), "stretch 0.80"),
    "bent": (bent, "perspective"),
    "beside another": (beside_another, "border"),
    "darker": (lambda p: (p * 0.5).astype(np.uint8), "contrast 0.50"),
    "marked": (with_logo, None),
    "written over": (written_over, "recompressed"),
    "labelled": (labelled, "recompressed"),
    "in bars": (in_bars, "border"),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_accepted_and_told(name):
    change, words = COPIES[name]
    found = proof(coloured(), np.ascontiguousarray(change(coloured())))
    assert found.accepted
    assert words is None or words in found.transform


def test_what_is_told_of_a_part():
    found = proof(coloured(), coloured()[30:270, 60:340])
    assert found.coverage_a == pytest.approx(240 * 280 / (300 * 400), abs=0.01)
    assert found.coverage_b == pytest.approx(1, abs=0.01)
    x, y, w = found.homography @ [1, -1, 1]  # the first row's last corner, beyond the part
    assert (x / w, y / w) == pytest.approx((200 / 140, -150 / 120), abs=0.02)


def test_what_is_told_of_a_negative_that_is_darker():
    found = proof(coloured(), ((255 - coloured()) * 0.5).astype(np.uint8))
    assert found.gain == pytest.approx(-2, abs=0.05)
    assert found.bias == pytest.approx(255, abs=4)


@pytest.mark.parametrize("name", ["recoded", "part", "mirrored", "framed"])
def test_both_ways_are_alike(name):
    copy = np.ascontiguousarray(COPIES[name][0](coloured()))
    there, back = proof(coloured(), copy), proof(copy, coloured())
    assert back.score == pytest.approx(there.score, abs=0.05)
    assert back.coverage_a == pytest.approx(there.coverage_b, abs=0.02)
    both = back.homography @ there.homography
    np.testing.assert_allclose(both / both[2, 2], np.eye(3), atol=0.02)


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_an_orientation_of_a_hash_is_enough(name):
    turn = {"rot90": np.rot90, "rot180": lambda p: np.rot90(p, 2), "flip": np.flipud}
    turn |= {"rot270": lambda p: np.rot90(p, 3), "mirror": np.fliplr, "upright": lambda p: p}
    turn |= {"transpose": lambda p: p.swapaxes(0, 1)}
    turn |= {"transverse": lambda p: np.rot90(p, 2).swapaxes(0, 1)}
    a, b = coloured(), np.ascontiguousarray(turn[name](coloured()))
    hints = {"readings": (), "orientations": (ORIENTATIONS.index(name),)}
    found = compare(prepare(a, NOTHING), prepare(b, NOTHING), **hints)
    assert found is not None
    assert found.accepted
    assert found.transform == ("recompressed" if name == "upright" else name)
    wrong = {"readings": (), "orientations": ((ORIENTATIONS.index(name) + 3) % 8,)}
    other = compare(prepare(a, NOTHING), prepare(b, NOTHING), **wrong)
    assert other is None or not other.accepted


def test_another_picture_is_not_accepted():
    for seed in range(1, 8):
        found = compare(photograph(coloured(0)), photograph(coloured(seed)), orientations=(0,))
        assert found is None or found.score < 0.1


def frame(moved: int) -> Array:
    """A frame of a film: somebody walks through a scene that stands still."""
    picture, walker = coloured(0).copy(), coloured(9)[50:250, 100:180]
    picture[80:280, 40 + moved : 120 + moved] = walker
    return picture


@pytest.mark.parametrize("moved", [8, 30, 120])
def test_two_frames_of_a_film_are_not_one_exposure(moved):
    assert proof(frame(0), jpeg(frame(0))).score > 0.8
    found = compare(photograph(frame(0)), photograph(frame(moved)), orientations=(0,))
    assert found is None or not found.accepted


def breathing(by: float) -> Array:
    """A frame in which somebody has moved by a few pixels, and nothing has been uncovered."""
    picture = coloured(0).copy()
    y, x = np.mgrid[:300, :400].astype(np.float32)
    body = np.exp(-(((x - 120) / 90) ** 4) - ((y - 150) / 110) ** 4).astype(np.float32)
    return np.asarray(cv2.remap(picture, x - by * body, y, cv2.INTER_CUBIC))


@pytest.mark.parametrize("by", [3.0, 4.0])
def test_who_moves_a_little_is_not_missed(by):
    assert proof(coloured(0), jpeg(breathing(0))).accepted
    assert not proof(breathing(0), breathing(by)).accepted


def wall(*, seen: bool) -> Array:
    """A picture with a wall in it, and something that has come in before that: nothing has gone."""
    picture = np.dstack([scene()] * 3)
    picture[40:260, 40:220] = 110
    if seen:
        picture[80:200, 60:170] = np.dstack([scene(6)] * 3)[80:200, 60:170]
    return picture


def test_what_has_come_before_a_wall_is_no_ink():
    """It has many levels; the wall, which it hides, has one, but nothing ends where that ends."""
    assert proof(wall(seen=False), jpeg(wall(seen=False))).accepted
    found = proof(wall(seen=False), wall(seen=True))
    assert not found.accepted
    assert found.similar


def test_what_two_shots_have_in_common_is_told():
    found = proof(frame(0), frame(30))
    assert found.similar
    assert found.common > 0.7
    np.testing.assert_allclose(found.homography, np.eye(3), atol=0.02)
    assert not proof(coloured(), jpeg(coloured())).similar
    other = compare(photograph(coloured(0)), photograph(coloured(3)), orientations=(0,))
    assert other is None or not other.similar


def test_two_shots_of_a_scene_are_not_one_exposure():
    """From another place, what is near has moved against what is far."""
    far, near = coloured(0), coloured(4)
    stands = np.zeros((300, 400), bool)
    stands[120:, ::1] = scene(7)[120:] > 120
    one, other = far.copy(), far.copy()
    one[stands] = near[stands]
    moved = np.roll(stands, 7, axis=1)
    other[moved] = np.roll(near, 7, axis=1)[moved]
    found = compare(photograph(one), photograph(other), orientations=(0,))
    assert found is None or not found.accepted


def test_nothing_is_told_of_a_part_that_it_does_not_show():
    """All detail lies in one corner: how the rest would be turned or bent cannot be seen."""
    wall = np.full((300, 400, 3), 140, np.uint8)
    wall[100:200, 150:250] = coloured()[100:200, 150:250]
    part = cv2.resize(wall[60:240, 100:340], (400, 300), interpolation=cv2.INTER_AREA)
    found = proof(wall, jpeg(part))
    assert found.accepted
    assert found.transform == "crop 0.36"
    assert found.coverage_a == pytest.approx(0.36, abs=0.01)


def test_light_is_told_as_it_is_beside_a_text():
    found = proof(coloured(), written_over(coloured()))
    assert found.gain == pytest.approx(1, abs=0.1)
    assert found.bias == pytest.approx(0, abs=12)


def test_flat_pictures_prove_nothing():
    flat = photograph(np.full((300, 400, 3), 90, np.uint8))
    assert compare(flat, flat, orientations=range(16)) is None
    assert compare(photograph(coloured()), flat, orientations=(0, 8)) is None


def test_small_and_narrow_pictures_are_no_error():
    strip = coloured()[:97, :200]
    assert proof(strip, jpeg(np.ascontiguousarray(strip))).accepted
    wide = photograph(np.concatenate([coloured(seed) for seed in range(5)], axis=1)[:97])
    assert compare(wide, photograph(coloured(9)), orientations=(0, 6)) is None


def sky(seed: int, corner: str, contrast: float = 1.0, noise: float = 12) -> Array:
    """A plain picture with a name on a plate in one of its corners."""
    cells = np.random.default_rng(seed).uniform(20, 150, (4, 5, 3))
    light = (85 + contrast * (cells - 85)).astype(np.uint8)
    image = Image.fromarray(light).resize((500, 340), Image.Resampling.BICUBIC)
    draw, x, y = ImageDraw.Draw(image), *{"first": (15, 15), "last": (360, 265)}[corner]
    draw.rounded_rectangle((x, y, x + 125, y + 60), 12, fill=(225, 225, 235))
    draw.text((x + 14, y + 7), "LOGO", fill=(190, 20, 30), font=ImageFont.load_default(size=40))
    return noisy(np.asarray(image), seed, noise)


@pytest.mark.parametrize("corner", ["first", "last"])
@pytest.mark.parametrize("seed", range(4))
def test_one_logo_on_two_pictures_makes_no_copy(seed, corner):
    a, b = sky(seed, "first"), sky(seed + 10, corner)
    found = compare(photograph(a), photograph(b))
    assert found is None or not found.accepted


def worded(seed: int, y: int, contrast: float) -> Array:
    """A plain picture with large letters across it."""
    plain = cv2.GaussianBlur(coloured(seed), (0, 0), 8).astype(float)
    picture = np.clip(110 + contrast * (plain - 110), 0, 255).astype(np.uint8)
    cv2.putText(picture, "WHEN MONDAY", (8, y), cv2.FONT_HERSHEY_DUPLEX, 1.6, (250, 250, 250), 4)
    return picture


@pytest.mark.parametrize("contrast", [1, 0.4])
@pytest.mark.parametrize("seed", range(4))
def test_the_same_words_on_two_pictures_make_no_copy(seed, contrast):
    a, b = worded(seed, 60, contrast), worded(seed + 10, 270, contrast)
    found = compare(photograph(a), photograph(b))
    assert found is None or not found.accepted
    assert proof(a, blurred(a)).accepted


@pytest.mark.parametrize("change", [jpeg, blurred, rotated, with_logo, partly_covered])
def test_a_plain_picture_with_a_logo_is_found_again(change):
    picture = sky(0, "first", noise=3)
    assert proof(picture, change(picture)).accepted


def test_light_that_says_nothing_of_the_other_is_no_proof():
    """A logo at one place is all that a plain wall and a sky have in common."""
    found = compare(photograph(sky(0, "first", 0.0)), photograph(sky(1, "first")))
    assert found is None or not found.accepted


def test_negatives_are_proven_by_their_orientation_where_no_feature_agrees() -> None:
    """Each orientation stands twice in the codes of a hash: as it is, and as a negative."""
    a, b = photograph(coloured()), photograph(255 - coloured())
    hints = {"readings": (), "orientations": (len(ORIENTATIONS),)}
    found = compare(a, b, **hints)
    assert found is not None
    assert found.accepted
    plain = compare(a, b, readings=(), orientations=(0,))
    assert plain is None or not plain.accepted
