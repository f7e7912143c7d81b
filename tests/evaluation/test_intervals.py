"""Intervals against drawing groups one by one, and what of scores they are given for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from evaluators import cosine, pairs

from splitaudit.evaluation import intervals
from splitaudit.evaluation.relevance import parse_relevance
from splitaudit.evaluation.summary import summarise

named = pytest.mark.parametrize


def redrawn(values: Any, groups: Any, seed: int) -> list[Any]:
    """The values of as many groups as there are, drawn with replacement, two thousand times."""
    names = np.unique(groups)
    even = np.full(len(names), 1 / len(names))
    counts = np.random.default_rng(seed).multinomial(len(names), even, size=2_000)
    return [
        [values[groups == name] for name, n in zip(names, row, strict=True) for _ in range(n)]
        for row in counts
    ]


def by_drawing(values: Any, groups: Any, level: float, seed: int) -> tuple[float, float]:
    """The ends of the interval of a mean: percentiles, or studentised where those are wider."""

    def told(drawn: list[Any], middle: float) -> float:
        gaps = np.array([(part - middle).sum() for part in drawn])
        return float(np.sqrt((gaps**2).sum()) / sum(map(len, drawn)))

    middle = values.mean()
    drawn = redrawn(values, groups, seed)
    means = np.array([np.concatenate(parts).mean() for parts in drawn])
    own = told([values[groups == name] for name in np.unique(groups)], middle)
    spreads = np.array([told(parts, mean) for parts, mean in zip(drawn, means, strict=True)])
    off = (means - middle)[spreads > 1e-12] / spreads[spreads > 1e-12]
    ends = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(means, ends)
    high_off, low_off = middle - own * np.quantile(off, ends)
    return max(min(low, low_off), values.min()), min(max(high, high_off), values.max())


def hits(seed: int, number: int) -> tuple[Any, Any]:
    """Numbers of groups of 1 to 5 queries, which are alike in a group."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(rng.permutation(number), rng.integers(1, 6, number))
    return (rng.random(number)[groups] + 0.3 * rng.random(len(groups))).round(2), groups


@named(("number", "level", "seed"), [(12, 0.95, 0), (12, 0.9, 3), (3, 0.95, 1), (2, 0.95, 1)])
def test_the_interval_of_a_mean_is_that_of_drawing(number: int, level: float, seed: int) -> None:
    values, groups = hits(seed, number)
    found = intervals.mean(values, groups, level=level, seed=seed)
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(by_drawing(values, groups, level, seed))


@named(("level", "seed"), [(0.95, 0), (0.8, 2)])
def test_the_interval_of_a_median_is_that_of_drawing(level: float, seed: int) -> None:
    """Of an even number the lower one in the middle is drawn."""
    values, groups = hits(seed, 12)
    found = intervals.median(values, groups, level=level, seed=seed)
    medians = []
    for parts in redrawn(values, groups, seed):
        ordered = np.sort(np.concatenate(parts))
        medians.append(ordered[(len(ordered) - 1) // 2])
    ends = np.quantile(medians, [(1 - level) / 2, (1 + level) / 2])
    assert found.value == np.median(values)
    assert (found.low, found.high) == tuple(ends)


@named("of", [intervals.mean, intervals.median])
def test_draws_in_blocks_are_the_same_draws(
    of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    values, groups = hits(0, 12)
    whole = of(values, groups)
    assert whole == of(values, groups, level=0.95, seed=0)
    assert whole != of(values, groups, level=0.8)
    monkeypatch.setattr(intervals, "BLOCK", 600)
    part = of(values, groups)
    assert (part.low, part.high) == pytest.approx((whole.low, whole.high))


def test_one_group_is_known_to_lie_among_its_values_only() -> None:
    found = intervals.mean(np.array([0.1, 0.5, 0.9]), ["a"] * 3)
    assert (found.value, found.low, found.high) == (pytest.approx(0.5), 0.1, 0.9)
    assert intervals.mean(np.ones(4), [1, 1, 2, 2]) == intervals.Interval(1.0, 1.0, 1.0)


@named("offset", [0.0, 1e3, 1e6])
def test_draws_without_a_spread_are_left_out_wherever_the_values_lie(offset: float) -> None:
    """Of three groups, one draw in nine is one group three times: its deviation is rounding."""
    values, groups = np.array([0.1, 0.2, 0.7, 0.4, 0.4, 0.9]) + offset, [0, 0, 1, 1, 2, 2]
    found = intervals.mean(values, groups)
    low, high = by_drawing(values - offset, np.array(groups), 0.95, 0)
    assert (found.low - offset, found.high - offset) == pytest.approx((low, high), abs=1e-6)


# What of scores they are given for


def places(scores: Any, right: list[list[int]]) -> Any:
    """The place of the first right item of each row; there are no ties."""
    return np.array(
        [
            1 + min((row > row[item]).sum() for item in items)
            for row, items in zip(scores, right, strict=True)
        ]
    )


def expected(place: Any, groups: Any) -> dict[str, Any]:
    found = {f"R@{k}": intervals.mean((place <= k).astype(float), groups) for k in (1, 5, 10)}
    found["median rank"] = intervals.median(place.astype(float), groups)
    found["mean rank"] = intervals.mean(place.astype(float), groups)
    rows = {name: [one.value, one.low, one.high] for name, one in found.items()}
    return {"queries": len(place), "groups": len({*groups}), **rows}


def test_both_ways_are_measured_for_all_and_for_parts() -> None:
    """Two texts a film, one film without any, films of the same tape in one group."""
    texts, films = pairs(16)
    right = np.repeat(np.arange(15), 2)
    rng = np.random.default_rng(0)
    scores = cosine(texts[right] + 3 * rng.normal(size=(30, 32)), films)
    tapes = np.arange(16) // 3
    odd = np.arange(16) % 2 == 1
    found = summarise(scores, parse_relevance(right, 16), tapes, {"odd": odd, "none": odd & ~odd})
    there, back = found["metrics"]["query to item"], found["metrics"]["item to query"]
    to_item = places(scores, [[item] for item in right])
    to_query = places(scores.T[:15], [[2 * item, 2 * item + 1] for item in range(15)])
    assert list(there) == list(back) == ["all", "odd", "none"]
    assert there["all"] == expected(to_item, tapes[right])
    assert back["all"] == expected(to_query, tapes[:15])
    assert there["odd"] == expected(to_item[odd[right]], tapes[right][odd[right]])
    assert back["odd"] == expected(to_query[odd[:15]], tapes[:15][odd[:15]])
    assert there["none"] == back["none"] == {"queries": 0}
    assert (found["queries"], found["gallery"]) == (30, 16)
    assert (found["verdict"], found["signs"]) == ("no_evidence", [])


def test_a_query_counts_for_the_first_item_that_is_right() -> None:
    """And groups are those of the items that a part has."""
    scores = np.array([[4.0, 0, 0, 1], [0, 4, 0, 0], [0, 1, 0, 4], [0, 0, 9, 0], [9, 0, 0, 0]])
    right = parse_relevance([[1, 0], [], [3, 1], [2], [0]], 4)
    parts = {
        "first": np.array([True, False, False, False]),
        "others": np.array([False] + [True] * 3),
    }
    found = summarise(scores, right, np.array(list("aabb")), parts)["metrics"]
    there, back = found["query to item"], found["item to query"]
    assert [(one["queries"], one["groups"]) for one in there.values()] == [(4, 2), (2, 1), (2, 2)]
    assert [(one["queries"], one["groups"]) for one in back.values()] == [(4, 2), (1, 1), (3, 2)]


def test_ties_and_faults_are_told() -> None:
    """Of two tied right items none is tied with a wrong one."""
    scores = np.array([[2.0, 2.0, 1.0], [1.0, 1.0, 0.0], [np.nan, 0.0, 3.0], [np.inf, 2.0, 1.0]])
    right = parse_relevance([[0, 1], [0], [0], [1]], 3)
    found = summarise(scores, right, np.arange(3), {})
    assert (found["not_finite"], found["not_finite_right"]) == (2, 1)
    assert found["tied"] == 1 / 5
    assert found["optimistic_r1"] == 2 / 4
    assert found["metrics"]["query to item"]["all"]["R@1"][0] == pytest.approx(1.5 / 4)


def test_a_sign_is_told_with_its_sentence() -> None:
    found = summarise(np.eye(24), parse_relevance(range(24), 24), np.arange(24), {})
    assert found["verdict"] == "suspicious"
    assert [one["name"] for one in found["signs"]] == ["constant", "normalised"]
    assert [one["p"] for one in found["signs"]] == [0.0, 0.0]
    assert found["signs"][0]["sentence"].startswith("all true pairs have one and the same score")
