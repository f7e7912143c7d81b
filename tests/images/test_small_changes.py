"""Small pictures that look alike and are no copies: something is gone, and something has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import cos, pi, sin
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from picture_files import photograph
from PIL import Image, ImageDraw

from splitaudit import schema
from splitaudit.engine.jobs import UNDECIDED_FOLDER, File, signature
from splitaudit.images.decode.boxes import WHOLE
from splitaudit.images.decode.thumbnail import SIDE, thumbnail
from splitaudit.images.fingerprint.hash import ORIENTATIONS
from splitaudit.images.verify.thumbnails.changes import Changes
from splitaudit.images.verify.thumbnails.compare import Pair, Thumbnails

BIG, WHOLE_COVERAGE = 384, 0.9
Draw = Callable[[int], Image.Image]


def portrait(shot: int) -> Image.Image:
    """Somebody in front of a wall, who turns and nods a little from shot to shot."""
    page = Image.fromarray(photograph(3, BIG, BIG))
    pen = ImageDraw.Draw(page)
    x, y = 190 + 9 * shot, 180 + 5 * shot
    pen.rectangle((x - 90, y + 110, x + 90, BIG), "#3c4678")
    pen.ellipse((x - 70, y - 90, x + 70, y + 110), "#d7af96")
    for eye in (-28, 28):
        pen.ellipse((x + eye + 6 * shot - 9, y - 20, x + eye + 6 * shot + 9, y - 2), "#141414")
    pen.arc((x - 30, y + 20, x + 30, y + 60), 20 - 15 * shot, 160 + 15 * shot, "#802020", 8)
    return page


def gauge(turn: int) -> Image.Image:
    """A dial with one hand."""
    page = Image.new("RGB", (BIG, BIG), "white")
    pen, middle = ImageDraw.Draw(page), BIG / 2
    pen.ellipse((15, 15, BIG - 15, BIG - 15), "#f2f2e8", "#4878a0", 24)
    for tick in range(8):
        x, y = middle + 135 * cos(tick * pi / 4), middle + 135 * sin(tick * pi / 4)
        pen.ellipse((x - 6, y - 6, x + 6, y + 6), "#404040")
    end = middle + 120 * cos(turn), middle + 120 * sin(turn)
    pen.line((middle, middle, *end), "#602010", 16)
    return page


def banner(colour: int) -> Image.Image:
    """Three fields, of which the third has one of several colours of about one grey level."""
    page = Image.new("RGB", (BIG, BIG), "white")
    pen = ImageDraw.Draw(page)
    for at, fill in enumerate(("#c01828", "#f4f4f4", ("#2060b0", "#207838", "#a04088")[colour])):
        pen.rectangle((20 + 115 * at, 80, 134 + 115 * at, 300), fill)
    pen.rectangle((18, 78, BIG - 18, 302), outline="#606060", width=4)
    return page


KINDS: dict[str, Draw] = {"portrait": portrait, "gauge": gauge, "banner": banner}


def kept(page: Image.Image, side: int, path: Path, **options: int) -> Path:
    page.resize((side, side), Image.Resampling.LANCZOS).save(path, **options)
    return path


def pair(a: Path, b: Path, finest: int) -> Pair:
    files = tuple(File(str(of), None, None, signature(str(of)), of.name) for of in (a, b))
    seen = [thumbnail(np.asarray(Image.open(of).convert("RGB"))).tobytes() for of in (a, b)]
    return Pair("a b 0 0", seen[0], seen[1], 0, (WHOLE, WHOLE), files, finest)


def proven(two: Pair, folder: Path) -> dict[str, object]:
    assert Thumbnails().verify([two], folder) == 1
    (row,) = pq.read_table(folder).to_pylist()
    return dict(row)


@pytest.mark.parametrize("side", [64, 72])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_or_shot_anew_is_no_copy(kind: str, side: int, tmp_path: Path) -> None:
    a, b = (kept(KINDS[kind](of), side, tmp_path / f"{of}.png") for of in (0, 2))
    assert not proven(pair(a, b, side), tmp_path / "facts")["accepted"]


@pytest.mark.parametrize("kind", ["gauge", "banner"])
def test_drawings_of_a_thumbnail_s_size_differ_by_a_stroke_or_a_colour(
    kind: str, tmp_path: Path
) -> None:
    for other in (1, 2):
        a, b = (kept(KINDS[kind](of), SIDE, tmp_path / f"{of}.png") for of in (0, other))
        folder = tmp_path / f"facts {other}"
        assert not proven(pair(a, b, SIDE), folder)["accepted"]


@pytest.mark.parametrize("kind", ["gauge", "banner"])
def test_a_copy_of_a_drawing_of_a_thumbnail_s_size_is_one(kind: str, tmp_path: Path) -> None:
    a = kept(KINDS[kind](1), SIDE, tmp_path / "a.png")
    for side, quality in ((SIDE, 60), (2 * SIDE, 90)):
        b = kept(KINDS[kind](1), side, tmp_path / f"{side}.jpg", quality=quality)
        assert proven(pair(a, b, SIDE), tmp_path / f"facts {side}")["accepted"]


@pytest.mark.parametrize("side", [SIDE, 64, 96])
@pytest.mark.parametrize(("kind", "told"), [("gauge", True), ("banner", False)])
def test_a_part_must_prove_itself(kind: str, told: bool, side: int, tmp_path: Path) -> None:
    """Three fields of colour are in many a banner; all of one upon all of the other is a copy."""
    a = kept(KINDS[kind](1), side, tmp_path / "a.png")
    b = kept(KINDS[kind](1).crop((0, 0, 330, 330)), side, tmp_path / "b.png")
    row = proven(pair(a, b, side), tmp_path / "facts")
    assert max(row["coverage_a"], row["coverage_b"]) >= WHOLE_COVERAGE > row["coverage_a"]
    assert row["accepted"] == told


@pytest.mark.parametrize("side", [SIDE, 64])
def test_a_dial_is_no_mirror_image_of_another(side: int, tmp_path: Path) -> None:
    a = kept(gauge(1), side, tmp_path / "a.png")
    mirrored = gauge(1).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    b = kept(mirrored, side, tmp_path / "b.png")
    turned = replace(pair(a, b, side), variant=ORIENTATIONS.index("mirror"))
    assert not proven(turned, tmp_path / "facts")["accepted"]


@pytest.mark.parametrize("side", [64, 72])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_stored_anew_is_a_copy(kind: str, side: int, tmp_path: Path) -> None:
    a = kept(KINDS[kind](1), side, tmp_path / "a.png")
    b = kept(KINDS[kind](1), side * 5 // 4, tmp_path / "b.jpg", quality=70)
    row = proven(pair(a, b, side), tmp_path / "facts")
    assert row["accepted"]
    assert not row["similar"]


def test_detail_that_a_thumbnail_has_lost_is_looked_at_in_the_files(tmp_path: Path) -> None:
    """Four places have other grain, each pixel by itself: averaged, it is gone."""
    rng = np.random.default_rng(1)
    shots = [photograph(5, 96, 96).astype(float) for _ in range(2)]
    for shot in shots:
        for y, x in ((20, 20), (20, 60), (60, 20), (60, 60)):
            shot[y : y + 12, x : x + 12] += rng.choice([-30, 30], (12, 12, 1))
    paths = [tmp_path / name for name in ("a.png", "b.png")]
    for shot, path in zip(shots, paths, strict=True):
        Image.fromarray(np.clip(shot, 0, 255).astype(np.uint8)).save(path)
    coarse, fine = (proven(pair(*paths, n), tmp_path / f"{n}") for n in (SIDE, 96))
    assert coarse["accepted"]
    assert not fine["accepted"]
    assert fine["similar"]


def test_a_pair_whose_file_changed_is_undecided_and_no_other(tmp_path: Path) -> None:
    a, b = (kept(portrait(0), 72, tmp_path / f"{name}.png") for name in "ab")
    gone = pair(a, b, 72)
    b.write_bytes(b"something else")
    assert Thumbnails().verify([gone], tmp_path / "facts") == 1
    (row,) = pq.read_table(tmp_path / "facts" / UNDECIDED_FOLDER).to_pylist()
    assert row["status"] == schema.UNDECIDED


@pytest.mark.parametrize(
    ("differs", "left"),
    [(Changes(0, 0, 0), 1.0), (Changes(2, 2, 2), 0.2), (Changes(0, 0, 0.5), 0.99)],
)
def test_little_is_left_where_much_has_changed(differs: Changes, left: float) -> None:
    assert differs.left == pytest.approx(left, abs=0.01)
