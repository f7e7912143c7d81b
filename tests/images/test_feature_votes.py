"""Search by local features: parts and mirror images are found, and a crowd is no flood."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from test_local_features import scene

from splitaudit.images.fingerprint.feature_sets import READINGS, Features
from splitaudit.images.fingerprint.features import fingerprint
from splitaudit.images.search import feature_votes
from splitaudit.images.search.feature_votes import PAIRS_SCHEMA, concatenate_features


def drawn(seed: int, n: int = 120, away: int = 0) -> Features:
    """Features as of a picture of its own; of equal seeds equal but for `away` bits of each."""
    rng, other = np.random.default_rng(seed), np.random.default_rng([seed, away])
    bits = rng.integers(0, 2, (n, 256), dtype=np.uint8)
    points = rng.uniform(-1, 1, (n, 2)).astype(np.float32)
    angle = rng.uniform(0, 6, n).astype(np.float32)
    for row in bits:
        row[other.permutation(256)[:away]] ^= 1
    return Features(
        points, np.ones(n, np.float32), angle, np.packbits(bits, axis=1).view(np.uint64)
    )


def pairs(pictures: list[Features], **options: object) -> pa.Table:
    return feature_votes.pairs(concatenate_features(pictures), **options)  # type: ignore[arg-type]


def found(pictures: list[Features], **options: object) -> set[tuple[int, int]]:
    table = pairs(pictures, **options)
    return set(zip(table["a"].to_pylist(), table["b"].to_pylist(), strict=True))


def test_a_picture_with_changed_bits_is_found_and_no_other():
    pictures = [drawn(seed) for seed in range(60)] + [drawn(7, away=15), drawn(8, away=15)]
    assert found(pictures) == {(7, 60), (8, 61)}


SEEN = (lambda p: p, np.fliplr, lambda p: 255 - p, lambda p: 255 - np.fliplr(p))


@pytest.mark.parametrize("reading", range(len(READINGS)))
def test_a_part_is_found_however_it_is_seen(reading):
    part = np.rot90(SEEN[reading](scene(3)[30:270, 40:360]))
    pictures = [fingerprint(np.ascontiguousarray(p)) for p in (*map(scene, range(6)), part)]
    rows = pairs(pictures).to_pylist()
    most = max(rows, key=lambda row: row["votes"])
    assert (most["a"], most["b"], most["reading"]) == (3, 6, reading)
    others = [row["votes"] for row in rows if (row["a"], row["b"]) != (3, 6)]
    assert most["votes"] > 3 * max(others, default=0)


def test_what_is_common_elsewhere_hides_no_other():
    """A hundred drawings of a few shapes: near features say little of those, and much of others."""
    shapes = drawn(0, 40)
    drawings = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        bits = np.unpackbits(shapes.descriptors.view(np.uint8), axis=1)
        for row in bits:
            row[rng.permutation(256)[: rng.integers(5, 15)]] ^= 1
        codes = np.packbits(bits, axis=1).view(np.uint64)
        angle = rng.uniform(0, 6, 40).astype(np.float32)
        drawings.append(Features(shapes.points, shapes.scale, angle, codes))
    meadows = [drawn(seed, away=away) for away in (0, 30) for seed in (5, 6)]
    assert {(100, 102), (101, 103)} <= found([*drawings, *meadows])


def test_votes_that_turn_the_picture_differently_are_no_evidence():
    a, rng = drawn(1), np.random.default_rng(0)
    turned = rng.uniform(0, 6, len(a)).astype(np.float32)
    b = Features(a.points, a.scale, turned, a.descriptors)
    agree, alone = (pairs([a, other], readings=[0])["votes"].to_pylist() for other in (a, b))
    assert agree[0] == len(a)
    assert alone[0] < len(a) / 3


def test_what_a_crowd_shares_ties_each_to_the_next_few():
    logo, n = drawn(99, 40), 300
    crowd = []
    for seed in range(n):
        own = drawn(seed, 40)
        both = [np.concatenate([getattr(logo, x), getattr(own, x)]) for x in vars(own)]
        crowd.append(Features(*both))
    table = pairs(crowd, readings=[0])
    assert n - 1 <= len(table) <= 20 * n  # of 45,000
    following = {(a, b) for a, b in found(crowd) if b == a + 1}
    assert len(following) == n - 1  # so that they hang together


def test_parts_of_a_collection_are_looked_up_in_blocks_as_all_at_once(monkeypatch):
    pictures = [drawn(seed, n) for seed, n in enumerate([50, 0, 90, 30] * 15)]
    pictures += [drawn(seed, 90, away=12) for seed in (2, 6, 30, 58)]
    whole = pairs(pictures)
    assert {(2, 60), (6, 61), (30, 62), (58, 63)} <= found(pictures)
    monkeypatch.setattr(feature_votes, "QUERY_BLOCK", 70)
    monkeypatch.setattr(feature_votes, "TABLE_BLOCK", 1000)
    parted = pairs(pictures)
    assert parted.select(["a", "b", "reading"]).equals(whole.select(["a", "b", "reading"]))
    ours, theirs = (np.array(table["votes"]) for table in (parted, whole))
    assert (np.abs(ours - theirs) <= 0.2 * theirs).all()  # a block has tables of its own


@pytest.mark.parametrize("pictures", [[], [drawn(0, 0)], [drawn(0, 0), drawn(1)], [drawn(1)]])
def test_few_pictures_or_none(pictures):
    table = pairs(pictures)
    assert table.schema == PAIRS_SCHEMA
    assert len(table) == 0
