"""Which pairs of a crowd are compared: few, and of what stands in another split none is missed."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from splitaudit.engine import closing
from splitaudit.engine.closing import CROWD, LAST_OF_OPEN, LINKS, MEMBERS

CUT = LAST_OF_OPEN + 1


def stand(*splits: str) -> np.ndarray:
    """In which of test and train each stands."""
    return np.array([["test" in each, "train" in each] for each in splits]).reshape(-1, 2)


def proposed(*rows: tuple[int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["a", "b", "turn"]).astype(int)


class Truth:
    """Says which pairs are copies, and keeps what was asked."""

    def __init__(self, *copies: tuple[int, int]) -> None:
        self.copies = set(copies)
        self.asked: list[tuple[int, int]] = []

    def __call__(self, due: pd.DataFrame) -> np.ndarray:
        pairs = list(zip(due["a"].tolist(), due["b"].tolist(), strict=True))
        self.asked += pairs
        return np.array([pair in self.copies for pair in pairs], bool)


def chain(n: int) -> list[tuple[int, int]]:
    return [(at, at + 1) for at in range(n - 1)]


def left(found: pd.DataFrame, held: np.ndarray, truth: Truth) -> list[tuple[int, int]]:
    open_to = closing.close(found, held, truth)
    assert len(truth.asked) == len(set(truth.asked))  # each pair once
    return [tuple(row) for row in open_to.to_numpy().tolist()]


def test_what_hides_behind_others_of_its_split_is_found():
    """Fifty in test are a chain, of which one end was met with the original in train."""
    n, original = 51, 50
    held = stand(*["test"] * original, "train")
    truth = Truth(*chain(n), *((at, original) for at in range(original)))
    assert left(proposed(*((a, b, 0) for a, b in chain(n))), held, truth) == []
    assert {(at, original) for at in range(original)} <= set(truth.asked)
    assert len(truth.asked) < 2 * n


def test_members_are_tried_until_one_is_accepted():
    """Of nine in train the last to be tried is a copy of what stands alone in test."""
    train = list(range(1, 10))
    held = stand("test", *["train"] * 9)
    star = [(1, other) for other in train[1:]]
    truth = Truth((0, 2), *star)
    found = proposed((0, 2, 0), *((*pair, 0) for pair in star))
    assert left(found, held, truth) == []
    refused = Truth((0, 10), (9, 10), *star)
    held = stand("test", *["train"] * 9, "val")
    held = np.column_stack([held, np.arange(11) == 10])
    found = proposed((0, 10, 0), (9, 10, 0), *((*pair, 0) for pair in star))
    assert left(found, held, refused) == []
    assert {(0, other) for other in train} <= set(refused.asked)


@pytest.mark.parametrize("more", [0, 1])
def test_what_is_not_compared_with_all_members_is_told(more):
    """Test is joined to train through one in val; of both many are there, and they are unlike."""
    many = MEMBERS + more
    held = np.repeat(np.eye(3, dtype=bool)[[0, 1, 2]], [many, 1, many], axis=0)
    val, n = many, 2 * many + 1
    star = [(0, other) for other in range(1, many)] + [(val + 1, o) for o in range(val + 2, n)]
    through = [*((at, val) for at in range(many)), *((val, at) for at in range(val + 1, n))]
    truth = Truth(*star, *through)
    open_to = left(proposed(*((*pair, 0) for pair in [*star, *through])), held, truth)
    across = [pair for pair in truth.asked if pair[0] < val < pair[1]]
    assert len(across) <= 2 * MEMBERS * many
    assert {content for content, _ in open_to} <= {at for at in range(n) if at != val}
    assert bool(open_to) == bool(more)
    assert {split for _, split in open_to} <= {0, 2}


def test_a_group_of_few_is_compared_whole():
    pairs = list(combinations(range(CROWD), 2))
    truth = Truth(*pairs)
    found = proposed(*((*pair, turn % 4) for turn, pair in enumerate(pairs)))
    assert left(found, stand(*["test"] * CROWD), truth) == []
    assert sorted(truth.asked) == pairs


def test_in_a_crowd_pairs_that_are_joined_are_left_out():
    n = 60
    links, others = chain(n), [(a, b) for a, b in combinations(range(n), 2) if b > a + 1]
    truth = Truth(*links, *others)
    found = proposed(*((*pair, 0) for pair in links), *((*pair, 1) for pair in others))
    assert left(found, stand(*["test"] * n), truth) == []
    assert truth.asked == links


def test_within_a_split_only_what_is_joined_there_counts():
    """Two halves in test are joined through train; that they are one is found out, by few pairs."""
    n = 20
    held = stand(*["test"] * n, "train")
    halves = [*chain(10), *((a + 10, b + 10) for a, b in chain(10))]
    between = [(a, b) for a in range(10) for b in range(10, n)]
    truth = Truth(*halves, *((at, n) for at in range(n)), *between)
    first = [*halves, *((at, n) for at in range(n))]
    found = proposed(*((*pair, 0) for pair in first), *((*pair, 2) for pair in between))
    assert left(found, held, truth) == []
    assert len(set(truth.asked) & set(between)) == LINKS


def test_two_crowds_that_are_none_cost_few_pairs_and_across_splits_all():
    n = 20
    halves = [*chain(10), *((a + 10, b + 10) for a, b in chain(10))]
    between = [(a, b) for a in range(10) for b in range(10, n)]
    found = proposed(*((*pair, 0) for pair in halves), *((*pair, 2) for pair in between))
    for splits, asked in ((["test"] * n, LINKS), (["test"] * 10 + ["train"] * 10, 100)):
        truth = Truth(*halves)
        assert left(found, stand(*splits), truth) == []
        assert len(set(truth.asked) & set(between)) == asked


def test_what_looks_alike_to_one_side_only_is_compared_where_nothing_was_found():
    held = stand("test", "test", "train", "train")
    truth = Truth((0, 2))
    found = proposed((0, 2, 0), (0, 3, 4), (1, 3, 4))
    assert left(found, held, truth) == []
    assert truth.asked == [(0, 2), (0, 3), (1, 3)]  # 3 is open, too
    truth = Truth((0, 2), (1, 3))
    assert left(proposed((0, 2, 0), (1, 3, 1), (0, 3, 4)), held, truth) == []
    assert truth.asked == [(0, 2), (1, 3)]


def test_what_was_cut_is_told_of_what_has_no_copy():
    held = stand("test", "test", "train", "train")
    found = proposed((0, 2, 0), (0, 3, CUT), (1, 3, CUT))
    assert left(found, held, Truth((0, 2))) == [(1, 1), (3, 0)]
    assert left(found, held, Truth()) == [(0, 1), (1, 1), (3, 0)]


def test_what_stands_in_both_splits_is_open_to_neither():
    held = stand("test train", "test train", "test")
    assert left(proposed((0, 1, CUT), (0, 2, 0)), held, Truth()) == []


def test_nothing_is_open_where_there_is_nothing():
    truth = Truth()
    assert left(proposed(), np.zeros((0, 0), bool), truth) == []
    assert left(proposed(), stand("test", "train"), truth) == []
    assert truth.asked == []
