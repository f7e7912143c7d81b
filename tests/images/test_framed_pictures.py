"""Pictures with few corners, within a frame: found by the hash of what lies within."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from command import run, table
from picture_files import photograph
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from splitaudit.images.fingerprint import features
from splitaudit.images.fingerprint.views import picture_views

Array = np.ndarray
SIZE = 300, 400
ICON = 72, 72


def rippled(seed: int, height: int = SIZE[0], width: int = SIZE[1]) -> Array:
    """A picture of ripples: full of edges, and with hardly a corner."""
    rng = np.random.default_rng(seed)
    large = gaussian_filter(rng.normal(0, 1, (height + 80, width + 80)), 40)[40:-40, 40:-40]
    bent = gaussian_filter(rng.normal(0, 1, (height + 80, width + 80)), 30)[40:-40, 40:-40]
    angle, (y, x) = rng.uniform(0, np.pi), np.indices((height, width))
    phase = (x * np.cos(angle) + y * np.sin(angle)) / 2 + 8 * bent / bent.std()
    grey = 128 + 30 * large / large.std() + 7 * np.cos(phase)
    return np.clip(grey[..., None] + [6, 0, -6], 0, 255).astype(np.uint8)


def within(picture: Array, widths: tuple[int, int, int, int], colour: tuple[int, ...]) -> Array:
    """A picture within bands: top, left, bottom, right."""
    top, left, bottom, right = widths
    height, width = picture.shape[:2]
    framed = np.empty((top + height + bottom, left + width + right, 3), np.uint8)
    framed[:] = colour
    framed[top : top + height, left : left + width] = picture
    return framed


def screenshot(picture: Array) -> Array:
    page = within(picture, (50, 40, 60, 40), (255, 255, 255))
    screen = Image.fromarray(within(page, (30, 0, 0, 0), (32, 33, 36)))
    ImageDraw.Draw(screen).text((60, 9), "cat.jpg", fill="white")
    return np.asarray(screen)


def mat(picture: Array) -> Array:
    return within(within(picture, (60, 60, 60, 60), (245, 243, 240)), (15,) * 4, (60, 40, 20))


# What was done to a picture of train, and what is said of it.
COPIES: dict[str, tuple[Callable[[Array], Array], str]] = {
    "letterbox": (lambda p: within(p, (70, 0, 70, 0), (0, 0, 0)), "crop"),
    "mat": (mat, "crop"),
    "screenshot": (screenshot, "crop"),
    "mirror": (lambda p: mat(p[:, ::-1]), "mirror"),
    "turned": (lambda p: mat(np.rot90(p)), "rot270"),
    "negative": (lambda p: mat(255 - p), "negative"),
}
SMALL = "icon"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Any]:
    home = tmp_path_factory.mktemp("framed")
    for split in ("train", "test"):
        (home / "data" / split).mkdir(parents=True)

    def keep(split: str, name: str, pixels: Array) -> None:
        Image.fromarray(pixels).save(home / "data" / split / f"{name}.jpg", quality=92)

    for seed, (name, (change, _)) in enumerate(COPIES.items()):
        keep("train", name, rippled(seed))
        keep("test", name, change(rippled(seed)))
    keep("train", "twice", mat(rippled(20)))  # in another frame on the other side
    keep("test", "twice", within(rippled(20), (20, 90, 40, 0), (200, 30, 30)))
    keep("train", SMALL, photograph(30, *ICON))
    keep("test", SMALL, within(photograph(30, *ICON), (12, 12, 12, 12), (20, 60, 160)))
    for seed in range(40, 46):
        keep("train", f"other{seed}", mat(rippled(seed)))
        keep("test", f"other{seed}", mat(rippled(seed + 20)))
    where = ("--out", home / "run", "--cache", home / "cache")
    ran = run("scan", home / "data", *where, "--json", cwd=home)
    assert ran.status == 1
    rows = table(home / "run", "matches").to_pylist()
    return {(row["a"], row["b"]): row for row in rows if row["accepted"]}


def test_these_pictures_have_few_corners():
    for seed in range(len(COPIES)):
        found = features.fingerprint(rippled(seed)[..., 0])
        assert len(found) < features.MAX_FEATURES / 2


@pytest.mark.parametrize("name", COPIES)
def test_a_framed_copy_is_found_by_what_lies_within(found, name):
    row = found[f"test/{name}.jpg", f"train/{name}.jpg"]
    assert COPIES[name][1] in row["transform"]
    assert "crop" in row["transform"]  # the framed one lost its frame
    assert row["coverage_b"] == pytest.approx(1, abs=0.03)
    assert row["coverage_a"] < 0.8


def test_two_frames_around_one_picture_are_no_hindrance(found):
    row = found["test/twice.jpg", "train/twice.jpg"]
    corner = np.reshape(row["homography"], (3, 3)) @ [180 / 490 - 1, 40 / 360 - 1, 1]
    expected = [150 / 550 - 1, 150 / 450 - 1]
    assert corner[:2] / corner[2] == pytest.approx(expected, abs=0.02)


def test_a_framed_icon_is_found(found):
    row = found[f"test/{SMALL}.jpg", f"train/{SMALL}.jpg"]
    assert row["coverage_a"] == pytest.approx((72 / 96) ** 2, abs=0.05)
    assert row["coverage_b"] == pytest.approx(1, abs=0.05)
    corner = np.reshape(row["homography"], (3, 3)) @ [24 / 96 - 1, 24 / 96 - 1, 1]
    assert corner[:2] / corner[2] == pytest.approx([-1, -1], abs=0.05)


def test_nothing_else_is_found(found):
    """Least of all pictures that have nothing in common but their frame."""
    assert len(found) == len(COPIES) + 2
    assert all(a.removeprefix("test/") == b.removeprefix("train/") for a, b in found)


def test_a_picture_without_border_has_one_view():
    picture = photograph(1)
    assert len(picture_views(picture, picture[..., 0], 240)) == 1
    framed = mat(picture)
    whole, inner = picture_views(framed, features.luma(framed), 390)
    assert whole.box == (-1, -1, 1, 1)
    assert inner.box == pytest.approx(
        (150 / 470 - 1, 150 / 390 - 1, 1 - 150 / 470, 1 - 150 / 390), abs=0.01
    )
    assert inner.thumbnail.shape == whole.thumbnail.shape
