"""When pairs that look alike are compared: a crowd is no flood, and hides nothing elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from splitaudit.groups.components import smallest_members
from splitaudit.search.turns import CUT, EITHER, in_turns


def one_split(n: int) -> np.ndarray:
    return np.ones((n, 1), bool)


def two_splits(n: int, second: list[int]) -> np.ndarray:
    return np.isin(np.arange(n), second)[:, None] == [False, True]


def nearest(found: pd.DataFrame) -> pd.DataFrame:
    return in_turns(found, one_split(201 if not len(found) else int(found["b"].max()) + 1))


def crowd(n: int) -> pd.DataFrame:
    a, b = np.triu_indices(n, 1)
    return pd.DataFrame({"a": a, "b": b, "far": 5})


def test_a_crowd_is_no_flood_and_hangs_together():
    n = 400
    found = nearest(crowd(n))
    assert len(found) <= n * EITHER  # of 79,800
    ends = found["a"].to_numpy(), found["b"].to_numpy()
    assert (smallest_members(n, *ends) == 0).all()


def test_a_copy_within_a_crowd_is_kept():
    pairs = crowd(200)
    pairs.loc[(pairs["a"] == 3) & (pairs["b"] == 190), "far"] = 1
    kept = set(zip(*nearest(pairs)[["a", "b"]].to_numpy().T.tolist(), strict=True))
    assert (3, 190) in kept


# Of 26, each leaves out the one that stands farthest from it: the last or the first.
FARTHEST = {*((a, 25) for a in range(13)), *((0, b) for b in range(13, 26))}


@pytest.mark.parametrize(("n", "left_out"), [(2, set()), (25, set()), (26, FARTHEST)])
def test_few_pictures_are_all_compared(n, left_out):
    """Of each picture the 24 that stand closest."""
    a, b = np.triu_indices(n, 1)
    every = set(zip(a.tolist(), b.tolist(), strict=True))
    kept = nearest(crowd(n))[["a", "b"]].to_numpy().tolist()
    assert every - {tuple(pair) for pair in kept} == left_out
    assert len(kept) == len(every) - len(left_out)


@pytest.mark.parametrize(("nearer", "kept"), [(1, True), (2, False)])
@pytest.mark.parametrize("turned", [False, True])
def test_the_two_nearest_of_a_picture_are_kept_whatever_the_other_has(nearer, kept, turned):
    """Picture 100 is far from one that has many nearer ones, and has one or two itself."""
    many = [(0, 1 + k, 1) for k in range(40)]
    few = [(60 + k, 100, 2) for k in range(nearer)]
    pairs = pd.DataFrame([*many, *few, (0, 100, 8)], columns=["a", "b", "far"])
    if turned:
        pairs["a"], pairs["b"] = 200 - pairs["b"], 200 - pairs["a"]
    found = nearest(pairs)
    last = (100, 200) if turned else (0, 100)
    assert (last in set(zip(found["a"], found["b"], strict=True))) == kept
    assert len(found) == len(pairs) - (not kept)  # the others have no nearer one


def test_no_pairs_are_no_pairs():
    assert len(nearest(crowd(0))) == 0


def test_in_another_split_neighbours_are_counted_anew():
    """Picture 0 is in train; of 60 in test each has 59 nearer ones."""
    pairs = crowd(61).assign(far=lambda all: np.where(all["a"] == 0, 9, 5))
    alone = in_turns(pairs, one_split(61))
    assert (alone["a"] == 0).sum() == 2
    found = in_turns(pairs, two_splits(61, [0]))
    assert found.loc[found["a"] == 0, "turn"].tolist() == [0] * 60


def test_what_is_near_to_one_side_only_comes_last_and_what_is_cut_is_told():
    """Of 40 in test each looks like each of 40 in train, all equally much."""
    a, b = (ends.ravel() for ends in np.meshgrid(np.arange(40), np.arange(40, 80)))
    pairs = pd.DataFrame({"a": a, "b": b, "far": 1})
    found = in_turns(pairs, two_splits(80, list(range(40, 80))))
    assert set(found["turn"]) == {0, 1, 2, 3, 4, CUT}
    cut = found[found["turn"] == CUT]
    assert len(cut) <= 80
    by_turn = found[found["turn"] < CUT].groupby("turn").size().cumsum()
    assert by_turn.is_monotonic_increasing
    assert by_turn[0] <= 4 * 40
    within = in_turns(pairs, one_split(80))
    assert within["turn"].max() < 4


def test_what_stands_in_both_splits_is_near_in_either():
    held = two_splits(4, [2, 3])
    held[1] = True
    pairs = pd.DataFrame({"a": [0, 0, 0], "b": [1, 2, 3], "far": [1, 2, 3]})
    assert in_turns(pairs, held)["turn"].tolist() == [0, 0, 0]


def test_where_all_are_to_be_compared_none_is_cut():
    pairs = crowd(60)
    found = in_turns(pairs, one_split(60), all_of=True)
    assert len(found) == len(pairs)
    assert set(found["turn"]) == {0, 1, 2, 3}
