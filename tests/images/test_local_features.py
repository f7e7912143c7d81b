"""Local features: from all over a picture, the same of its copies, and known in a mirror."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
from picture_files import photograph

from splitaudit.images.fingerprint.feature_sets import READINGS, Features, transform_descriptors
from splitaudit.images.fingerprint.features import MAX_FEATURES, fingerprint

# What a picture becomes when it is seen so, and its points then.
SEEN = {
    "plain": (lambda p: p, 1),
    "mirrored": (np.fliplr, -1),
    "negative": (lambda p: 255 - p, 1),
    "mirrored negative": (lambda p: 255 - np.fliplr(p), -1),
}


@cache
def scene(seed: int = 0) -> np.ndarray:
    """A grey picture with detail of its own, as no cloud has it."""
    rng = np.random.default_rng(seed)
    picture = photograph(seed, 300, 400)[..., 0].astype(int)
    for _ in range(300):
        y, x, h, w = rng.integers((0, 0, 3, 3), (295, 395, 30, 30))
        picture[y : y + h, x : x + w] += rng.integers(-60, 60)
    return np.clip(picture, 0, 255).astype(np.uint8)


def beside(a: Features, b: Features, across: int) -> tuple[np.ndarray, np.ndarray]:
    """Which features of two pictures stand at the same place on the same scale."""
    moved = b.points * np.array([across, 1])
    away = np.abs(a.points[:, None] - moved).max(axis=2) + 9 * (a.scale[:, None] != b.scale)
    mine = np.flatnonzero(away.min(axis=1) < 0.02)
    return mine, away.argmin(axis=1)[mine]


@pytest.mark.parametrize("reading", range(4))
def test_a_reading_is_what_the_picture_seen_so_has(reading):
    seen, across = SEEN[READINGS[reading]]
    plain, other = fingerprint(scene()), fingerprint(np.ascontiguousarray(seen(scene())))
    mine, its = beside(plain, other, across)
    assert len(mine) > 0.6 * MAX_FEATURES
    far = np.bitwise_count(
        transform_descriptors(plain.descriptors, reading)[mine] ^ other.descriptors[its]
    )
    assert np.median(far.sum(axis=1)) <= 8  # of 256; unlike features differ in about 110
    for wrong in set(range(4)) - {reading}:
        far = np.bitwise_count(
            transform_descriptors(plain.descriptors, wrong)[mine] ^ other.descriptors[its]
        )
        assert np.median(far.sum(axis=1)) > 80


def test_a_part_at_another_size_has_the_same_features():
    picture = scene()
    part = np.repeat(np.repeat(picture[60:240, 80:320], 2, axis=0), 2, axis=1)
    a, b = fingerprint(picture), fingerprint(part)
    far = np.bitwise_count(a.descriptors[:, None] ^ b.descriptors).sum(axis=2)
    there = a.points / 0.6
    found = np.abs(there - b.points[far.argmin(axis=1)]).max(axis=1) < 0.03
    assert found.sum() > 40


def test_features_come_from_all_over_the_picture():
    picture = (scene() // 3 + 80).astype(np.uint8)
    picture[:100, :100] = scene(1)[:100, :100]  # a corner with much stronger contrast
    points = fingerprint(picture).points
    strong = ((points[:, 0] < -0.5) & (points[:, 1] < -1 / 3)).mean()
    assert strong < 0.4
    assert all(((points * x > 0).all(axis=1)).sum() > 20 for x in ([1, 1], [-1, 1], [1, -1]))


@pytest.mark.parametrize("shape", [(97, 97), (97, 3000), (300, 400)])
def test_a_flat_picture_has_none(shape):
    features = fingerprint(np.full(shape, 128, np.uint8))
    assert len(features) == 0
    assert features.descriptors.shape == (0, 4)


def test_the_same_picture_has_the_same_features():
    a, b = fingerprint(scene()), fingerprint(scene().copy())
    assert len(a) == MAX_FEATURES
    for name in ("points", "scale", "angle", "descriptors"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_a_text_does_not_take_all_features():
    soft = cv2.GaussianBlur(scene(), (0, 0), 2)
    for row in range(14):  # the upper half, black and white
        place, ink = (5, 20 + 10 * row), 255 * (row % 2)
        cv2.putText(soft, "small print " * 6, place, cv2.FONT_HERSHEY_SIMPLEX, 0.3, ink, 1)
    assert (fingerprint(soft).points[:, 1] > 0.05).mean() > 0.18
