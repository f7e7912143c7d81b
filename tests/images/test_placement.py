"""Where a picture lies in another, as simply as can be said."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.images.verify.placement import (
    coverages,
    denormalise,
    describe_coverage,
    describe_light,
    describe_map,
    estimate_light,
    fit_gain_bias,
    magnification,
    normalise,
    orientation_homography,
    simplify,
    to_pixels,
)

SIZE = 400, 300
ALL = np.stack(np.meshgrid(np.arange(8, 400, 16), np.arange(8, 300, 16)), -1).reshape(-1, 2) * 1.0
FEW = ALL[(abs(ALL - [200, 150]) < 20).all(axis=1)]


def around(linear, shift=(0, 0), bend=(0, 0)):
    """A map that leaves the middle where it is, but for a shift."""
    to = np.eye(3)
    to[:2, 2] = 200 + shift[0], 150 + shift[1]
    back = np.eye(3)
    back[:2, 2] = -200, -150
    inner = np.eye(3)
    inner[:2, :2], inner[2, :2] = linear, bend
    return to @ inner @ back


def turn(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


@pytest.mark.parametrize(
    ("linear", "bend", "said"),
    [
        (0.7 * turn(0), (0, 0), []),
        (0.7 * turn(-90), (0, 0), ["rot90"]),
        (np.diag([-1.0, 1.0]) * 1.3, (0, 0), ["mirror"]),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), (0, 0), ["transpose"]),
        (np.diag([1.0, 0.8]), (0, 0), ["stretch 1.25"]),
        (turn(7), (0, 0), ["rotated 7 degrees"]),
        (turn(7) @ np.diag([-1.0, 1.0]), (0, 0), ["mirror", "rotated 7 degrees"]),
        (turn(0), (4e-4, 0), ["perspective"]),
    ],
)
def test_a_map_stays_what_it_is(linear, bend, said):
    homography = around(linear, (3, -2), bend)
    found = simplify(homography, ALL)
    assert describe_map(found, SIZE, SIZE) == said
    np.testing.assert_allclose(found / found[2, 2], homography / homography[2, 2], atol=0.02)


@pytest.mark.parametrize(
    ("linear", "bend"), [(turn(1.6), (0, 0)), (np.diag([1.0, 0.95]), (0, 0)), (turn(0), (3e-4, 0))]
)
def test_what_a_few_points_do_not_show_is_not_told(linear, bend):
    homography = around(linear, (0, 0), bend)
    assert describe_map(homography, SIZE, SIZE)
    found = simplify(homography, FEW)
    assert describe_map(found, SIZE, SIZE) == []
    assert describe_map(simplify(homography, ALL), SIZE, SIZE)


def test_light_follows_from_most_pixels():
    rng = np.random.default_rng(0)
    its = rng.uniform(0, 200, 5000).astype(np.float32)
    mine = (1.2 * its + 10 + rng.normal(0, 2, 5000)).astype(np.float32)
    mine[::5] = 255
    assert fit_gain_bias(mine, its) == pytest.approx((1.2, 10), abs=0.5)
    assert fit_gain_bias(its[:0], its[:0]) == (1, 0)


# What is told, and what is too little to be told.


@pytest.mark.parametrize(
    ("linear", "bend", "said"),
    [
        (turn(0.99), (0, 0), []),
        (turn(1.01), (0, 0), ["rotated 1 degrees"]),
        (turn(-1.01), (0, 0), ["rotated -1 degrees"]),
        (turn(-90.99), (0, 0), ["rot90"]),
        (turn(-91.01), (0, 0), ["rot90", "rotated -1 degrees"]),
        (turn(44.9), (0, 0), ["rotated 45 degrees"]),
        (turn(45.1), (0, 0), ["rot270", "rotated -45 degrees"]),
        (np.diag([np.exp(0.029), 1]), (0, 0), []),
        (np.diag([np.exp(0.031), 1]), (0, 0), ["stretch 1.03"]),
        (np.diag([1, np.exp(0.029)]), (0, 0), []),
        (np.diag([1, np.exp(0.031)]), (0, 0), ["stretch 0.97"]),
        (turn(0), (0.99e-4, 0), []),
        (turn(0), (1.01e-4, 0), ["perspective"]),  # the corners lie 2 % of the picture off
    ],
)
def test_words_are_told_from_so_much_on(linear, bend, said):
    assert describe_map(around(linear, (0, 0), bend), SIZE, SIZE) == said


@pytest.mark.parametrize(
    ("coverage", "said"),
    [
        ((0.97, 0.97), []),
        ((0.969, 0.97), ["crop 0.97"]),
        ((0.97, 0.969), ["border, 0.97 of it"]),
        ((0.5, 0.25), ["crop 0.50", "border, 0.25 of it"]),
    ],
)
def test_parts_are_told_of_less_than_97_in_a_hundred(coverage, said):
    assert describe_coverage(*coverage) == said


def in_light(contrast: float, brighter: float = 0.0) -> list[str]:
    """What is said of grey levels that b has more of, and of a mid-grey that is so much lighter."""
    gain = 1 / contrast
    return describe_light(gain, 127.5 - gain * (127.5 + brighter))


@pytest.mark.parametrize(
    ("light", "said"),
    [
        ((1, 0), []),
        ((1.09, 0), []),
        ((1.11, 0), ["contrast 1.11"]),
        ((0.91, 0), []),
        ((0.89, 0), ["contrast 0.89"]),
        ((1, 8), []),
        ((1, -8), []),
        ((1, 8.1), ["brightness +8"]),
        ((1, -8.1), ["brightness -8"]),
        ((2, 20), ["contrast 2.00", "brightness +20"]),
        ((-1, 0), ["negative"]),
        ((-1.11, 0), ["negative", "contrast 1.11"]),
        ((-1.09, 0), ["negative"]),
    ],
)
def test_light_is_told_from_so_much_on(light, said):
    assert in_light(*light) == said


def test_of_a_gain_of_nothing_no_light_is_told():
    assert describe_light(0.0009, 0) == describe_light(-0.0009, 0) == []
    assert describe_light(0.0011, 0)[0] == "contrast 909.09"
    assert describe_light(-0.0011, 255)[:2] == ["negative", "contrast 909.09"]


# How simple a map may be made.


def test_a_map_is_made_simpler_that_moves_no_point_by_more_than_three_quarters_of_a_pixel():
    """The corners of these points lie 240 pixels from their middle."""
    for off, upright in ((0.74, True), (0.76, False)):
        found = simplify(around(turn(np.degrees(np.arcsin(off / 240)))), ALL)
        assert (found[0, 1] == 0) == upright


@pytest.mark.parametrize(("stretch", "told"), [(0.0064, False), (0.0066, True)])
def test_a_stretch_is_told_that_can_be_seen(stretch, told):
    for angle in (0, 7):
        found = simplify(around(turn(angle) @ np.diag([1.0, 1 + stretch])), ALL)[:2, :2]
        wide, high = np.linalg.norm(found, axis=0)
        assert (abs(high / wide - 1) > 1e-6) == told


@pytest.mark.parametrize(("bend", "told"), [(2.28e-5, False), (2.35e-5, True)])
def test_a_perspective_is_told_that_can_be_seen(bend, told):
    found = simplify(around(turn(7) @ np.diag([1.0, 0.8]), bend=(bend, 0)), ALL)
    assert (found[2, 0] != 0) == told


def test_of_fewer_than_four_points_a_map_stays_as_it_is():
    homography = around(turn(1.6), bend=(3e-4, 0))
    assert describe_map(simplify(homography, FEW[:4]), SIZE, SIZE) == []
    np.testing.assert_array_equal(simplify(homography, FEW[:3]), homography)


# Light by most pixels.

LEVELS = np.tile(np.arange(0, 200, 2, dtype=np.float32), 20)
PERIOD = np.arange(2000) // 100


@pytest.mark.parametrize(
    ("lit", "off", "bias"),
    [(2, 1.6, 0.16), (2, 1.75, 0), (4, 4.9, 0.98), (4, 5.1, 0)],
)
def test_pixels_do_not_count_that_lie_three_times_as_far_off_and_a_level_more(lit, off, bias):
    """Of 20 periods some are lighter; the typical difference is what they move the fit by."""
    mine = LEVELS + np.where(lit > PERIOD, np.float32(off), np.float32(0))
    assert fit_gain_bias(mine, LEVELS) == pytest.approx((1, bias), abs=1e-3)


def test_light_is_fitted_four_times():
    """Each period lies twice as far off as the one before: each time, fewer are kept."""
    mine = (LEVELS + 2.0**PERIOD).astype(np.float32)
    assert fit_gain_bias(mine, LEVELS)[1] == pytest.approx(1170.214, abs=0.1)


@pytest.mark.parametrize(("n", "bias"), [(3999, 15), (4000, 0), (5998, 0)])
def test_of_many_pixels_two_thousand_tell(n, bias):
    """Every second one is lighter, which from 4,000 on is not looked at."""
    its = np.resize(LEVELS, n)
    mine = its + np.where(np.arange(n) % 2, np.float32(30), np.float32(0))
    assert fit_gain_bias(mine, its)[1] == pytest.approx(bias, abs=1)


def test_what_hardly_varies_tells_no_light():
    rows = np.arange(100) % 2
    for by, gain in ((1.98, 1), (2.02, 3)):  # a variance of 0.98, and of 1.02
        its = (100 + by * rows).astype(np.float32)
        assert fit_gain_bias(3 * its, its)[0] == pytest.approx(gain, rel=1e-2)
    assert fit_gain_bias(LEVELS[:1], LEVELS[:1]) == (1, 0)
    assert fit_gain_bias(3 * LEVELS[:2], LEVELS[:2])[0] == pytest.approx(3, rel=1e-4)


def steps(side: int, gain: float = 1.0) -> np.ndarray:
    return (gain * np.arange(side * side).reshape(side, side) * 200 / side**2).astype(np.float32)


@pytest.mark.parametrize(("levels", "gain"), [(1, 7), (2, 5), (3, 3), (4, 3)])
def test_light_is_told_at_a_quarter_of_the_size_or_the_smallest(levels, gain):
    a = tuple(steps(64 >> k, (7, 5, 3, 2)[k]) for k in range(levels))
    b = tuple(steps(64 >> k) for k in range(4))
    assert estimate_light(a, b, np.eye(3))[0] == pytest.approx(gain, rel=1e-3)
    assert estimate_light(b, a, np.eye(3))[0] == pytest.approx(1 / gain, rel=1e-3)


def test_light_is_told_of_what_both_show():
    """Beyond the second picture, which lies half a picture further on, nothing is seen."""
    a, b = steps(64, 3), steps(64)
    shift = np.array([[1.0, 0, 32], [0, 1, 0], [0, 0, 1]])
    a[:, :32] = 3 * b[:, 32:]
    a[:, 32:] = 255
    assert estimate_light((a,), (b,), shift) == pytest.approx((3, 0), abs=0.01)


# Where a picture lies.


def test_coverages_are_shares_of_areas():
    for shift, a in ((0, 1), (50, 0.5), (200, 0)):
        moved = np.array([[1.0, 0, shift], [0, 1, 0], [0, 0, 1]])
        assert coverages(moved, (100, 80), (100, 80)) == pytest.approx((a, a), abs=1e-6)
    twice = np.diag([2.0, 2, 1])
    assert coverages(twice, (100, 80), (100, 80)) == pytest.approx((0.25, 1), abs=0.01)
    assert coverages(np.eye(3), (100, 80), (50, 80)) == pytest.approx((0.5, 1), abs=1e-6)


def test_pixels_and_shares_of_a_picture_lead_to_each_other():
    a, b = (400, 300), (200, 100)
    homography = around(turn(20), (3, 4), (1e-4, 2e-4))
    there = normalise(homography, a, b)
    back = denormalise(there, a, b)
    np.testing.assert_allclose(back / back[2, 2], homography / homography[2, 2], atol=1e-9)
    points = to_pixels(np.array([[-1, -1], [1, 1], [0, 0]], np.float32), a)
    np.testing.assert_allclose(points, [[-0.5, -0.5], [399.5, 299.5], [199.5, 149.5]])


def test_larger_is_the_middle_of_a_picture():
    for size, times in (((400, 300), 1), ((800, 600), 2), ((800, 300), np.sqrt(2))):
        assert magnification(np.eye(3), (400, 300), size) == pytest.approx(times)
        assert magnification(np.eye(3), size, (400, 300)) == pytest.approx(1 / times)
    mirrored = np.diag([-0.5, 0.5, 1])
    assert magnification(mirrored, (400, 300), (400, 300)) == pytest.approx(0.5)


@pytest.mark.parametrize("orientation", range(8))
def test_an_orientation_maps_all_of_a_picture(orientation):
    a, b = (40, 30), (30, 40) if orientation & 4 else (40, 30)
    homography = orientation_homography(orientation, a, b)
    assert coverages(homography, a, b) == pytest.approx((1, 1))
    x, y, _ = homography @ [0, 0, 1]
    assert (x > b[0] / 2, y > b[1] / 2) == (bool(orientation & 1), bool(orientation & 2))
