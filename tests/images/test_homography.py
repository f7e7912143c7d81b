"""The map on which features agree, among others that do not."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.images.verify.photographs.homography import (
    MIN_INLIERS,
    estimate_homography,
    match_descriptors,
)


def features(seed: int, agree: int, others: int, mirrored: bool = False):
    """Points of a, those of b that are said to be the same, and how these are turned and sized."""
    rng = np.random.default_rng(seed)
    a = rng.uniform(0, 300, (agree + others, 2))
    side = np.diag([-1.0, 1.0]) if mirrored else np.eye(2)
    turn, size = np.radians(30), 0.6
    c, s = size * np.cos(turn), size * np.sin(turn)
    truth = side @ np.array([[c, -s], [s, c]])
    b = a @ truth.T + [40, 20]
    b[agree:] = rng.uniform(0, 300, (others, 2))
    shape = np.column_stack([np.full(len(a), turn), np.full(len(a), np.log(size))])
    shape[:agree] += rng.normal(0, 0.08, (agree, 2))
    shape[agree:] = np.column_stack([rng.uniform(-3, 3, others), rng.uniform(-1, 1, others)])
    mixed = rng.permutation(len(a))
    return a[mixed], b[mixed], shape[mixed], truth


@pytest.mark.parametrize("mirrored", [False, True])
def test_few_that_agree_are_found_among_many(mirrored):
    a, b, shape, truth = features(0, 8, 60, mirrored)
    found, count = estimate_homography(a, b, shape, mirrored)
    assert count >= 8
    np.testing.assert_allclose(found[:2, :2], truth, atol=0.01)
    np.testing.assert_allclose(found[:2, 2], [40, 20], atol=2)


def test_unlike_pictures_have_no_map():
    for seed in range(20):
        found, count = estimate_homography(*features(seed, 0, 40)[:3], False)
        assert found is None
        assert count < MIN_INLIERS


def test_features_that_are_turned_otherwise_do_not_agree():
    a, b, shape, _ = features(1, 20, 20)
    shape[:, 0] += np.pi
    assert estimate_homography(a, b, shape, False)[0] is None


def test_nothing_is_no_error():
    none = np.zeros((0, 2))
    assert estimate_homography(none, none, none, False) == (None, 0)


# Which features are taken for one.


def codes(*ones: int) -> np.ndarray:
    """Descriptors with so many of their first bits set."""
    rows = np.zeros((len(ones), 256), np.uint8)
    for row, count in zip(rows, ones, strict=True):
        row[:count] = 1
    return np.packbits(rows, axis=1).view(np.uint64)


@pytest.mark.parametrize(("far", "found"), [(64, [[0, 0]]), (65, [])])
def test_features_that_are_taken_for_one_differ_in_a_quarter_of_their_bits(far, found):
    assert match_descriptors(codes(0), codes(far)).tolist() == found
    assert match_descriptors(codes(far), codes(0)).tolist() == found


@pytest.mark.parametrize(("second", "count"), [(50, 1), (49, 0)])
def test_the_next_best_must_be_farther(second, count):
    """45 of 50 bits are nine tenths, and of 49 more; whichever of the two comes first."""
    for others in ((45, second), (second, 45)):
        found = match_descriptors(codes(0), codes(*others)).tolist()
        assert found == [[0, others.index(45)]] * count


def test_features_are_each_others_nearest_and_the_best_come_first():
    a, b = codes(0, 100, 101, 200), codes(3, 105, 200)
    assert match_descriptors(a, b).tolist() == [[3, 2], [0, 0], [2, 1]]
    assert match_descriptors(b, a).tolist() == [[2, 3], [0, 0], [1, 2]]
    assert match_descriptors(codes(0), codes(9, 9)).tolist() == []
    assert match_descriptors(codes(0, 0), codes(9)).tolist() == [[0, 0]]


# Which of them agree.


def shifted(a: list[tuple[float, float]] | np.ndarray, turn: float = 0.0, size: float = 1.0):
    """Points, where a map has them, and features that are turned and sized as it says."""
    points = np.array(a, float)
    c, s = size * np.cos(turn), size * np.sin(turn)
    there = points @ np.array([[c, -s], [s, c]]).T + [30, 20]
    return points, there, np.tile([turn, np.log(size)], (len(points), 1))


FIVE = [(100.0, 0.0), (0.0, 0.0), (40.0, 30.0), (0.0, 50.0), (-80.0, 20.0)]


def test_five_that_agree_make_a_map_and_four_do_not():
    found, count = estimate_homography(*shifted(FIVE), False)
    assert count == 5
    np.testing.assert_allclose(found, [[1, 0, 30], [0, 1, 20], [0, 0, 1]], atol=1e-6)
    assert estimate_homography(*shifted(FIVE[:4]), False) == (None, 4)


@pytest.mark.parametrize(
    ("away", "size", "least"),
    [(10, 1, 4.123), (60, 1, 7.211), (200, 1, 20.396), (60, 2, 12.649), (60, 0.5, 5)],
)
def test_a_feature_is_off_by_four_pixels_and_a_tenth_of_its_distance(away, size, least):
    """The others stand together, but for one far away; the distance is that in the second."""
    near = 5 / min(size, 1)
    a, b, shape = shifted([(100, 0), (0, 0), (near, 0), (0, near), (-away, 0)], size=size)
    for off, count in ((0.99 * least, 5), (1.01 * least, 4)):
        moved = b + np.array([[0, 0]] * 4 + [[0, off]])
        assert estimate_homography(a, moved, shape, False)[1] == count


@pytest.mark.parametrize(("degrees", "count"), [(24.9, 5), (25.1, 0), (-24.9, 5), (-25.1, 0)])
def test_features_are_turned_as_their_map_within_25_degrees(degrees, count):
    a, b, shape = shifted(FIVE)
    shape[:, 0] += np.radians(degrees)
    assert estimate_homography(a, b, shape, False)[1] == count


@pytest.mark.parametrize(("size", "count"), [(1.49, 5), (1.51, 0), (1 / 1.49, 5), (1 / 1.51, 0)])
def test_features_are_sized_as_their_map_within_a_half(size, count):
    a, b, shape = shifted(FIVE)
    shape[:, 1] += np.log(size)
    assert estimate_homography(a, b, shape, False)[1] == count


@pytest.mark.parametrize("column", [0, 1])
def test_features_are_turned_and_sized_as_each_other(column):
    most = np.array([np.radians(25), np.log(1.5)])[column]
    for off, count in ((0.98 * most, 5), (1.02 * most, 4)):
        a, b, shape = shifted(FIVE)
        shape[4, column] += off
        assert estimate_homography(a, b, shape, False)[1] == count


@pytest.mark.parametrize(("more", "count"), [(0.2, 5), (-0.2, 5), (1.0, 0), (-1.0, 0)])
@pytest.mark.parametrize("turns", [-1, 1])
def test_angles_go_round(turns, more, count):
    a, b, shape = shifted(FIVE, np.pi - 0.1)
    shape[::2, 0] += 2 * np.pi * turns + more
    shape[1::2, 0] += more / 2
    assert estimate_homography(a, b, shape, False)[1] == count


@pytest.mark.parametrize("size", [1.0, 2.0, 0.5])
@pytest.mark.parametrize(("wide", "count"), [(8.0, 5), (7.9, 0)])
def test_two_features_that_make_a_map_are_eight_pixels_apart_in_both(wide, count, size):
    wide = wide / min(size, 1.0)
    near = [(0, 0), (wide, 0), (wide / 2, 1), (wide / 2, -1), (wide / 2, 0)]
    assert estimate_homography(*shifted(near, size=size), False)[1] == count


@pytest.mark.parametrize(("before", "count"), [(78, 5), (79, None)])
def test_maps_are_made_by_the_best_eighty(before, count):
    rng = np.random.default_rng(4)
    a, b, shape = shifted(np.concatenate([rng.uniform(0, 300, (before, 2)), FIVE]))
    b[:before] = rng.uniform(0, 300, (before, 2))
    shape[:before] = np.column_stack([rng.uniform(-3, 3, before), rng.uniform(-3, 3, before)])
    found = estimate_homography(a, b, shape, False)[1]
    assert found == count if count else found < 5


@pytest.mark.parametrize(("beside", "count"), [(4, 10), (5, 7)])
def test_no_better_map_is_sought_where_most_agree(beside, count):
    """The first two features, one of them misplaced, meet those beside them, and no others."""
    near = [(-1 - k / 2, k % 3 - 1) for k in range(beside)]
    rest = [(100 + 10 * k, 9 * (k % 3)) for k in range(8 - beside)]
    a, b, shape = shifted([(0, 0), (10, 0), *near, *rest])
    b[1, 1] += 3.5
    assert estimate_homography(a, b, shape, False)[1] == count


def leaning(p: float, across: int, down: int) -> np.ndarray:
    """The map on which points of a lattice agree that a picture seen from the side shows."""
    x, y = np.meshgrid(np.linspace(0, 330, across), np.linspace(0, 256, down))
    a, b, shape = shifted(np.column_stack([x.ravel(), y.ravel()]))
    return a, (b - [30, 20]) / (1 + p * a[:, :1]), shape


@pytest.mark.parametrize(("n", "bent"), [(11, False), (12, True)])
def test_twelve_features_bend_a_map_and_eleven_do_not(n, bent):
    a, b, shape = leaning(3e-4, 4, 4)
    found, count = estimate_homography(a[:n], b[:n], shape[:n], False)
    assert count == n
    assert found[2].tolist() == [0, 0, 1] or bent
    if bent:
        truth = [[1, 0, 0], [0, 1, 0], [3e-4, 0, 1]]
        np.testing.assert_allclose(found / found[2, 2], truth, atol=1e-5)


@pytest.mark.parametrize(("p", "bent"), [(1.4e-4, False), (1.7e-4, True)])
def test_a_map_bends_that_meets_a_tenth_more(p, bent):
    """Of 30 features, all are within 4 pixels of one that keeps parallels, or 27."""
    found, count = estimate_homography(*leaning(p, 6, 5), False)
    assert count == 30
    assert (found[2, 0] != 0) == bent
