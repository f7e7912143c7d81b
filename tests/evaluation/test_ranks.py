"""Places of right items, and what is right, against counting one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from splitaudit.errors import ScoresError
from splitaudit.evaluation import ranks
from splitaudit.evaluation.ranks import relevant_ranks
from splitaudit.evaluation.relevance import Relevance, diagonal, parse_relevance

named = pytest.mark.parametrize


def drawn(seed: int, faults: bool) -> tuple[Any, list[list[int]]]:
    """Scores with many ties; queries with 0 to 12 right items of 15, one with 8, one with 9."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, (9, 15)).astype(np.float32)
    if faults:
        at = rng.random(scores.shape) < 0.2
        scores[at] = rng.choice([np.nan, np.inf, -np.inf], at.sum())
    numbers = [0, 1, 8, 9, 12, 2, 1, 0, 3]
    return scores, [sorted(rng.permutation(15)[:number].tolist()) for number in numbers]


def counted(scores: Any, right: list[list[int]]) -> list[tuple[int, int, int]]:
    """How many stand above each right item and beside it, and right ones among the latter."""
    found = []
    for row, items in zip(scores, right, strict=True):
        worth = {
            item: score if np.isfinite(score) else (-np.inf if item in items else np.inf)
            for item, score in enumerate(row)
        }
        for own in items:
            tied = [item for item in worth if worth[item] == worth[own]]
            better = sum(score > worth[own] for score in worth.values())
            found.append((better, len(tied), len({*tied} & {*items})))
    return found


@named("faults", [False, True])
@named(
    ("compared", "read", "block"), [(8, 1 << 26, 1 << 20), (0, 240, 120), (99, 600, 360), (1, 1, 1)]
)
def test_places_are_those_of_counting_however_they_are_counted(
    compared: int, read: int, block: int, faults: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MAX_COMPARED", compared), ("READ", read), ("BLOCK", block)):
        monkeypatch.setattr(ranks, name, value)
    for seed in range(5):
        scores, right = drawn(seed, faults)
        found = relevant_ranks(scores, right)
        held = zip(found.better, found.tied, found.tied_right, strict=True)
        assert [tuple(map(int, row)) for row in held] == counted(scores, right)
        wrong = ~np.isfinite(scores)
        assert found.not_finite == wrong.sum()
        assert found.not_finite_right == sum(
            wrong[row, item] for row, items in enumerate(right) for item in items
        )


def test_rows_are_read_in_pieces_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 8 bytes a score; the first row is read beforehand, for its width."""
    monkeypatch.setattr(ranks, "READ", 8 * 15 * 4)
    scores, right = drawn(0, faults=False)
    asked = []

    def read(begin: int, end: int) -> Any:
        asked.append((begin, end))
        return scores[begin:end]

    assert (
        relevant_ranks(read, right).better.tolist() == relevant_ranks(scores, right).better.tolist()
    )
    assert asked == [(0, 1), (0, 4), (4, 8), (8, 9)]
    assert (ranks.BLOCK, ranks.MAX_COMPARED) == (1 << 20, 8)


def test_rows_of_another_shape_are_refused() -> None:
    def read(begin: int, end: int) -> Any:
        return np.zeros((end - begin - (begin == 0 and end > 1), 3))

    with pytest.raises(ScoresError, match=r"rows 0 to 4 have shape \(3, 3\), expected \(4, 3\)"):
        relevant_ranks(read, [0, 1, 2, 0])


def rows(right: Relevance) -> tuple[list[int], list[int], int, int]:
    return right.query.tolist(), right.item.tolist(), right.queries, right.gallery


RIGHT = [0, 1, 1, 3], [2, 0, 4, 2], 4, 5


def test_pairs_are_sorted_and_each_is_there_once() -> None:
    stored = sparse.csr_matrix(([1, 1, 0, 1, 1], ([0, 1, 2, 1, 3], [2, 4, 0, 0, 2])), (4, 5))
    for said in ([[2, 2], [4, 0, 4], [], [2]], stored, stored.toarray() == 1):
        found = parse_relevance(said, 5)
        assert rows(found) == RIGHT
        assert found.counts.tolist() == [1, 2, 0, 1]
        assert parse_relevance(found, 5) is found


def test_pairs_are_turned_and_turned_back() -> None:
    found = parse_relevance([[2], [4, 0], [], [2]], 5)
    assert rows(found.turned()) == ([0, 2, 2, 4], [1, 0, 3, 1], 5, 4)
    assert rows(found.turned().turned()) == RIGHT
    assert found.turned().counts.tolist() == [1, 0, 2, 0, 1]
    # However many there are, queries rise within each item.
    many = parse_relevance(np.random.default_rng(0).random((40, 30)) < 0.5, 30)
    pairs = list(zip(*rows(many.turned())[:2], strict=True))
    assert pairs == sorted((item, query) for query, item in zip(*rows(many)[:2], strict=True))


def test_who_has_nothing_that_is_right_is_counted() -> None:
    assert parse_relevance([[], [1], []], 5).counts.tolist() == [0, 1, 0]
    assert parse_relevance([[], [1], []], 5).turned().counts.tolist() == [0, 1, 0, 0, 0]


def test_some_queries_are_chosen_and_counted_anew() -> None:
    found = parse_relevance([[2], [4, 0], [], [2]], 5)
    assert rows(found.chosen(np.array([False, True, True, True]))) == ([0, 0, 2], [0, 4, 2], 3, 5)
    assert rows(found.chosen(np.zeros(4, bool))) == ([], [], 0, 5)


def test_by_default_the_item_at_the_place_of_the_query_is_right() -> None:
    assert rows(diagonal(3, 3)) == ([0, 1, 2], [0, 1, 2], 3, 3)
    for queries in (2, 4):
        with pytest.raises(
            ScoresError, match=f"{queries} queries and 3 items: say by --right which"
        ):
            diagonal(queries, 3, "--right")


@named("last", [4, 5])
def test_the_last_item_of_a_gallery_is_the_last_that_may_be_named(last: int) -> None:
    if last == 4:
        assert rows(parse_relevance([last], 5)) == ([0], [4], 1, 5)
    else:
        with pytest.raises(ScoresError, match="query 1 names item 5, the gallery has 5 items"):
            parse_relevance([0, last, -1], 5)
