"""Equal values join, missing ones never; a tolerance joins pairs."""

import hashlib
import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from splitaudit.metadata import keys
from splitaudit.metadata.keys import Key, edges, memberships

TEXTS = st.one_of(st.none(), st.sampled_from(["", "a", "A", "a b", "x|y", 'a","b']))


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


@pytest.mark.parametrize("count", [199, 200, 201, 202])
def test_a_value_of_two_hundred_characters_stands_as_it_is(count):
    long = "".join(chr(97 + n % 26) for n in range(count))
    (value,) = memberships(facts(tape=[long]), Key("tape", ("tape",)))["value"].to_pylist()
    digest = hashlib.sha256(long.encode()).hexdigest()
    assert value == (long if count <= 200 else f"{long[:100]}... sha256 {digest}")


def test_the_value_of_several_columns_is_their_list():
    rows = facts(one=["a", 'b"', "a"], two=[1, "ü", None])
    found = values(memberships(rows, Key("k", ("one", "two"))))
    assert found == [("i000", json.dumps(["a", "1"])), ("i001", '["b\\"", "ü"]')]


def test_a_column_of_lists_gives_each_of_its_entries_once():
    rows = facts(tape=[["1", "2", "1"], ["2", None, ""], "1"])
    found = memberships(rows, Key("tape", ("tape",), relation="same_setup"))
    assert values(found) == [("i000", "1"), ("i000", "2"), ("i001", "2"), ("i002", "1")]
    assert set(found["key"].to_pylist()) == {"tape"}
    assert set(found["relation"].to_pylist()) == {"same_setup"}


def rows_of(table):
    return list(zip(*(table[name].to_pylist() for name in ("a", "b", "weight")), strict=True))


@pytest.mark.parametrize(
    ("x", "y", "weight"),
    [
        (0, 0, 1.0),
        (1, 0, 0.75),
        (2, 0, 0.5),
        (-2, 0, 0.5),
        (2.001, 0, None),
        (-2.001, 0, None),
        (0, 0.2, 0.8),
        (0, 0.5, 0.5),
        (0, -0.5, 0.5),
        (0, 0.501, None),
        (0, -0.501, None),
        (1, 0.1, 0.75),
        (1, 0.4, 0.6),
        (2, 0.5, 0.5),
        (2, 0.501, None),
        (2.001, 0.5, None),
    ],
)
def test_both_tolerances_hold_and_the_farther_number_weighs(x, y, weight):
    rows = facts(value=["a", "a"], x=[5, 5 + x], y=[0, y])
    found = rows_of(edges(rows, Key("take", ("value",), within={"x": 2, "y": 0.5})))
    expected = [] if weight is None else [("i000", "i001", pytest.approx(weight))]
    assert found == expected


def test_without_a_tolerance_numbers_are_equal_or_not():
    rows = facts(value=["a"] * 3, x=[7, 7, 7.001])
    assert rows_of(edges(rows, Key("t", ("value",), within={"x": 0}))) == [("i000", "i001", 1.0)]


def test_an_item_of_several_rows_is_joined_by_its_nearest_and_with_itself_never():
    rows = facts(value=["a"] * 3, x=[0, 2, 3])
    rows["item_id"] = ["i0", "i1", "i0"]
    found = edges(rows, Key("take", ("value",), within={"x": 2}))
    assert rows_of(found) == [("i0", "i1", 0.75)]
    turned = edges(rows[::-1], Key("take", ("value",), within={"x": 2}))
    assert turned.equals(found)


def test_an_edge_says_which_key_joined_it_and_whose_groups():
    rows = facts(value=["a"] * 4, x=[5, 1, 1, 5])
    found = edges(rows, Key("take", ("value",), within={"x": 0}))
    common = {"weight": 1.0, "cut": False, "reason": "key:take"}
    assert found.to_pylist() == [
        {"a": "i000", "b": "i003", "policy": "take", **common},
        {"a": "i001", "b": "i002", "policy": "take", **common},
    ]
    found = edges(rows, Key("take", ("value",), within={"x": 0}, policy="duplicate"))
    assert set(found["policy"].to_pylist()) == {"duplicate"}


def test_where_one_of_two_numbers_is_missing_there_is_none(monkeypatch):
    monkeypatch.setattr(keys, "MAX_PARTNERS", 2)  # so that no window may be wider than it should
    x, y = [0, None, 0, None, 0, 0, 0, "?"], [0, 0, None, 0, 0, 0, 0, 0]
    rows = facts(value=["a"] * 3 + ["b"] * 5, x=x, y=y)
    found = edges(rows, Key("take", ("value",), within={"x": 1, "y": 1}))
    expected = [("i004", "i005", 1.0), ("i004", "i006", 1.0), ("i005", "i006", 1.0)]
    assert rows_of(found) == expected


@pytest.mark.parametrize("reach", [0.1, 0.3, 0.7, 40.0])
def test_numbers_of_many_values_of_any_sign_are_compared_as_they_are(reach):
    """Those that lie just as far apart as they may, where rounding tells which."""
    rng = np.random.default_rng(0)
    lower = rng.integers(-1_000, 1_000, 100) * reach
    value = np.repeat(np.arange(50), 4)
    number = np.stack([lower, lower + reach], axis=1).ravel()
    first, second = keys._sorted_neighbourhood(value, number, reach)
    found = sorted((min(pair), max(pair)) for pair in zip(first, second, strict=True))
    near = [
        (i, j)
        for i, j in combinations(range(len(value)), 2)
        if value[i] == value[j] and abs(number[i] - number[j]) <= reach
    ]
    assert found == near


@pytest.mark.parametrize(("count", "pairs"), [(1_001, 1_001 * 1_000 // 2), (1_002, 500_501)])
def test_of_more_than_a_thousand_partners_only_the_next_is_linked(count, pairs):
    first, second = keys._sorted_neighbourhood(np.zeros(count, np.int64), np.zeros(count), 1.0)
    assert len(first) == pairs
    assert (second[-1] - first[-1]) == 1


def test_a_crowd_of_one_value_takes_nothing_from_the_next(monkeypatch):
    monkeypatch.setattr(keys, "MAX_PARTNERS", 2)
    value, number = np.array([0] * 9 + [1] * 3), np.array([10.0] * 9 + [0.0] * 3)
    first, second = keys._sorted_neighbourhood(value, number, 12.0)
    found = sorted(pair for pair in zip(first.tolist(), second.tolist(), strict=True) if 9 in pair)
    assert found == [(9, 10), (9, 11)]


NUMBERS = st.one_of(st.none(), st.integers(-3, 6), st.sampled_from([0.5, 1.5, "2", "two"]))


@settings(max_examples=150, deadline=None)
@example([("a", 0, 0), ("a", 0, 2)], 1, True)  # near by the first number alone
@example([("a", 0, 0), ("a", 1, 1), ("A", 1, 1)], 1, True)
@example([("a", 0, 0), ("a", "two", 0), ("a", None, 0), ("a", "1", 0)], 1, False)
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
    monkeypatch.setattr(keys, "MAX_PARTNERS", 3)
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
