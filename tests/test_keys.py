"""Equal values join, missing ones never; a tolerance joins pairs."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitaudit import keys
from splitaudit.keys import Key, edges, memberships

TEXTS = st.one_of(st.none(), st.sampled_from(["", "a", "A", "a b", "x|y", '","']))


def facts(**columns):
    rows = pd.DataFrame(columns, dtype=object)
    return rows.assign(item_id=[f"i{x:03}" for x in range(len(rows))])


def values(table):
    return list(zip(table["item_id"].to_pylist(), table["value"].to_pylist(), strict=True))


def test_a_missing_value_equals_no_other():
    found = memberships(facts(tape=["1", None, "", float("nan"), "1"]), Key("tape", ("tape",)))
    assert values(found) == [("i000", "1"), ("i004", "1")]


def test_what_is_left_of_nothing_once_normalised_equals_no_other():
    rows = facts(caption=[["(1)"], ["2."], ["Two dogs", "Dogs"], [], None])
    found = memberships(rows, Key("scene", ("caption",), {"caption": "core"}))
    assert values(found) == [("i002", "dogs")]


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=12))
def test_a_composite_key_is_equal_where_all_its_columns_are(cells):
    one, two = zip(*cells, strict=True) if cells else ((), ())
    found = dict(values(memberships(facts(one=list(one), two=list(two)), Key("k", ("one", "two")))))
    for (i, a), (j, b) in combinations(enumerate(cells), 2):
        equal = found.get(f"i{i:03}", object()) == found.get(f"i{j:03}", object())
        assert equal == (a == b and all(a))


def test_a_long_value_is_shortened_and_still_unlike_any_other():
    long = "a" * 1_000_000
    found = memberships(facts(caption=[[long], [long + "b"], [long]]), Key("c", ("caption",)))
    texts = found["value"].to_pylist()
    assert max(map(len, texts)) < 300
    assert texts[0] == texts[2] != texts[1]


NUMBERS = st.one_of(st.none(), st.integers(-3, 6), st.sampled_from([0.5, 1.5, "2", "two"]))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, NUMBERS, NUMBERS), max_size=14),
    st.sampled_from([0, 0.5, 1, 3]),
    st.booleans(),
)
def test_a_tolerance_joins_the_pairs_within_it_and_no_others(cells, reach, both):
    value, x, y = (list(column) for column in zip(*cells, strict=True)) if cells else ([], [], [])
    within = {"x": reach} | ({"y": 1} if both else {})
    found = edges(facts(value=value, x=x, y=y), Key("take", ("value",), within=within))
    number = [pd.to_numeric(pd.Series(column, dtype=object), errors="coerce") for column in (x, y)]
    near = {
        (f"i{i:03}", f"i{j:03}")
        for i, j in combinations(range(len(cells)), 2)
        if value[i] and value[i] == value[j] and abs(number[0][i] - number[0][j]) <= reach
        if not both or abs(number[1][i] - number[1][j]) <= 1
    }
    assert set(zip(found["a"].to_pylist(), found["b"].to_pylist(), strict=True)) == near


def test_a_crowd_within_the_tolerance_is_joined_one_to_the_next(monkeypatch):
    monkeypatch.setattr(keys, "MOST_ALIKE", 3)
    found = edges(facts(value=["a"] * 20, x=[0] * 20), Key("take", ("value",), within={"x": 1}))
    assert found.num_rows < 20 * 3
    linked = {"i000"}
    for a, b in sorted(zip(found["a"].to_pylist(), found["b"].to_pylist(), strict=True)):
        assert a in linked or b in linked
        linked |= {a, b}
    assert len(linked) == 20


@pytest.mark.parametrize("n", [0, 1])
def test_few_items_are_no_pairs(n):
    rows = facts(value=["a"] * n, x=list(np.arange(n)))
    assert edges(rows, Key("take", ("value",), within={"x": 1})).num_rows == 0
