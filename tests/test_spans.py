"""Spans of one source that overlap are found, with both intervals, and no others."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitaudit import spans
from splitaudit.schema import ITEMS, conform
from splitaudit.spans import overlaps

SECONDS = st.one_of(st.none(), st.integers(0, 12), st.sampled_from([0.5, 2.25]))
SPAN = st.tuples(st.sampled_from(["x", "y", None]), SECONDS, SECONDS)


def items_of(rows):
    named = [
        {"item_id": f"i{n:02}", "source": source, "start_s": start, "end_s": end}
        for n, (source, start, end) in enumerate(rows)
    ]
    return conform(named, ITEMS)


@settings(max_examples=200, deadline=None)
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
    monkeypatch.setattr(spans, "MOST", 3)
    found = overlaps(items_of([("x", 0, 10)] * 30))
    assert found.num_rows < 30 * 3
    linked = set(zip(found["a"].to_pylist(), found["b"].to_pylist(), strict=True))
    assert {(f"i{n:02}", f"i{n + 1:02}") for n in range(29)} <= linked
