"""The order in which pairs are compared."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from small_tables import unhurried

from splitaudit.engine.pair_order import order_pairs

HELD = 20


def reads(a: np.ndarray, b: np.ndarray) -> int:
    """How many media are read where the last few are held."""
    held: OrderedDict[int, None] = OrderedDict()
    count = 0
    for medium in np.stack([a, b], axis=1).ravel().tolist():
        count += medium not in held
        held[medium] = None
        held.move_to_end(medium)
        if len(held) > HELD:
            held.popitem(last=False)
    return count


@unhurried
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40))
def test_every_pair_comes_once(pairs: list[tuple[int, int]]) -> None:
    a, b = np.array(pairs, np.int64).reshape(-1, 2).T
    assert sorted(order_pairs(a, b).tolist()) == list(range(len(pairs)))


def test_fewer_media_are_read_than_in_sorted_order() -> None:
    rng = np.random.default_rng(0)
    a, b = np.sort(rng.integers(0, 1_000, (1_800, 2)), axis=1).T
    by_name = np.lexsort((b, a))
    order = order_pairs(a, b)
    assert reads(a[order], b[order]) < 0.8 * reads(a[by_name], b[by_name])


def test_what_is_tied_together_stays_together() -> None:
    """Two chains that are mixed up: one is walked to its end, then the other."""
    a, b = np.array([0, 5, 1, 6, 2, 7]), np.array([1, 6, 2, 7, 3, 8])
    assert order_pairs(a, b).tolist() == [0, 2, 4, 1, 3, 5]
