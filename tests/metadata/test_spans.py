"""Spans of one source that overlap are found, with both intervals, and no others."""

from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from splitaudit.metadata import spans
from splitaudit.metadata.spans import overlaps
from splitaudit.schema import ITEMS, conform

SECONDS = st.one_of(st.none(), st.integers(0, 12), st.sampled_from([0.5, 2.25]))
SPAN = st.tuples(st.sampled_from(["x", "y", None]), SECONDS, SECONDS)


def items_of(rows):
    named = [
        {"item_id": f"i{n:02}", "source": source, "start_s": start, "end_s": end}
        for n, (source, start, end) in enumerate(rows)
    ]
    return conform(named, ITEMS)


@settings(max_examples=200, deadline=None)
@example([("x", 0, 5), ("x", 5, 7), ("y", 6, 7)])  # one ends where the other begins
@example([("x", 2, 2), ("x", 0, 4), ("x", 3, 1), ("x", 1, 2.25)])
@example([("x", None, 4), ("x", 0, 4), ("x", 1, None), (None, 0, 4), (None, 0, 4)])
@given(st.lists(SPAN, max_size=12))
def test_every_overlap_and_nothing_else(rows):
    expected = {}
    for (i, (source, a0, a1)), (j, (other, b0, b1)) in combinations(enumerate(rows), 2):
        if None in (source, a0, a1, b0, b1) or source != other or a1 <= a0 or b1 <= b0:
            continue
        start, end = max(a0, b0), min(a1, b1)
        if start < end:
            expected[f"i{i:02}", f"i{j:02}"] = (start - a0, end - a0, start - b0, end - b0)
    found = overlaps(items_of(rows)).to_pylist()
    names = ("a_start", "a_end", "b_start", "b_end")
    assert {(x["a"], x["b"]): pytest.approx(tuple(x[n] for n in names)) for x in found} == expected
    for row in found:
        assert row["relation"] == "overlap"
        assert row["accepted"]
        assert 0 < row["coverage_a"] <= 1
        assert 0 < row["coverage_b"] <= 1


def test_a_crowd_of_equal_spans_is_linked_one_to_the_next(monkeypatch):
    monkeypatch.setattr(spans, "MAX_OVERLAPS", 3)
    found = overlaps(items_of([("x", 0, 10)] * 30))
    assert found.num_rows < 30 * 3
    linked = set(zip(found["a"].to_pylist(), found["b"].to_pylist(), strict=True))
    assert {(f"i{n:02}", f"i{n + 1:02}") for n in range(29)} <= linked


def test_a_row_says_what_each_side_shares_in_seconds_of_its_own():
    named = [("b", 10.0, 14.0), ("a", 13.0, 23.0), ("c", 23.0, 24.0)]
    rows = [{"item_id": x, "source": "s", "start_s": y, "end_s": z} for x, y, z in named]
    (row,) = overlaps(conform(rows, ITEMS)).to_pylist()
    assert (row["a"], row["a_start"], row["a_end"], row["coverage_a"]) == ("a", 0.0, 1.0, 0.1)
    assert (row["b"], row["b_start"], row["b_end"], row["coverage_b"]) == ("b", 3.0, 4.0, 0.25)
    same = {"part": "source", "relation": "overlap", "score": 1.0, "accepted": True}
    same |= {"tempo": 1.0, "pitch": 1.0, "n_equivalent": 1, "label_conflict": False}
    assert {name: row[name] for name in same} == same


def test_rows_come_in_the_order_of_their_items():
    rows = [("i3", 0, 9), ("i0", 1, 9), ("i2", 2, 9), ("i1", 3, 9)]
    named = [{"item_id": x, "source": "s", "start_s": y, "end_s": z} for x, y, z in rows]
    found = overlaps(conform(named, ITEMS)).to_pylist()
    assert [row["a"] + row["b"] for row in found] == [
        "i0i1",
        "i0i2",
        "i0i3",
        "i1i2",
        "i1i3",
        "i2i3",
    ]


@pytest.mark.parametrize(
    ("start", "end", "shared"), [(3.999, 5, True), (4, 5, False), (0, 0.001, True), (-1, 0, False)]
)
def test_spans_that_only_touch_share_nothing(start, end, shared):
    assert overlaps(items_of([("x", 0, 4), ("x", start, end)])).num_rows == shared


def test_long_spans_of_one_source_reach_into_no_other():
    rows = [(source, -50, 50) for source in "xyz"] + [(source, 40, 900) for source in "xyz"]
    found = overlaps(items_of(rows)).to_pylist()
    assert [(row["a"], row["b"]) for row in found] == [
        ("i00", "i03"),
        ("i01", "i04"),
        ("i02", "i05"),
    ]


@pytest.mark.parametrize(("count", "pairs"), [(1_001, 1_001 * 1_000 // 2), (1_002, 500_501)])
def test_of_more_than_a_thousand_that_begin_within_one_only_the_next_is_linked(count, pairs):
    equal = pd.DataFrame({"source": ["x"] * count, "start_s": 0.0, "end_s": 1.0})
    first, second = spans._overlap_pairs(equal)
    assert len(first) == pairs
    assert np.flatnonzero(second == first + 1).size == count - 1


def test_in_the_last_of_many_sources_too_the_next_cut_begins_where_one_ends():
    """Rounding must make no overlap of seconds that are cut one after the other."""
    cuts = [n / 10 for n in range(40)]
    rows = [(f"s{k:03}", *pair) for k in range(30) for pair in pairwise(cuts)]
    assert overlaps(items_of(rows)).num_rows == 0
    assert overlaps(items_of([*rows, ("s029", 3.85, 9)])).num_rows == 1


def test_a_crowd_in_one_source_takes_nothing_from_another(monkeypatch):
    monkeypatch.setattr(spans, "MAX_OVERLAPS", 2)
    rows = [("w", 0, 90), ("w", 0, 80), ("w", 0, 70), *[("x", 10, 20)] * 9]
    found = [(row["a"], row["b"]) for row in overlaps(items_of(rows)).to_pylist()]
    assert found[:3] == [("i00", "i01"), ("i00", "i02"), ("i01", "i02")]
