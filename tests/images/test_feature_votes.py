"""Search by local features: parts and mirror images are found, and a crowd is no flood."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import scipy.stats
from test_local_features import scene

from splitaudit.images.fingerprint.feature_sets import READINGS, Features
from splitaudit.images.fingerprint.features import fingerprint
from splitaudit.images.search import feature_votes
from splitaudit.images.search.feature_votes import PAIRS_SCHEMA, concatenate_features
from splitaudit.search.turns import EITHER


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


@pytest.mark.slow
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


def test_votes_that_size_the_picture_alike_count_together():
    a, rng = drawn(1), np.random.default_rng(0)
    scale = (1.3 ** rng.uniform(0, 9, len(a))).astype(np.float32)
    a = Features(a.points, scale, a.angle, a.descriptors)
    twice = Features(a.points, 2 * scale, a.angle, a.descriptors)
    otherwise = Features(a.points, 2 / scale, a.angle, a.descriptors)
    agree, alone = (pairs([a, b], readings=[0])["votes"].to_pylist() for b in (twice, otherwise))
    assert agree == [len(a)]
    assert alone[0] < len(a) / 2


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


# How many votes there are, and how many are needed.


def ready(descriptors: np.ndarray, angle: float = 0.0, scale: float = 1.0) -> Features:
    """Features that are turned and sized alike."""
    n = len(descriptors)
    turned, sized = np.full(n, angle, np.float32), np.full(n, scale, np.float32)
    return Features(np.zeros((n, 2), np.float32), sized, turned, descriptors)


def codes(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, (n, 4), dtype=np.uint64)


def both(*some: Features) -> Features:
    return Features(*(np.concatenate([getattr(one, x) for one in some]) for x in vars(some[0])))


@pytest.mark.parametrize(("shared", "votes"), [(3, []), (4, [4]), (9, [9])])
def test_four_features_make_a_pair(shared, votes):
    a, b = (both(ready(codes(0, shared)), ready(codes(seed, 40))) for seed in (1, 2))
    found = pairs([a, ready(codes(3, 40)), b], readings=[0])
    assert found["votes"].to_pylist() == votes
    assert (found["a"].to_pylist(), found["b"].to_pylist()) == ([0] * len(votes), [2] * len(votes))


def test_a_feature_counts_once_however_many_it_is_like():
    """Of the picture that has fewer of them, whichever that is."""
    many, few = ready(np.repeat(codes(0, 3), 10, axis=0)), ready(codes(0, 3))
    for a, b in ((many, few), (few, many)):
        assert len(pairs([a, b], readings=[0])) == 0
    four = ready(np.repeat(codes(0, 4), 10, axis=0)), ready(codes(0, 4))
    for a, b in (four, four[::-1]):
        assert pairs([a, b], readings=[0])["votes"].to_pylist() == [4]


def shared(away: int, pictures: int = 30, n: int = 120) -> float:
    """The share of features that vote for the picture with so many of their bits changed."""
    seeds = range(pictures)
    rows = pairs([*(drawn(seed, n) for seed in seeds), *(drawn(k, n, away) for k in seeds)])
    assert set(rows["reading"].to_pylist()) <= {0}
    right = [row["votes"] for row in rows.to_pylist() if row["b"] == row["a"] + pictures]
    assert len(right) == len(rows)
    return sum(right) / (pictures * n)


@pytest.mark.parametrize(("away", "share"), [(20, 0.9925), (40, 0.694), (44, 0.5955), (45, 0)])
def test_so_many_features_are_met_in_ten_tables(away, share):
    """7,200 features are parted by 13 bits a table; those do not vote that differ in 45 bits."""
    assert shared(away) == pytest.approx(share, abs=0.012)


def test_few_features_are_parted_by_ten_bits():
    assert shared(40, 10, 30) == pytest.approx(0.887, abs=0.02)


def shapes(n: int, seed: int = 0) -> np.ndarray:
    """Variants of one corner of which any two differ in 48 bits or so, and some corners beside."""
    bits = np.unpackbits(codes(seed, 1).view(np.uint8))[None].repeat(n, axis=0)
    flips = np.random.default_rng(seed).random((n, 256)) < 0.104
    return np.packbits(bits ^ flips, axis=1).view(np.uint64)


@pytest.mark.parametrize("n", [2, 10, 17, 300, 4000])
def test_of_so_many_features_eight_may_be_near_by_chance(n):
    """By 256 of them, as if distances were normally distributed; within 12 to 44 bits."""
    descriptors = np.concatenate([shapes(n - n // 8), codes(1, n // 8)])
    drawn = descriptors[np.random.default_rng(0).integers(n, size=256)]
    far = np.bitwise_count(descriptors[:, None] ^ drawn).sum(axis=2, dtype=float)
    rare = scipy.stats.norm.isf(min(0.5, 8 / n))
    expected = far.mean(axis=1) - rare * far.std(axis=1)
    near = feature_votes._distance_thresholds(descriptors)
    assert (np.abs(near - np.clip(expected, 12, 44)) <= 1.001).all()
    assert np.mean(np.abs(near - np.floor(np.clip(expected, 12, 44))) > 0) < 0.01


def test_of_one_feature_all_are_near_that_may_be():
    assert feature_votes._distance_thresholds(codes(0, 1)).tolist() == [44]
    assert len(feature_votes._distance_thresholds(codes(0, 0))) == 0


@pytest.mark.parametrize(("away", "found"), [(12, {(0, 1)}), (13, set())])
def test_common_features_vote_within_twelve_bits(away, found):
    """Those of two drawings, of which the shapes are in all others, farther away."""
    shape = np.unpackbits(codes(0, 1).view(np.uint8))
    rng, drawings = np.random.default_rng(0), []
    for _ in range(3000):
        row = shape.copy()
        row[rng.permutation(256)[: rng.integers(0, 120)]] ^= 1
        drawings.append(row)
    others = [np.packbits(drawings[k::10], axis=1).view(np.uint64) for k in range(10)]
    mine = np.repeat(shape[None], 8, axis=0)
    mine[np.arange(8), np.arange(8)] ^= 1
    its = mine.copy()
    for row in its:
        row[rng.permutation(240)[:away] + 16] ^= 1
    a, b = (ready(np.packbits(rows, axis=1).view(np.uint64)) for rows in (mine, its))
    pictures = [a, b, *(ready(some, 3 * k) for k, some in enumerate(others))]
    table = pairs(pictures, readings=[0]).to_pylist()
    assert {(row["a"], row["b"]) for row in table if row["b"] == 1} == found


def test_what_a_crowd_shares_ties_each_to_the_next_sixteen():
    logo = ready(codes(0, 10))
    rows = pairs([both(logo, ready(codes(seed, 20))) for seed in range(1, 41)], readings=[0])
    found = list(zip(*(rows[name].to_pylist() for name in ("a", "b", "votes")), strict=True))
    assert found == [(a, b, 10) for a in range(40) for b in range(a + 1, min(a + 17, 40))]


@pytest.mark.parametrize(("before", "found"), [(399, {(0, 2)}), (400, set())])
def test_a_feature_is_compared_with_the_first_four_hundred_of_a_table(before, found):
    """Others stand before it in every table, for they differ in bits of which none has a table."""
    rng = np.random.default_rng(0)
    told, untold = np.arange(256) < 140, np.arange(256) >= 150
    mine = (rng.integers(0, 2, (4, 256)) * told).astype(np.uint8)
    others = np.repeat(mine ^ untold, before, axis=0)
    filler = rng.integers(0, 2, (8000, 256)) * told
    pictures = [np.asarray(bits, np.uint8) for bits in (mine, others, mine, filler)]
    packed = [ready(np.packbits(bits, axis=1).view(np.uint64)) for bits in pictures]
    table = pairs(packed, readings=[0]).to_pylist()
    assert {(row["a"], row["b"]) for row in table} == found


def turned_and_sized(turns: tuple[float, float], times: float) -> int:
    """Votes of 40 features of which half are turned, in sixteenths, and sized otherwise."""
    first, second = codes(0, 20), codes(1, 20)
    one, other = (2 * np.pi / 16 * turn for turn in turns)
    a = both(ready(first), ready(second))
    b = both(ready(first, one), ready(second, other, 1.001 * times))
    votes = pairs([a, b], readings=[0])["votes"].to_pylist()
    assert len(votes) == 1
    return int(votes[0])


@pytest.mark.parametrize(
    ("one", "other", "votes"),
    [
        (4.5, 4.1, 40),
        (4.5, 5.9, 40),
        (4.5, 6.1, 20),
        (4.5, 3.1, 40),
        (4.5, 2.9, 20),
        (15.5, 0.5, 40),
        (15.5, 1.5, 20),
        (4.5, 12.5, 20),
    ],
)
def test_votes_count_together_that_turn_a_picture_by_a_sixteenth_more(one, other, votes):
    assert turned_and_sized((one, other), 1) == votes


@pytest.mark.parametrize(
    ("times", "votes"),
    [(1, 40), (1.3, 40), (1.68, 40), (1.70, 20), (1 / 1.28, 40), (1 / 1.32, 20), (23, 20)],
)
def test_votes_count_together_that_size_a_picture_by_a_third_more(times, votes):
    assert turned_and_sized((4.5, 4.5), times) == votes


@pytest.mark.parametrize("times", [1.3**11.5, 1.3**20, 1.3**-11.5, 1.3**-30])
def test_votes_count_together_that_size_a_picture_out_of_all_proportion(times):
    a, b = ready(codes(0, 20), 0, 1), ready(codes(0, 20), 0, times)
    assert pairs([a, b], readings=[0])["votes"].to_pylist() == [20]


@pytest.mark.parametrize(("differ", "share"), [(19, 1.0), (20, 0.79)])
def test_features_are_not_compared_whole_of_which_one_word_is_far(differ, share):
    """A quarter of 44 bits and eight more: three tables of ten look at the first word."""
    rng, n = np.random.default_rng(0), 4000
    mine = rng.integers(0, 2, (n, 256), dtype=np.uint8)
    its = mine.copy()
    for row in its:
        row[rng.permutation(64)[:differ]] ^= 1
    a, b = (ready(np.packbits(rows, axis=1).view(np.uint64)) for rows in (mine, its))
    (found,) = pairs([a, b], readings=[0])["votes"].to_pylist()
    assert found / n == pytest.approx(share, abs=0.03)


# What stands in another split.


def logos(n: int) -> list[Features]:
    """Pictures that have ten features in common, and others each of its own."""
    logo = ready(codes(0, 10))
    return [both(logo, ready(codes(seed, 20))) for seed in range(1, n + 1)]


def partners(pictures: list[Features], stands: list[int]) -> list[int]:
    """How many of another split each is a pair with."""
    table = pairs(pictures, readings=[0], stands=np.array(stands))
    a, b = (table[name].to_numpy() for name in ("a", "b"))
    across = np.array(stands)[a] != np.array(stands)[b]
    many = np.bincount(np.concatenate([a[across], b[across]]), minlength=len(pictures))
    return many.tolist()


@pytest.mark.parametrize("at", [0, 50, 100])
def test_a_crowd_in_its_own_split_takes_no_vote_for_another(at):
    stands = [int(k == at) for k in range(101)]
    assert partners(logos(101), stands) == [100 if k == at else 1 for k in range(101)]


@pytest.mark.parametrize("seed", range(3))
def test_of_a_crowd_elsewhere_more_are_pairs_than_are_compared(seed):
    """So that it is noticed that there are more: the turns of pairs tell it."""
    stands = np.random.default_rng(seed).permutation(np.repeat([0, 1], [60, 140])).tolist()
    assert min(partners(logos(200), stands)) >= feature_votes.MAX_ELSEWHERE > EITHER


def test_what_looks_back_over_blocks_is_found_once(monkeypatch):
    stands = np.arange(120) % 2
    whole = pairs(logos(120), readings=[0], stands=stands)
    monkeypatch.setattr(feature_votes, "QUERY_BLOCK", 600)
    parted = pairs(logos(120), readings=[0], stands=stands)
    assert parted.equals(whole)
    assert len(parted) == len(parted.group_by(["a", "b"]).aggregate([]))


def test_each_pair_is_found_once_however_its_sides_stand():
    pictures = [drawn(seed) for seed in (1, 2, 3, 2, 1, 3, 4, 2)]
    alike = {(0, 4), (1, 3), (1, 7), (2, 5), (3, 7)}
    for stands in ([0] * 8, [0, 1] * 4, [2, 2, 1, 0, 0, 1, 2, 0]):
        table = pairs(pictures, readings=[0], stands=np.array(stands))
        assert [*zip(*(table[n].to_pylist() for n in "ab"), strict=True)] == sorted(alike)
        assert table["votes"].to_pylist() == [120] * 5
