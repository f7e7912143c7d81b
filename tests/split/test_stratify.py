"""Groups go where every split is like the whole, and only where they may."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from splitaudit.split import stratify
from splitaudit.split.stratify import assign

SHARES = np.array([0.7, 0.15, 0.15])


@st.composite
def contents(draw):
    """Some groups: how many items each has, and how many of those have each of some labels."""
    labels = draw(st.integers(0, 4))
    rows = draw(
        st.lists(
            st.lists(st.integers(0, 5), min_size=1 + labels, max_size=1 + labels),
            min_size=1,
            max_size=25,
        )
    )
    table = np.array(rows)
    table[:, 0] = 1 + np.maximum(table[:, 0], table.max(axis=1))
    return csr_array(table)


def may_go_anywhere(table, k=3):
    return np.ones((table.shape[0], k), bool)


def sums(table, home, k=3):
    """What each split has of each column."""
    return np.array([table[np.flatnonzero(home == split)].sum(axis=0) for split in range(k)])


def chi_square(table, home, shares=SHARES):
    """Of sizes and labels, the sizes as much as all labels together."""
    target = np.outer(shares, table.sum(axis=0))
    off = np.square(sums(table, home, len(shares)) - target)
    cells = np.divide(off, target, out=np.zeros_like(target), where=target > 0)
    return cells[:, 0].sum() * max(1, table.shape[1] - 1) + cells[:, 1:].sum()


@settings(max_examples=60, deadline=None)
@given(contents(), st.integers(0, 3), st.data())
def test_groups_go_only_where_they_may(table, seed, data):
    choice = st.lists(st.booleans(), min_size=3, max_size=3).filter(any)
    allowed = np.array([data.draw(choice) for _ in range(table.shape[0])])
    home = assign(table, SHARES, allowed, seed)
    assert allowed[np.arange(len(home)), home].all()
    assert (home == assign(table, SHARES, allowed, seed)).all()


@settings(max_examples=60, deadline=None)
@given(contents(), st.integers(0, 3))
def test_no_group_that_moves_alone_would_do_better(table, seed):
    home = assign(table, SHARES, may_go_anywhere(table), seed)
    reached = chi_square(table, home)
    for group in range(len(home)):
        for split in range(3):
            moved = home.copy()
            moved[group] = split
            assert chi_square(table, moved) >= reached - 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_single_items_are_parted_to_the_item(seed):
    rng = np.random.default_rng(seed)
    label = rng.choice(8, 3_000, p=np.arange(1, 9) / 36)
    table = csr_array(np.column_stack([np.ones(3_000), np.eye(8)[label]]))
    home = assign(table, SHARES, may_go_anywhere(table), seed)
    off = sums(table, home) - np.outer(SHARES, table.sum(axis=0))
    assert np.abs(off).max() <= 1 + 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_large_groups_with_labels_of_their_own_do_better_than_the_best_of_many_draws(seed):
    rng = np.random.default_rng(seed)
    size = np.minimum(np.ceil(rng.pareto(1.0, 400)), 100).astype(int)
    labels = np.stack([rng.multinomial(n, rng.dirichlet(np.full(10, 0.3))) for n in size])
    table = csr_array(np.column_stack([size, labels]))
    home = assign(table, SHARES, may_go_anywhere(table), seed)
    draws = (rng.choice(3, len(size), p=SHARES) for _ in range(1_000))
    assert chi_square(table, home) < 0.25 * min(chi_square(table, drawn) for drawn in draws)


def test_where_the_largest_go_is_tried_more_than_once(monkeypatch):
    rng = np.random.default_rng(0)
    size = np.minimum(np.ceil(rng.pareto(0.9, 1_000)), 150).astype(int)
    leaning = np.eye(20)[rng.integers(20, size=len(size))] * (size - size // 2)[:, None]
    labels = leaning + np.stack([rng.multinomial(n, np.full(20, 0.05)) for n in size // 2])
    table = csr_array(np.column_stack([size, labels]))

    def reached():
        homes = (assign(table, SHARES, may_go_anywhere(table), seed) for seed in range(4))
        return np.mean([chi_square(table, home) for home in homes])

    often = reached()
    monkeypatch.setattr(stratify, "MAX_STARTS", 1)
    assert often < 0.7 * reached()


def test_one_group_and_one_split():
    table = csr_array(np.array([[3.0, 1.0]]))
    assert assign(table, np.ones(1), may_go_anywhere(table, 1), 0).tolist() == [0]
    assert assign(table, SHARES, may_go_anywhere(table), 0).tolist() == [0]


def test_no_groups_are_no_assignment():
    assert assign(csr_array((0, 1)), SHARES, np.ones((0, 3), bool), 0).tolist() == []
