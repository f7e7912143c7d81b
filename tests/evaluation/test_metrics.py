"""Retrieval metrics against counting every order of tied items, one by one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from splitaudit.errors import ScoresError
from splitaudit.evaluation import metrics
from splitaudit.evaluation.relevance import parse_relevance

SCORE = st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan, np.inf, -np.inf])


@st.composite
def cases(draw: Any) -> tuple[np.ndarray, list[list[int]]]:
    queries, gallery = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    rows = st.lists(st.lists(SCORE, min_size=gallery, max_size=gallery), min_size=queries)
    scores = np.array(draw(rows.map(lambda found: found[:queries])))
    some = st.sets(st.integers(0, gallery - 1), min_size=1).map(sorted)
    return scores, draw(st.lists(some, min_size=queries, max_size=queries))


def orders(row: np.ndarray, right: list[int]) -> list[list[int]]:
    """Every order of the gallery by falling score; what is not finite never helps."""
    finite = np.isfinite(row)
    is_right = np.isin(np.arange(len(row)), right)
    worth = np.where(finite, row, np.where(is_right, -np.inf, np.inf))
    everything = permutations(range(len(row)))
    return [list(o) for o in everything if all(worth[a] >= worth[b] for a, b in pairwise(o))]


def by_counting(
    scores: np.ndarray, right: list[list[int]], ties: str, value: Callable[..., float]
) -> list[float]:
    pick = {"expected": np.mean, "optimistic": max, "pessimistic": min}[ties]
    found = []
    for row, items in zip(scores, right, strict=True):
        found.append(float(pick([value(order, items) for order in orders(row, items)])))
    return found


TIES = pytest.mark.parametrize("ties", ["expected", "optimistic", "pessimistic"])


@TIES
@given(case=cases(), k=st.integers(1, 6))
@settings(deadline=None, max_examples=150)
def test_recall_and_hits_are_those_of_all_orders(case, k, ties):
    scores, right = case
    recall = by_counting(scores, right, ties, lambda o, r: len({*o[:k]} & {*r}) / len(r))
    hit = by_counting(scores, right, ties, lambda o, r: bool({*o[:k]} & {*r}))
    assert metrics.recall_at_k(scores, right, k, ties=ties) == pytest.approx(np.mean(recall))
    assert metrics.hit_rate_at_k(scores, right, k, ties=ties) == pytest.approx(np.mean(hit))


@TIES
@given(case=cases())
@settings(deadline=None, max_examples=150)
def test_ranks_are_those_of_all_orders(case, ties):
    scores, right = case
    worst_first = {"optimistic": "pessimistic", "pessimistic": "optimistic"}.get(ties, ties)
    ranks = by_counting(scores, right, worst_first, lambda o, r: 1 + min(map(o.index, r)))
    assert metrics.mean_rank(scores, right, ties=ties) == pytest.approx(np.mean(ranks))
    assert metrics.median_rank(scores, right, ties=ties) == pytest.approx(np.median(ranks))


@TIES
@given(st.integers(1, 6), st.integers(1, 4), st.data())
@settings(deadline=None, max_examples=60)
def test_a_smaller_gallery_is_that_of_all_its_draws(ties, gallery, k, data):
    size = data.draw(st.integers(1, gallery))
    row = np.array([data.draw(st.lists(st.integers(0, 3), min_size=gallery, max_size=gallery))])
    others = combinations(range(1, gallery), size - 1)
    galleries = [row[:, [0, *drawn]] for drawn in others]
    expected = np.mean([metrics.recall_at_k(drawn, [0], k, ties=ties) for drawn in galleries])
    found = metrics.recall_at_gallery_size(row, [0], k, size, ties=ties)
    assert found == pytest.approx(expected)


def test_a_constant_scores_chance() -> None:
    scores = np.zeros((50, 50))
    assert metrics.recall_at_k(scores, range(50), 1) == pytest.approx(1 / 50)
    assert metrics.median_rank(scores, range(50)) == 25.5


@given(st.integers(0, 10_000), st.floats(0, 1))
@settings(deadline=None, max_examples=50)
def test_what_is_not_finite_never_raises_a_score(seed, share):
    rng = np.random.default_rng(seed)
    scores, right = rng.normal(size=(12, 9)), rng.integers(9, size=12)
    worse = scores.copy()
    hurt = rng.random(scores.shape) < share
    worse[hurt] = rng.choice([np.nan, np.inf, -np.inf], hurt.sum())
    assert metrics.relevant_ranks(worse, right).not_finite == hurt.sum()
    for k in (1, 3):
        assert metrics.recall_at_k(worse, right, k) <= metrics.recall_at_k(scores, right, k)
    assert metrics.mean_rank(worse, right) >= metrics.mean_rank(scores, right)


def test_every_way_to_say_what_is_right_is_the_same(tmp_path) -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 5, (30, 20)).astype(np.float32)
    mask = rng.random(scores.shape) < 0.3
    mask[:, 0] = True
    listed = [np.flatnonzero(row).tolist() for row in mask]
    np.save(tmp_path / "scores.npy", scores)
    mapped = np.load(tmp_path / "scores.npy", mmap_mode="r")
    expected = metrics.recall_at_k(scores, mask, 3)
    for given_scores in (scores, mapped, lambda begin, end: scores[begin:end], scores.tolist()):
        for right in (mask, listed, sparse.csr_matrix(mask), parse_relevance(mask, 20)):
            if not (callable(given_scores) and not hasattr(right, "shape") and right is not listed):
                assert metrics.recall_at_k(given_scores, right, 3) == expected


def test_back_is_the_transposed_matrix() -> None:
    rng = np.random.default_rng(1)
    scores, right = rng.normal(size=(40, 10)), rng.permutation(np.arange(40) % 10)
    back = parse_relevance(right, 10).turned()
    expected = np.mean(
        [scores[right == v, v].max() >= np.sort(scores[:, v])[-3] for v in range(10)]
    )
    assert metrics.hit_rate_at_k(scores.T, back, 3) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.bool_, np.float16, np.int64])
def test_numbers_are_compared_as_they_are(dtype) -> None:
    big = np.array([[1, 0], [0, 1]]).astype(dtype)
    if dtype == np.int64:
        big = np.array([[2**62 + 1, 2**62], [2**62, 2**62 + 1]])
    assert metrics.recall_at_k(big, [0, 1], 1) == 1


FAULTS = {
    "3 dimensions": (np.zeros((2, 2, 2)), [0, 1]),
    "real numbers": (np.zeros((2, 2), complex), [0, 1]),
    "nothing to rank": (np.zeros((0, 4)), []),
    "names item 2": (np.zeros((2, 2)), [0, 2]),
    "names item -1": (np.zeros((2, 2)), [0, -1]),
    "is it transposed": (np.zeros((2, 3)), [0, 1, 1]),
    "3 columns": (np.zeros((2, 2)), np.zeros((2, 3), bool)),
    "expected indices": (np.zeros((2, 2)), ["a", "b"]),
    "no query has a right item": (np.zeros((2, 2)), [[], []]),
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_fault_is_one_sentence(sentence: str) -> None:
    with pytest.raises(ScoresError, match=sentence):
        metrics.recall_at_k(*FAULTS[sentence], 1)


def test_words_and_sizes_out_of_range_are_refused() -> None:
    scores = np.eye(3)
    for call in (
        lambda: metrics.recall_at_k(scores, [0, 1, 2], 0),
        lambda: metrics.recall_at_k(scores, [0, 1, 2], 1.0),
        lambda: metrics.recall_at_k(scores, [0, 1, 2], 1, ties="kind"),
        lambda: metrics.recall_at_gallery_size(scores, [0, 1, 2], 1, 4),
        lambda: metrics.recall_at_gallery_size(scores, [0, 1, 2], 1, 0),
        lambda: metrics.recall_at_gallery_size(scores, [[0, 1], [1], [2]], 1, 2),
        lambda: metrics.recall_at_gallery_size(scores, [0, 1, 2], 1, 2, transductive=True),
    ):
        with pytest.raises(ScoresError):
            call()


def test_nothing_found_is_no_negative_zero() -> None:
    """It would be printed as -0."""
    ranks = metrics.relevant_ranks(np.eye(4)[::-1], range(4))
    assert not np.signbit(metrics.hits(ranks, 1)).any()
