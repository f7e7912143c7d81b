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


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.8, 0.2), (0.6, 0.2, 0.2)])
def test_however_many_splits_no_group_that_moves_alone_would_do_better(shares):
    """Of groups of one size, those of two labels are placed first and stand where they fell."""
    rng, k = np.random.default_rng(0), len(shares)
    table = csr_array(np.column_stack([np.full(60, 9), rng.multinomial(9, [0.5, 0.3, 0.2], 60)]))
    home = assign(table, np.array(shares), may_go_anywhere(table, k), 0)
    moved = [
        np.where(np.arange(60) == group, split, home) for group in range(60) for split in range(k)
    ]
    reached = chi_square(table, home, shares)
    assert min(chi_square(table, other, shares) for other in moved) >= reached - 1e-6


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


def singles(count):
    return csr_array(np.ones((count, 1)))


@pytest.mark.parametrize(("count", "starts"), [(1, 16), (312_500, 16), (312_501, 15)])
def test_sixteen_orders_are_tried_or_as_many_as_place_five_million_groups(
    monkeypatch, count, starts
):
    orders, none = [], np.empty(0, np.int64)
    monkeypatch.setattr(stratify, "_placement_order", lambda *_: orders.append(1) or none)
    table = singles(count)
    assign(table, np.ones(1), may_go_anywhere(table, 1), 0)
    assert len(orders) == starts


@pytest.mark.parametrize(
    ("count", "bound", "tries"),
    [(1, 0, 100), (999, 0, 99_900), (1_000, 0, 100_000), (1_001, 0, 100_000), (50, 20, 3_000)],
)
def test_a_hundred_exchanges_a_free_group_are_tried_and_not_too_many_in_all(
    monkeypatch, count, bound, tries
):
    asked = []
    monkeypatch.setattr(stratify, "_exchange", lambda drawn, tries, *_: asked.append(tries))
    table = singles(count)
    allowed = may_go_anywhere(table)
    allowed[:bound, 0] = False
    assign(table, SHARES, allowed, 0)
    assert asked == [tries] * 16


def test_of_many_groups_fewer_orders_and_more_exchanges_each(monkeypatch):
    asked = []
    monkeypatch.setattr(stratify, "_exchange", lambda drawn, tries, *_: asked.append(tries))
    monkeypatch.setattr(stratify, "MAX_PLACEMENTS", 100_000)
    table = singles(50_001)
    assign(table, SHARES, may_go_anywhere(table), 0)
    assert asked == [1_600_000]


def test_a_goal_is_the_share_of_each_column_and_sizes_weigh_as_all_labels_do():
    table = csr_array(np.array([[4.0, 1, 0, 0], [6, 1, 3, 0]]))
    target, weight = stratify._target_counts(table, np.array([0.5, 0.25, 0.25]))
    assert target.tolist() == [[5, 1, 1.5, 0], [2.5, 0.5, 0.75, 0], [2.5, 0.5, 0.75, 0]]
    expected = [[3 / 5, 1, 1 / 1.5, 0], [3 / 2.5, 2, 1 / 0.75, 0], [3 / 2.5, 2, 1 / 0.75, 0]]
    assert weight == pytest.approx(np.array(expected))
    assert stratify._target_counts(singles(4), np.array([1.0]))[1].tolist() == [[0.25]]


@pytest.mark.parametrize("seed", range(5))
def test_bound_groups_come_first_and_large_ones_before_those_of_half_their_size(seed):
    size = np.array([1, 2, 4, 8, 16, 32, 1, 2, 4, 8])
    free = np.array([True] * 6 + [False] * 4)
    order = stratify._placement_order(
        csr_array(size[:, None]), free, np.random.default_rng(seed)
    ).tolist()
    assert set(order[:4]) == {6, 7, 8, 9}
    for part in (order[:4], order[4:]):
        assert size[part].tolist() == sorted(size[part].tolist(), reverse=True)


def test_groups_of_nearly_one_size_come_in_any_order():
    size, free = np.array([7, 8, 9]), np.ones(3, bool)
    draws = [np.random.default_rng(seed) for seed in range(60)]
    orders = {
        tuple(stratify._placement_order(csr_array(size[:, None]), free, rng)) for rng in draws
    }
    assert len(orders) == 6


def test_numbers_are_drawn_as_by_xorshift_and_below_what_is_asked_for():
    state, mask = 123_456_789, 2**64 - 1
    drawn = np.array([state], np.uint64)
    for below in (1, 2, 3, 7, 1_000):
        state ^= (state << 13) & mask
        state ^= state >> 7
        state ^= (state << 17) & mask
        assert stratify._draw(drawn, below) == state % below
        assert drawn[0] == state


def at(table, home, k=2):
    """The state in which groups stand in splits, as `assign` keeps it."""
    rows = table.indptr.astype(np.int64), table.indices.astype(np.int64), table.data
    return rows, (np.array(home), sums(table, np.array(home), k))


@settings(max_examples=60, deadline=None)
@given(contents(), st.integers(0, 3), st.data())
def test_a_gain_is_by_how_much_the_chi_square_falls(table, seed, data):
    """Of an exchange, and of a group that moves alone."""
    table = csr_array(table, dtype=np.float64)
    n = table.shape[0]
    home = np.random.default_rng(seed).integers(0, 3, n)
    rows, (_, have) = at(table, home, 3)
    goal = stratify._target_counts(table, SHARES)
    one = data.draw(st.integers(0, n - 1))
    there = data.draw(st.integers(0, 2).filter(lambda split: split != home[one]))
    others = [stratify.NONE, *np.flatnonzero(home == there).tolist()]
    other = data.draw(st.sampled_from(others))
    moved = home.copy()
    moved[one] = there
    if other != stratify.NONE:
        moved[other] = home[one]
    change = np.zeros(table.shape[1])
    gain = stratify._gain((one, other), (home[one], there), change, rows, goal, have)
    assert gain == pytest.approx(chi_square(table, home) - chi_square(table, moved), abs=1e-6)
    assert not change.any()
    if other == stratify.NONE:
        have[home[one]] -= table[[one]].toarray()[0]
        costs = [stratify._cost(rows, one, split, goal, have) for split in (there, home[one])]
        assert costs[1] - costs[0] == pytest.approx(gain, abs=1e-6)


def test_a_group_is_drawn_of_the_split_and_the_label_that_is_too_many():
    """Split 0 has too much of label 1, which groups 0 and 2 have; split 1 of label 2."""
    table = csr_array(np.array([[2.0, 2, 0], [2, 0, 2], [2, 2, 0], [2, 0, 2]]))
    home = [0, 1, 0, 1]
    state = at(table, home)[1]
    goal = stratify._target_counts(table, np.array([0.5, 0.5]))
    members = stratify._groups_by_label(table, np.ones(4, bool))
    drawn = np.array([1], np.uint64)
    found = [
        {int(stratify._draw_excess_group(drawn, split, members, goal, state)) for _ in range(100)}
        for split in (0, 1)
    ]
    assert found[0] - {stratify.NONE} == {0, 2}
    assert found[1] - {stratify.NONE} == {1, 3}
    bound = stratify._groups_by_label(table, np.array([False, True, True, True]))
    again = {int(stratify._draw_excess_group(drawn, 0, bound, goal, state)) for _ in range(100)}
    assert again - {stratify.NONE} == {2}
    just = at(table, [0, 0, 1, 1])[1]
    assert {int(stratify._draw_excess_group(drawn, 0, members, goal, just)) for _ in range(20)} == {
        stratify.NONE
    }


def test_of_a_label_that_is_too_few_no_group_is_drawn():
    """Both splits have half of the items; the first has one of three with the label."""
    table = csr_array(np.array([[4.0, 1], [2, 1], [2, 1]]))
    state, goal = at(table, [0, 1, 1])[1], stratify._target_counts(table, np.array([0.5, 0.5]))
    members, drawn = stratify._groups_by_label(table, np.ones(3, bool)), np.array([1], np.uint64)
    found = [
        {int(stratify._draw_excess_group(drawn, split, members, goal, state)) for _ in range(50)}
        for split in (0, 1)
    ]
    assert found[0] == {stratify.NONE}
    assert found[1] - {stratify.NONE} == {1, 2}


def test_one_group_and_one_split():
    table = csr_array(np.array([[3.0, 1.0]]))
    assert assign(table, np.ones(1), may_go_anywhere(table, 1), 0).tolist() == [0]
    assert assign(table, SHARES, may_go_anywhere(table), 0).tolist() == [0]


def test_no_groups_are_no_assignment():
    assert assign(csr_array((0, 1)), SHARES, np.ones((0, 3), bool), 0).tolist() == []
