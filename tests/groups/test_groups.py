from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tables import match, matches_of, shuffled, unhurried

from splitaudit.groups.components import smallest_members
from splitaudit.groups.oversized import giants
from splitaudit.groups.policies import edges, groups
from splitaudit.order import evaluation_order, role
from splitaudit.schema import EDGES, GROUPS

GRAPHS = st.integers(2, 9).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.sets(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda x: x[0] < x[1])
        ),
    )
)


def group_ids(table):
    return dict(zip(table["item_id"].to_pylist(), table["group_id"].to_pylist(), strict=True))


def reachable(start, pairs):
    seen = {start}
    while grown := {y for a, b in pairs for x, y in ((a, b), (b, a)) if x in seen} - seen:
        seen |= grown
    return seen


def test_only_accepted_leaks_join():
    found = edges(
        matches_of(
            [
                match("a", "b", "exact"),
                match("c", "d", "overlap"),
                match("e", "f", "shared_material"),
                match("g", "h", accepted=False),
                match("i", "j", accepted=None),
                match("k", "l", "same_source"),
            ]
        )
    )
    assert found.schema.equals(EDGES)
    assert found.select(["a", "b"]).to_pylist() == [{"a": "a", "b": "b"}, {"a": "c", "b": "d"}]
    assert set(found["reason"].to_pylist()) == {"match"}
    assert set(found["policy"].to_pylist()) == {"duplicate"}
    assert found["cut"].to_pylist() == [False, False]


def test_a_pair_matched_twice_is_one_edge_of_the_higher_weight():
    rows = [match("a", "b", score=0.7), match("a", "b", "exact", part="video", score=0.99)]
    assert edges(matches_of(rows)).select(["a", "b", "weight"]).to_pylist() == [
        {"a": "a", "b": "b", "weight": 0.99}
    ]


def test_groups_are_named_by_their_smallest_id_and_singletons_stand_alone():
    table = groups(["z", "b", "a", "c", "B"], edges(matches_of([match("z", "b"), match("b", "c")])))
    assert table.schema.equals(GROUPS)
    assert table.select(["item_id", "group_id", "size"]).to_pylist() == [
        {"item_id": "B", "group_id": "B", "size": 1},
        {"item_id": "a", "group_id": "a", "size": 1},
        {"item_id": "b", "group_id": "b", "size": 3},
        {"item_id": "c", "group_id": "b", "size": 3},
        {"item_id": "z", "group_id": "b", "size": 3},
    ]


def test_no_items_and_no_edges():
    table = groups([], edges(matches_of([])))
    assert table.num_rows == 0
    assert len(giants(table, edges(matches_of([])), 0.1)) == 0


def test_a_cut_edge_joins_nothing():
    joined = edges(matches_of([match("a", "b")]))
    cut = joined.set_column(joined.schema.get_field_index("cut"), "cut", [[True]])
    assert group_ids(groups(["a", "b"], cut)) == {"a": "a", "b": "b"}


@pytest.mark.parametrize("ids", [["a"], ["a", "a", "b"]])
def test_ids_must_be_unique_and_cover_the_edges(ids):
    with pytest.raises(ValueError, match=r"twice|not among"):
        groups(ids, edges(matches_of([match("a", "b")])))


@unhurried
@given(GRAPHS, st.integers(0, 2**32 - 1))
def test_groups_are_the_components_whatever_the_order(graph, seed):
    n, pairs = graph
    rows = edges(matches_of(match(f"i{a}", f"i{b}") for a, b in pairs))
    ids = [f"i{x}" for x in range(n)]
    table = groups(ids, rows)
    for x, group_id in group_ids(table).items():
        assert group_id == f"i{min(reachable(int(x[1:]), pairs))}"
    sizes = pd.Series(table["group_id"].to_pylist()).value_counts()
    assert table["size"].to_pylist() == [sizes[x] for x in table["group_id"].to_pylist()]
    reordered = np.random.default_rng(seed).permutation(ids).tolist()
    assert groups(reordered, shuffled(rows, seed)).equals(table)


def test_smallest_members():
    ends = np.array([4, 3]), np.array([3, 1])
    assert smallest_members(6, *ends).tolist() == [0, 1, 2, 1, 1, 5]


@unhurried
@given(GRAPHS)
def test_the_bridges_of_giants_are_the_edges_whose_loss_parts_them(graph):
    n, pairs = graph
    joined = edges(matches_of(match(f"i{a}", f"i{b}") for a, b in pairs))
    table = groups([f"i{x}" for x in range(n)], joined)
    found = giants(table, joined, 1.5 / n)  # groups of two and more
    expected = {
        (f"i{a}", f"i{b}"): min(len(side), len(reachable(a, pairs)) - len(side))
        for a, b in pairs
        if b not in (side := reachable(a, pairs - {(a, b)}))
    }
    bridges = found.dropna(subset="a")
    assert (
        dict(
            zip(zip(bridges["a"], bridges["b"], strict=True), bridges["smaller_side"], strict=True)
        )
        == expected
    )
    large = {
        x
        for x, size in zip(table["group_id"].to_pylist(), table["size"].to_pylist(), strict=True)
        if size > 1
    }
    assert set(found["group_id"]) == large


def test_the_guard_shows_what_welds_two_halves_first():
    left = [match(a, b) for a, b in pairwise(["a1", "a2", "a3", "a4"])] + [match("a1", "a4")]
    right = [match(a, b) for a, b in pairwise(["b1", "b2", "b3"])] + [match("b1", "b3")]
    weld, tail = match("a3", "b2", score=0.4), match("b3", "c", score=0.8)
    joined = edges(matches_of([*left, *right, weld, tail]))
    table = groups(["a1", "a2", "a3", "a4", "b1", "b2", "b3", "c", "x", "y"], joined)
    found = giants(table, joined, 0.5)
    assert found["size"].tolist() == [8, 8]
    assert found["share"].tolist() == [0.8, 0.8]
    assert found[["a", "b", "weight", "smaller_side"]].to_numpy().tolist() == [
        ["a3", "b2", 0.4, 4],
        ["b3", "c", 0.8, 1],
    ]


def named(*sizes):
    """Chains of items, the first named a, the next b: their edges and groups."""
    chains = [[f"{'abcdef'[n]}{x}" for x in range(size)] for n, size in enumerate(sizes)]
    rows = [match(*pair, score=0.9) for chain in chains for pair in pairwise(chain)]
    joined = edges(matches_of(rows))
    return joined, groups([x for chain in chains for x in chain], joined)


def test_giants_come_by_size_then_name_and_their_bridges_by_balance_then_name():
    joined, table = named(3, 4, 4)
    found = giants(table, joined, 0.25)
    rows = found[["group_id", "size", "smaller_side", "a", "b"]].to_numpy().tolist()
    assert rows == [
        ["b0", 4, 2, "b1", "b2"],
        ["b0", 4, 1, "b0", "b1"],
        ["b0", 4, 1, "b2", "b3"],
        ["c0", 4, 2, "c1", "c2"],
        ["c0", 4, 1, "c0", "c1"],
        ["c0", 4, 1, "c2", "c3"],
        ["a0", 3, 1, "a0", "a1"],
        ["a0", 3, 1, "a1", "a2"],
    ]
    assert found["share"].tolist() == [4 / 11] * 6 + [3 / 11] * 2


def test_a_bridge_weighs_as_its_strongest_edge_and_one_that_is_cut_is_none():
    joined, table = named(3)
    other = joined.slice(0, 1)
    for name, value in (("weight", 0.95), ("policy", "near")):
        other = other.set_column(other.column_names.index(name), name, [[value]])
    cut = joined.slice(1, 1).set_column(joined.column_names.index("cut"), "cut", [[True]])
    found = giants(table, pa.concat_tables([other, joined, other]), 0.5)
    assert found[["a", "b", "weight"]].to_numpy().tolist() == [
        ["a0", "a1", 0.95],
        ["a1", "a2", 0.9],
    ]
    back = pa.concat_tables([joined, cut])
    assert giants(table, back, 0.5)["a"].tolist() == ["a0", "a1"]
    ring = edges(matches_of([match("a0", "a1"), match("a1", "a2"), match("a0", "a2")]))
    away = ring["a"].to_pylist().index("a1")
    flags = pa.array([n == away for n in range(3)])
    ring = ring.set_column(ring.column_names.index("cut"), "cut", flags)
    assert giants(table, ring, 0.5)["b"].tolist() == ["a1", "a2"]


def test_a_giant_is_strictly_larger_than_the_share_and_is_listed_without_bridges():
    ring = edges(matches_of([match("a", "b"), match("b", "c"), match("a", "c")]))
    table = groups(["a", "b", "c", "d"], ring)
    assert len(giants(table, ring, 0.75)) == 0
    found = giants(table, ring, 0.74)
    assert found[["group_id", "size"]].to_numpy().tolist() == [["a", 3]]
    assert found[["a", "b", "weight", "smaller_side"]].isna().all(axis=None)


def test_a_long_chain_needs_no_recursion():
    chain = edges(matches_of(match(a, b) for a, b in pairwise(f"{x:05d}" for x in range(5000))))
    table = groups([f"{x:05d}" for x in range(5000)], chain)
    assert giants(table, chain, 0.5)["smaller_side"].tolist()[0] == 2500


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("test", "test"),
        ("Test-clean", "test"),
        ("testing", "test"),
        ("val", "val"),
        ("val2017", "val"),
        ("valid", "val"),
        ("validation_seen", "val"),
        ("dev-clean", "val"),
        ("development", "other"),
        ("value", "other"),
        ("train", "train"),
        ("training", "train"),
        ("latest", "other"),
        ("", "other"),
        ("TRAIN", "train"),
        ("Dev", "val"),
        ("VALID_1", "val"),
        ("val_b", "val"),
        ("val/en", "val"),
        ("dev2", "val"),
        ("eval", "other"),
        ("valentine", "other"),
        ("validated", "other"),
        ("validations", "other"),
        ("device", "other"),
        ("devé", "other"),
        ("pretrain", "other"),
        ("trai", "other"),
        ("tes", "other"),
        ("unlabeled", "other"),
    ],
)
def test_roles(split, expected):
    assert role(split) == expected


def test_evaluation_order():
    assert evaluation_order(["x", "train", "dev", "a", "test_b", "val", "test_a", "x"]) == [
        "test_b",
        "test_a",
        "dev",
        "val",
        "train",
        "x",
        "a",
    ]
