"""The map on which features agree, among others that do not."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.verify.matching import AGREED, agreed


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
    found, count = agreed(a, b, shape, mirrored)
    assert count >= 8
    np.testing.assert_allclose(found[:2, :2], truth, atol=0.01)
    np.testing.assert_allclose(found[:2, 2], [40, 20], atol=2)


def test_unlike_pictures_have_no_map():
    for seed in range(20):
        found, count = agreed(*features(seed, 0, 40)[:3], False)
        assert found is None
        assert count < AGREED


def test_features_that_are_turned_otherwise_do_not_agree():
    a, b, shape, _ = features(1, 20, 20)
    shape[:, 0] += np.pi
    assert agreed(a, b, shape, False)[0] is None


def test_nothing_is_no_error():
    none = np.zeros((0, 2))
    assert agreed(none, none, none, False) == (None, 0)
