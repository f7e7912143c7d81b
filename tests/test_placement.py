"""Where a picture lies in another, as simply as can be said."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.verify.placement import fitted, plain, words

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
    found = plain(homography, ALL)
    assert words(found, SIZE, SIZE) == said
    np.testing.assert_allclose(found / found[2, 2], homography / homography[2, 2], atol=0.02)


@pytest.mark.parametrize(
    ("linear", "bend"), [(turn(1.6), (0, 0)), (np.diag([1.0, 0.95]), (0, 0)), (turn(0), (3e-4, 0))]
)
def test_what_a_few_points_do_not_show_is_not_told(linear, bend):
    homography = around(linear, (0, 0), bend)
    assert words(homography, SIZE, SIZE)
    found = plain(homography, FEW)
    assert words(found, SIZE, SIZE) == []
    assert words(plain(homography, ALL), SIZE, SIZE)


def test_light_follows_from_most_pixels():
    rng = np.random.default_rng(0)
    its = rng.uniform(0, 200, 5000).astype(np.float32)
    mine = (1.2 * its + 10 + rng.normal(0, 2, 5000)).astype(np.float32)
    mine[::5] = 255
    assert fitted(mine, its) == pytest.approx((1.2, 10), abs=0.5)
    assert fitted(its[:0], its[:0]) == (1, 0)
