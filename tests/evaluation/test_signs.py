"""From which bound on something in a matrix is suspicious: each from both sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from splitaudit.evaluation import structure
from splitaudit.evaluation.relevance import parse_relevance
from splitaudit.evaluation.structure import Sign

named = pytest.mark.parametrize


def found(scores: Any) -> list[Sign]:
    return structure.signs(scores, parse_relevance(range(len(scores)), len(scores)))


def signs(scores: Any) -> list[str]:
    return [sign.name for sign in found(scores)]


def towers(n: int, rank: int = 4) -> Any:
    """Scores of two honest towers of so many dimensions."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n))


def noise(n: int) -> Any:
    return np.random.default_rng(1).normal(size=(n, n))


# How many pairs


def test_of_fewer_pairs_nothing_is_said() -> None:
    assert signs(np.eye(24)) == ["constant", "normalised"]
    assert signs(np.eye(23)) == []


def test_of_many_pairs_some_are_looked_at() -> None:
    """Each query and each item once, whatever is right besides."""
    for pairs, expected in ((449, 449), (450, 450), (451, 450)):
        query, item = structure._unique_pairs(parse_relevance(range(pairs), pairs))
        assert len(query) == expected
        assert query.tolist() == item.tolist() == sorted(set(query.tolist()))
    # Items 0 and 1 are for query 0, item 2 for 1 and 2, item 3 for nobody, item 4 for 3.
    query, item = structure._unique_pairs(parse_relevance([[0, 1], [2], [2], [4]], 5))
    assert (query.tolist(), item.tolist()) == ([0, 1, 3], [0, 2, 4])


def test_a_query_and_an_item_without_half_of_their_scores_are_left_out() -> None:
    """Were they not, what is left would be no matrix of numbers."""
    scores = np.eye(26)
    scores[3, :13] = np.nan
    scores[:13, 5] = np.inf
    assert signs(scores) == ["constant", "normalised"]
    scores[3, 12] = scores[12, 5] = 0.0
    assert signs(scores) == []


# True pairs that all score the same


@named(("spread", "expected"), [(0.9e-5, ["constant"]), (1.1e-5, [])])
def test_true_pairs_of_one_score(spread: float, expected: list[str]) -> None:
    """They spread less than a hundred thousandth of what others do."""
    scores = noise(60)
    others = scores[~np.eye(60, dtype=bool)].std()
    np.fill_diagonal(scores, 5 + spread * others * np.arange(60) / 59)
    assert signs(scores) == expected


@named(("others", "expected"), [(35, ["constant"]), (36, [])])
def test_a_score_that_a_hundredth_of_the_others_reach_is_none_of_true_pairs(
    others: int, expected: list[str]
) -> None:
    """Of 3,540 others, on either side of 35.4."""
    scores = noise(60)
    np.fill_diagonal(scores, 5.0)
    wrong = np.argwhere(~np.eye(60, dtype=bool))[: 100 * others : 100]
    # Nearly equal is equal, as far as true pairs may spread.
    scores[tuple(wrong.T)] = 5 + 0.9e-5
    assert signs(scores) == expected


# Columns that only who knows all queries can make so


@named(("off", "expected"), [(0.9e-5, ["normalised"]), (1.1e-5, [])])
def test_columns_of_one_sum(off: float, expected: list[str]) -> None:
    scores = np.abs(noise(60)) + 1
    scores /= scores.sum(axis=0)
    scores[0, 0] += off
    assert signs(scores) == expected
    if expected:
        (sign,) = found(scores)
        assert "the same sum over all queries" in sign.sentence
        assert sign.p == 0


@named(("roundings", "expected"), [(4, ["normalised"]), (5, [])])
def test_columns_of_one_highest_score(roundings: int, expected: list[str]) -> None:
    """A division gives one, or a rounding of float32 beside it."""
    scores = noise(60) - 9
    scores /= -scores.max(axis=0)
    scores[scores[:, 0].argmax(), 0] += roundings * 2.0**-23
    assert signs(scores) == expected
    if expected:
        (sign,) = found(scores)
        assert "the same highest score over all queries" in sign.sentence


def test_a_highest_score_that_comes_twice_cannot_be_exceeded() -> None:
    scores = noise(60)
    scores /= scores.max(axis=0)
    assert signs(scores) == ["normalised"]
    second = np.sort(scores[:, 7])[-2]
    scores[scores[:, 7] == second, 7] = 1
    assert signs(scores) == []


# True pairs that do not follow from the others


@named(("bonus", "expected"), [(0.9e-4, []), (1.1e-4, ["unexplained"])])
@named("sign", [1, -1])
def test_a_bonus_is_more_than_rounding(bonus: float, expected: list[str], sign: int) -> None:
    scores = towers(90)
    assert signs(scores + sign * bonus * scores.std() * np.eye(90)) == expected


@named(("amount", "expected"), [(0.054, ["unexplained"]), (0.056, [])])
def test_where_others_do_not_explain_the_scores_nothing_is_said(
    amount: float, expected: list[str]
) -> None:
    """They explain 99.903 and 99.896 %."""
    scores = towers(90) + amount * noise(90) + np.eye(90)
    _, explained = structure._residuals(scores)
    assert (explained >= 0.999) == bool(expected)
    assert explained == pytest.approx(0.999, abs=1e-4)
    assert signs(scores) == expected


@named(("bonus", "expected"), [(0.108, []), (0.115, ["unexplained"])])
def test_a_bonus_is_more_than_nearly_any_error(bonus: float, expected: list[str]) -> None:
    """Of a thousand others one is 0.11 off."""
    assert signs(towers(90) + 0.03 * noise(90) + bonus * np.eye(90)) == expected


def spread_bonus(n: int, more: float) -> Any:
    """A bonus of so many of its own standard deviations in the mean."""
    drawn = np.random.default_rng(2).normal(size=n)
    scores = towers(n)
    return scores + 0.01 * np.diag((drawn - drawn.mean()) / drawn.std() + more) * scores.std()


@named(("more", "expected"), [(0.95, []), (1.05, ["unexplained"])])
def test_a_bonus_is_about_the_same_for_all(more: float, expected: list[str]) -> None:
    assert signs(spread_bonus(90, more)) == expected


@named(("n", "expected"), [(36, []), (39, ["unexplained"])])
def test_so_few_pairs_that_a_bonus_may_be_by_chance(n: int, expected: list[str]) -> None:
    """In 1.7e-7 and in 5e-8 of all cases."""
    assert signs(spread_bonus(n, 1.1)) == expected
    if expected:
        (sign,) = found(spread_bonus(n, 1.1))
        assert sign.p == pytest.approx(4.9e-8, rel=0.01)
        assert "which explain 100.0% of the rest" in sign.sentence


def test_dimensions_are_where_singular_values_fall_most() -> None:
    values = np.array([100, 90, 30, 29, 28, 14, 13, 4, 3.9, 3.8, 1e-30, 1e-30])
    assert structure._candidate_ranks(values[:10]) == [2, 5, 7]
    assert structure._candidate_ranks(values) == [2, 7]  # ten of twelve are too many
    # Four of five are, three of four are not.
    assert structure._candidate_ranks(np.array([9, 8.9, 8.8, 4, 1])) == [2, 3]
    assert structure._candidate_ranks(np.array([9, 8.9, 8.8, 1])) == [1, 2, 3]
    assert structure._candidate_ranks(np.zeros(9)) == []


def test_rounding_has_no_dimensions() -> None:
    """What is below a millionth of a millionth of the largest is as large as that."""
    rest = [1e-20, 1e-30, 1e-40, 1e-50, 1e-60]
    assert structure._candidate_ranks(np.array([1, 0.9, 0.1, 1e-13, *rest])) == [1, 2, 3]
    assert structure._candidate_ranks(np.array([1, 0.9, 0.1, 3e-12, *rest])) == [2, 3, 4]


def test_more_dimensions_that_explain_less_are_not_taken() -> None:
    """Of these, three, four and six are tried; four explain 99.90 %, six explain 99.89 %."""
    scores = towers(30) + 0.0372 * noise(30) + np.eye(30)
    assert structure._residuals(scores)[1] == pytest.approx(0.99902, abs=1e-5)
    assert signs(scores) == ["unexplained"]


def test_the_third_choice_of_dimensions_may_explain_most() -> None:
    """One dimension is ten times as large as the next, another a thousand times."""
    rng = np.random.default_rng(0)
    left, _ = np.linalg.qr(rng.normal(size=(90, 5)))
    right, _ = np.linalg.qr(rng.normal(size=(90, 5)))
    scores = left * [9e3, 3e2, 9, 0.2, 0.06] @ right.T
    assert signs(scores + 1e-3 * scores.std() * np.eye(90)) == ["unexplained"]
