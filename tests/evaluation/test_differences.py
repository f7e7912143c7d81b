"""What is more than rounding between two matrices of scores: each bound from both sides."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import pytest

from splitaudit.evaluation.differences import (
    Rounding,
    _relative_precision,
    exceeds_rounding,
    hypergeometric_p_value,
    rounding_tolerance,
    signed_difference,
    systematic_p_value,
)

named = pytest.mark.parametrize
WITHIN = Rounding(floor=1e-5, share=1e-3)
NEAR, FAR = 1e-2, 1.0  # beyond rounding of scores around 0; beyond all rounding


def scores_of(spread: float, largest: float) -> Any:
    """Scores with about that standard deviation and just that largest size, in many digits."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(50, 50))
    scores = np.append(scores / scores.std() * spread, -largest)
    return scores[np.abs(scores) <= largest]


@named(
    ("spread", "largest", "floor"),
    [(1.0, 2.0, 1e-5), (1.0, 2.5, 1e-5), (1.0, 2.8, 2.8 * 2.0**-18), (0.1, 10.0, 10 * 2.0**-18)],
)
def test_rounding_is_of_the_spread_or_of_the_largest(
    spread: float, largest: float, floor: float
) -> None:
    """A sum of a thousand numbers in float32 is rounded 32 times."""
    scores = scores_of(spread, largest)
    expected = max(1e-5 * scores.std(), largest * 2.0**-18)
    assert expected == pytest.approx(floor, rel=0.15)
    assert rounding_tolerance(scores) == Rounding(expected, 1e-3)
    spoilt = np.append(scores, [np.nan, np.inf, -np.inf])
    assert rounding_tolerance(spoilt) == rounding_tolerance(scores)


@named(
    ("scores", "share"),
    [
        ([0.1, 0.7], 1e-3),
        (np.float32([0.1, 0.7]), 1e-3),
        (np.float16([0.1, 0.7]), 1e-3),  # 2**-10 is less
        (np.float32([1.0, 1 + 2**-7]), 2.0**-7),
        (np.float32([1.0, 1 + 2**-8]), 1e-3),
        (np.float32([1e30, 2**-120 * 1.5]), 1e-3),
        ([np.nan], 2.0**-7),
    ],
)
def test_scores_of_few_digits_are_rounded_more(scores: Any, share: float) -> None:
    assert rounding_tolerance(np.asarray(scores, np.float64)).share == share


def test_what_digits_of_float16_are_worth() -> None:
    """The last of 70,032 is beyond the largest number that float16 has."""
    written = [0.1], [1 + 2**-10], [70_032.0], [1 + 2**-11]
    assert [_relative_precision(np.array(one)) for one in written] == [0.0, 2.0**-10, 0.0, 0.0]


@named("sign", [1, -1])
@named(
    ("one", "other", "told"),
    [
        (0.0, 0.9e-5, False),
        (0.0, 1.1e-5, True),
        (1.0, 1 + 0.9e-3, False),
        (1.0, 1 + 1.1e-3, True),
        (1.0, 1.0010005, False),  # of the larger one
        (0.01, 0.01 + 0.9e-5, False),  # in which both bounds are the same
        (0.01, 0.01 + 1.1e-5, True),
        (0.001, 0.001 + 0.9e-5, False),  # far more than its share
        (np.nan, np.nan, False),
        (np.inf, np.inf, False),
        (np.inf, -np.inf, True),
        (np.nan, np.inf, True),
        (np.nan, 1.0, True),
        (1.0, -np.inf, True),
    ],
)
def test_a_score_moved_by_more_than_rounding(
    one: float, other: float, told: bool, sign: int
) -> None:
    sides = np.array([[sign * one, 5.0]]), np.array([[sign * other, 5.0]])
    assert exceeds_rounding(*sides, WITHIN).tolist() == [[told, False]]
    assert exceeds_rounding(*sides[::-1], WITHIN).tolist() == [[told, False]]


def test_gaps_of_faults() -> None:
    one = np.array([3.0, np.inf, np.inf, np.nan, -np.inf, np.inf])
    other = np.array([1.0, np.inf, 1.0, 1.0, np.inf, np.nan])
    np.testing.assert_array_equal(
        signed_difference(one, other), [2.0, 0.0, np.inf, np.nan, -np.inf, np.nan]
    )


def apart(shape: tuple[int, int], rows: int, columns: int, by: float) -> tuple[Any, Any]:
    """Two matrices that differ in a corner of so many rows and columns."""
    scores = np.zeros(shape)
    corner = scores.copy()
    corner[:rows, :columns] = by
    return corner, scores


SYSTEMATIC = {
    "of all, just over a hundredth": ((100, 100), 11, 10, NEAR, 0.0),
    "of all, a hundredth": ((100, 100), 10, 10, NEAR, 1.0),
    "twenty scores": ((30, 30), 4, 5, NEAR, 0.0),
    "nineteen scores": ((30, 30), 1, 19, NEAR, 0.0),  # but of one row most
    "nineteen of many rows": ((19, 30), 19, 1, NEAR, 1.0),
    "twenty of many rows": ((20, 30), 20, 1, NEAR, 0.0),
    "a quarter of a few": ((4, 8), 2, 4, NEAR, 0.0),
    "less than a quarter of a few": ((4, 8), 1, 7, NEAR, 1.0),
    "more than half of a row": ((100, 100), 1, 51, NEAR, 0.0),
    "60 % of a row": ((100, 100), 1, 60, NEAR, 0.0),
    "half of a row": ((100, 100), 1, 50, NEAR, 1.0),
    "more than half of a column": ((100, 100), 51, 1, NEAR, 0.0),
    "half of a column": ((100, 100), 50, 1, NEAR, 1.0),
    "a whole row of twenty": ((20, 200), 1, 39, NEAR, 1.0),
    "a whole column of twenty rows": ((20, 200), 20, 1, NEAR, 0.0),
    "a whole column of nineteen rows": ((19, 200), 19, 1, NEAR, 1.0),
    "far, in more than a tenth of the columns": ((100, 100), 1, 11, FAR, 0.0),
    "far, in a tenth of the columns": ((100, 100), 1, 10, FAR, 1.0),
    "far, in more than a tenth of the rows": ((100, 100), 11, 1, FAR, 0.0),
    "far, in a tenth of the rows": ((100, 100), 10, 1, FAR, 1.0),
    "near, in more than a tenth of the rows": ((100, 100), 11, 1, NEAR, 1.0),
    "far, of ten rows": ((10, 100), 1, 11, FAR, 0.0),
    "far, of nine rows": ((9, 100), 1, 9, FAR, 1.0),
    "nothing": ((100, 100), 0, 0, FAR, 1.0),
}


@named("name", SYSTEMATIC)
def test_what_moves_is_systematic_where_it_is_much_or_far(name: str) -> None:
    shape, rows, columns, by, p = SYSTEMATIC[name]
    for turned in (False, True):
        one, other = (side.T if turned else side for side in apart(shape, rows, columns, by))
        assert systematic_p_value(one, other, WITHIN) == p
        assert systematic_p_value(other, one, WITHIN) == p


@named(
    ("score", "by", "p"),
    [(0.0, 0.099, 1.0), (0.0, 0.101, 0.0), (20.0, 0.159, 1.0), (20.0, 0.162, 0.0)],
)
def test_far_is_so_many_times_rounding(score: float, by: float, p: float) -> None:
    """Ten thousand times the floor, and eight times the share of the score."""
    one, other = apart((100, 100), 1, 20, by)
    assert systematic_p_value(one + score, other + score, WITHIN) == p


def counted(size: int, own: int, changed: int, hit: int) -> float:
    """Chance to draw at least so many own ones, counted."""
    ways = sum(
        comb(own, n) * comb(size - own, changed - n) for n in range(hit, min(own, changed) + 1)
    )
    return ways / comb(size, changed)


@named(("changed", "hit"), [(12, 3), (12, 1), (10, 10), (1, 1), (40, 9), (12, 0), (0, 0)])
def test_so_many_of_what_moved_are_own_by_chance(changed: int, hit: int) -> None:
    own, moving = np.zeros((2, 100), bool)
    own[:10], moving[10 - hit : 10 - hit + changed] = True, True
    found = hypergeometric_p_value(moving.reshape(10, 10), own.reshape(10, 10))
    assert found == pytest.approx(counted(100, 10, changed, hit))
