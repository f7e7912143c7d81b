import hashlib
from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import (
    SPLITS,
    datasets,
    groups_of,
    items_of,
    match,
    matches_of,
    random_dataset,
    shuffled,
    unhurried,
)

from splitaudit import schema
from splitaudit.errors import SplitauditError
from splitaudit.groups.policies import edges, groups
from splitaudit.order import evaluation_order, role
from splitaudit.split import digest, drop, entering_eval, lower_bound, regroup, repair, unmet
from splitaudit.split.regroup import _contingency_table

RATIOS = st.dictionaries(
    st.sampled_from(["train", "val", "test", "a", "b"]), st.floats(0.01, 1), min_size=1
)


def column(splits, name="new_split"):
    return dict(zip(splits["item_id"].to_pylist(), splits[name].to_pylist(), strict=True))


def fewest_moves(items, matches, train_to_eval):
    """Try every assignment; return the fewest moves of those that no match crosses."""
    names, old = items["item_id"].to_pylist(), items["split"].to_pylist()
    tried = np.array(list(product(range(4), repeat=len(names))))
    sound = np.ones(len(tried), dtype=bool)
    for a, b in zip(matches["a"].to_pylist(), matches["b"].to_pylist(), strict=True):
        sound &= tried[:, names.index(a)] == tried[:, names.index(b)]
    if not train_to_eval:
        for i in (i for i, split in enumerate(old) if split == "train"):
            sound &= tried[:, i] == SPLITS.index("train")
    moves = (tried != [SPLITS.index(split) for split in old]).sum(axis=1)
    return moves[sound].min()


def moves(splits):
    return pc.sum(pc.equal(splits["action"], "moved")).as_py() or 0


@settings(max_examples=200, deadline=None)
@given(datasets(max_items=6, splits=4), st.booleans())
def test_repair_equals_brute_force(dataset, train_to_eval):
    items, matches = dataset
    new = repair(items, groups_of(items, matches), train_to_eval=train_to_eval)
    assert moves(new) == fewest_moves(items, matches, train_to_eval)


@unhurried
@given(datasets(max_items=12, splits=4), st.booleans(), st.integers(0, 2**32 - 1))
def test_repair_cuts_and_loses_nothing(dataset, train_to_eval, seed):
    items, matches = dataset
    grouped = groups_of(items, matches)
    new = repair(items, grouped, train_to_eval=train_to_eval)
    assert new.schema.equals(schema.SPLITS)
    assert new["item_id"].to_pylist() == sorted(items["item_id"].to_pylist())
    assert column(new, "old_split") == dict(
        zip(*items.select(["item_id", "split"]).to_pydict().values(), strict=True)
    )
    home = column(new)
    assert all(
        home[a] == home[b]
        for a, b in zip(*matches.select(["a", "b"]).to_pydict().values(), strict=True)
    )
    again = repair(shuffled(items, seed), shuffled(grouped, seed), train_to_eval=train_to_eval)
    assert again.equals(new)
    assert moves(new) == lower_bound(items, grouped, train_to_eval=train_to_eval)
    if not train_to_eval:
        assert sum(entering_eval(new).values()) == 0


@unhurried
@given(datasets(max_items=12, splits=4), st.booleans())
def test_a_repaired_split_needs_no_repair(dataset, train_to_eval):
    items, matches = dataset
    grouped = groups_of(items, matches)
    once = repair(items, grouped, train_to_eval=train_to_eval)
    twice = repair(items_of(column(once)), grouped, train_to_eval=train_to_eval)
    assert moves(twice) == 0
    assert lower_bound(items_of(column(once)), grouped) == 0


@pytest.mark.parametrize(
    ("old", "home"),
    [
        (["train", "test"], "test"),
        (["train", "val"], "val"),
        (["val", "test"], "test"),
        (["train", "test", "val"], "test"),
        (["train", "train", "test"], "train"),
        (["extra", "train"], "train"),
        (["dev-clean", "train-clean"], "dev-clean"),
    ],
)
def test_the_majority_wins_and_ties_favour_the_evaluated_side(old, home):
    names = [f"i{x}" for x in range(len(old))]
    items = items_of(dict(zip(names, old, strict=True)))
    new = repair(items, groups_of(items, matches_of(match("i0", x) for x in names[1:])))
    assert set(column(new).values()) == {home}


def test_reasons_and_actions():
    items = items_of({"a": "train", "b": "test", "c": "test", "d": "val"})
    new = repair(items, groups_of(items, matches_of([match("a", "b")])))
    assert column(new, "action") == {"a": "moved", "b": "kept", "c": "kept", "d": "kept"}
    assert column(new, "reason") == {
        "a": "shares a group with b in test",
        "b": "stays",
        "c": "stays",
        "d": "stays",
    }
    assert column(new, "group_id") == {"a": "a", "b": "a", "c": "c", "d": "d"}


def test_without_train_to_eval_one_train_item_draws_the_whole_group():
    items = items_of({"a": "train", "b": "test", "c": "test", "d": "test", "e": "val"})
    grouped = groups_of(items, matches_of([match("a", "b"), match("b", "c"), match("d", "e")]))
    new = repair(items, grouped, train_to_eval=False)
    assert column(new) == {"a": "train", "b": "train", "c": "train", "d": "test", "e": "test"}


def test_entering_eval_counts_old_train_items_in_each_evaluated_split():
    items = items_of(
        {"a": "train", "b": "test", "c": "train", "d": "val", "e": "train", "f": "val"}
    )
    new = repair(items, groups_of(items, matches_of([match("a", "b"), match("e", "d")])))
    assert entering_eval(new) == {"test": 1, "val": 1}


@unhurried
@given(datasets(max_items=20), RATIOS, st.booleans(), st.integers(0, 99))
def test_regroup_cuts_and_loses_nothing(dataset, ratios, train_to_eval, seed):
    items, matches = dataset
    ratios |= {"train": 1.0}
    grouped = groups_of(items, matches)
    new = regroup(items, grouped, ratios=ratios, seed=seed, train_to_eval=train_to_eval)
    home = column(new)
    assert new.schema.equals(schema.SPLITS)
    assert sorted(home) == sorted(items["item_id"].to_pylist())
    assert set(home.values()) <= set(ratios)
    assert all(
        home[a] == home[b]
        for a, b in zip(*matches.select(["a", "b"]).to_pydict().values(), strict=True)
    )
    other = regroup(
        shuffled(items, seed),
        shuffled(grouped, seed),
        ratios=ratios,
        seed=seed,
        train_to_eval=train_to_eval,
    )
    assert other.equals(new)
    if not train_to_eval:
        assert {home[x] for x, old in column(new, "old_split").items() if old == "train"} <= {
            "train"
        }


@unhurried
@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), RATIOS, st.integers(0, 99))
def test_regroup_meets_its_targets_within_one_group(sizes, ratios, seed):
    chains = [[f"{g:02d}-{x}" for x in range(size)] for g, size in enumerate(sizes)]
    items = items_of({x: "train" for chain in chains for x in chain})
    joined = edges(matches_of(match(chain[0], x) for chain in chains for x in chain[1:]))
    grouped = groups(items["item_id"].to_pylist(), joined)
    new = regroup(items, grouped, ratios=ratios, seed=seed)["new_split"].to_pylist()
    for split, ratio in ratios.items():
        target = len(new) * ratio / sum(ratios.values())
        assert abs(new.count(split) - target) < max(sizes) + 1e-6


def pairs_and_singles(n_pairs, n_singles):
    pairs = [(f"p{x:02d}a", f"p{x:02d}b") for x in range(n_pairs)]
    names = [x for pair in pairs for x in pair] + [f"s{x:02d}" for x in range(n_singles)]
    items = items_of(dict.fromkeys(names, "train"))
    return items, groups_of(items, matches_of(match(*pair) for pair in pairs))


def test_many_small_splits_do_not_starve_a_large_one():
    ratios = {"train": 0.5} | {f"fold{x}": 0.05 for x in range(10)}
    new = regroup(*pairs_and_singles(10, 0), ratios=ratios, seed=0)
    assert new["new_split"].to_pylist().count("train") == 10


def test_large_groups_come_first_so_that_small_ones_even_out():
    new = regroup(*pairs_and_singles(3, 6), ratios={"a": 0.5, "b": 0.5}, seed=0)
    assert new["new_split"].to_pylist().count("a") == 6


def test_regroup_spreads_large_groups_over_all_splits():
    items, matches = random_dataset(3000, 2000, seed=5)
    grouped = groups_of(items, matches)
    ratios = {"train": 0.8, "val": 0.1, "test": 0.1}
    new = regroup(items, grouped, ratios=ratios, seed=0)
    large = set(grouped.filter(pc.greater_equal(grouped["size"], 4))["item_id"].to_pylist())
    assert {split for x, split in column(new).items() if x in large} == set(ratios)


def test_regroup_depends_on_the_seed_and_not_on_the_order_of_the_ratios():
    items, matches = random_dataset(200, 60, seed=3)
    grouped = groups_of(items, matches)
    ratios = {"train": 0.8, "val": 0.1, "test": 0.1}
    one = regroup(items, grouped, ratios=ratios, seed=1)
    assert one.equals(regroup(items, grouped, ratios=dict(reversed(ratios.items())), seed=1))
    assert one.equals(
        regroup(items, grouped, ratios={x: 10 * y for x, y in ratios.items()}, seed=1)
    )
    assert not one.equals(regroup(items, grouped, ratios=ratios, seed=2))


@settings(max_examples=100, deadline=None)
@given(datasets(max_items=8, splits=4), st.sampled_from(["train", "test"]), st.data())
def test_drop_moves_nothing_and_keeps_the_side_that_is_asked_for(dataset, side, data):
    items, matches = dataset
    grouped = groups_of(items, matches)
    group = dict(zip(grouped["item_id"].to_pylist(), grouped["group_id"].to_pylist(), strict=True))
    pins = data.draw(st.lists(st.sampled_from(items["item_id"].to_pylist()), max_size=1))
    new = drop(items, grouped, side=side, pinned=pins)
    old, home, action = (column(new, name) for name in ("old_split", "new_split", "action"))
    pinned_groups = {group[x] for x in pins}
    for name in set(group.values()):
        members = [x for x in group if group[x] == name]
        kept = {home[x] for x in members} - {None}
        assert len(kept) == 1
        assert all(
            (old[x] in kept) == (action[x] == "kept") == (home[x] is not None) for x in members
        )
        if name in pinned_groups:
            assert kept == {old[pins[0]]}
        elif side == "train":
            assert kept == {evaluation_order(old[x] for x in members)[0]}
        elif any(role(old[x]) == "train" for x in members):
            assert role(*kept) == "train"


@settings(max_examples=60, deadline=None)
@given(datasets(max_items=8, splits=3), st.data())
def test_pinned_items_stay_and_their_groups_come_to_them(dataset, data):
    items, matches = dataset
    grouped = groups_of(items, matches)
    pin = data.draw(st.sampled_from(items["item_id"].to_pylist()))
    for new in (
        repair(items, grouped, pinned=[pin]),
        regroup(items, grouped, ratios={"test": 1, "val": 1, "train": 2}, seed=0, pinned=[pin]),
    ):
        old, home, group = (column(new, name) for name in ("old_split", "new_split", "group_id"))
        assert all(home[x] == old[pin] for x in home if group[x] == group[pin])


def test_pins_that_cannot_hold_are_named():
    items = items_of({"a": "test", "b": "test", "c": "train", "d": "val"})
    grouped = groups_of(items, matches_of([match("a", "b"), match("b", "c")]))
    with pytest.raises(SplitauditError, match="'a' and 'c' share a group and are pinned"):
        repair(items, grouped, pinned=["a", "b", "c"])
    with pytest.raises(SplitauditError, match="no item 'x' to pin"):
        drop(items, grouped, side="train", pinned=["x"])
    with pytest.raises(SplitauditError, match="pinned to 'val', and the ratios name only"):
        regroup(items, grouped, ratios={"train": 1, "test": 1}, seed=0, pinned=["d"])


def test_regroup_keeps_labels_and_attributes_in_balance():
    rng = np.random.default_rng(0)
    items = items_of({f"i{x:03}": "train" for x in range(600)})
    labels = pa.array([[str(x) for x in set(rng.choice(4, 2))] for _ in range(600)])
    rooms = pa.array(
        [[("room", str(rng.integers(3)))] for _ in range(600)],
        schema.ITEMS.field("attributes").type,
    )
    items = items.set_column(items.column_names.index("labels"), "labels", labels)
    items = items.set_column(items.column_names.index("attributes"), "attributes", rooms)
    new = regroup(
        items,
        groups_of(items, matches_of([])),
        ratios={"train": 0.8, "test": 0.2},
        seed=0,
        stratify=("label", "room"),
    )
    held = items.to_pandas().assign(new=new["new_split"])
    room = held["attributes"].map(lambda pairs: dict(pairs)["room"])
    for one_hot in (held["labels"].str.join("|").str.get_dummies(), pd.get_dummies(room)):
        off = one_hot[held["new"] == "test"].sum() - 0.2 * one_hot.sum()
        assert off.abs().max() <= 1


def test_what_is_balanced_is_how_many_items_of_a_group_have_each_label():
    """A label that an item has twice counts once, and one that it lacks not at all."""
    rows = [
        {"item_id": "a", "labels": ["dog", "dog", "cat"], "attributes": [("room", "y")]},
        {"item_id": "b", "labels": None, "attributes": [("room", "x"), ("hall", "1")]},
        {"item_id": "c", "labels": ["dog"], "attributes": []},
        {"item_id": "d", "labels": ["eel", "dog"], "attributes": [("room", "x"), ("room", "y")]},
    ]
    items, group = schema.conform(rows, schema.ITEMS), np.array([0, 1, 0, 1])
    table = _contingency_table(group, items, ["label", "room"]).toarray()
    assert table.tolist() == [[2, 1, 2, 0, 0, 1], [2, 0, 1, 1, 2, 0]]
    assert _contingency_table(group, items, []).toarray().tolist() == [[2], [2]]
    assert _contingency_table(group[:0], items[:0], ["label"]).shape == (0, 1)


def test_regroup_refuses_an_attribute_that_no_item_has():
    items = items_of({"a": "train", "b": "test"})
    with pytest.raises(SplitauditError, match="no item has an attribute 'room'"):
        regroup(
            items, groups_of(items, matches_of([])), ratios={"a": 1}, seed=0, stratify=("room",)
        )


def test_a_seed_gives_the_split_that_it_always_gave():
    """Whoever makes it another one on purpose says so in the changelog."""
    rng = np.random.default_rng(0)
    labels = [[str(x) for x in set(rng.choice(6, 2))] for _ in range(240)]
    rows = [{"item_id": f"i{n:03}", "split": "train", "labels": x} for n, x in enumerate(labels)]
    items = schema.conform(rows, schema.ITEMS)
    ends = (np.minimum(rng.pareto(1.0, 240), 20)).astype(int)
    pairs = [(n, min(n + end, 239)) for n, end in enumerate(ends.tolist()) if end and n % 3]
    grouped = groups_of(items, matches_of(match(f"i{a:03}", f"i{b:03}") for a, b in pairs if a < b))
    ratios = {"train": 0.7, "val": 0.1, "test": 0.2}
    found = [digest(regroup(items, grouped, ratios=ratios, seed=seed))[:16] for seed in (0, 1)]
    assert found == ["623c97ae418943b9", "9e22efdea709465e"]


def plan_of(**counts):
    """A plan with one group of six in each split, the others of two."""
    rows = []
    for split, count in counts.items():
        placed = None if split == "dropped" else split
        for n in range(count):
            group = f"{split}{max(0, n - 4) // 2}"
            rows.append({"item_id": f"{split}{n}", "new_split": placed, "group_id": group})
    return schema.conform(rows, schema.SPLITS)


@pytest.mark.parametrize("times", [1, 10])
def test_what_is_more_than_a_hundredth_above_its_share_is_said(times):
    ratios = {"train": 0.8 * times, "test": 0.2 * times}
    assert unmet(plan_of(train=810, test=190), ratios) == []
    assert unmet(plan_of(train=790, test=210, dropped=50), ratios) == []
    assert unmet(plan_of(train=811, test=189), ratios) == [
        "train holds 81.1% of the items where 80.0% was asked for: "
        "its largest group, 'train0', has 6 items and is never cut"
    ]
    assert unmet(plan_of(train=789, test=211, dropped=900), ratios) == [
        "test holds 21.1% of the items where 20.0% was asked for: "
        "its largest group, 'test0', has 6 items and is never cut"
    ]


def test_what_of_nothing_is_asked_for_is_not_unmet():
    assert unmet(plan_of(), {"train": 1.0}) == []
    assert unmet(plan_of(train=4), {"train": 0.995, "test": 0.005}) == []


GROUP_OF_ALL = {"a": "train", "b": "val", "c": "test", "d": "train", "e": "extra", "f": "test"}


@pytest.mark.parametrize(
    ("side", "kept", "pinned"),
    [
        ("train", {"c": "test", "f": "test"}, []),
        ("test", {"a": "train", "d": "train"}, []),
        ("train", {"b": "val"}, ["b"]),
        ("test", {"c": "test", "f": "test"}, ["f"]),
        ("train", {"a": "train", "d": "train"}, ["a", "d"]),
    ],
)
def test_of_a_group_that_stands_everywhere_one_side_is_kept_and_the_rest_says_why(
    side, kept, pinned
):
    items = items_of(GROUP_OF_ALL | {"z": "train"})
    grouped = groups_of(items, matches_of(match("a", x) for x in "bcdef"))
    new = drop(items, grouped, side=side, pinned=pinned)
    assert column(new) == {x: kept.get(x) for x in GROUP_OF_ALL} | {"z": "train"}
    (split,), first = set(kept.values()), min(kept)
    why = f"shares a group with {first} in {split}"
    assert column(new, "reason") == {x: "stays" if x in kept else why for x in GROUP_OF_ALL} | {
        "z": "stays"
    }
    assert column(new, "action") == {
        x: "kept" if x in kept else "dropped" for x in GROUP_OF_ALL
    } | {"z": "kept"}


@pytest.mark.parametrize(
    ("old", "side", "kept"),
    [
        (["val", "extra"], "test", "val"),
        (["test", "val"], "test", "test"),
        (["train_a", "train_b", "test"], "test", "train_a"),
        (["train", "extra"], "train", "train"),
        (["val", "train"], "train", "val"),
    ],
)
def test_the_side_that_is_kept_where_a_group_has_no_train_or_no_test(old, side, kept):
    items = items_of({f"i{n}": split for n, split in enumerate(old)})
    grouped = groups_of(items, matches_of(match("i0", f"i{n}") for n in range(1, len(old))))
    assert set(column(drop(items, grouped, side=side)).values()) == {kept, None}


@pytest.mark.parametrize(
    ("old", "moves", "without_train"),
    [
        (["train", "test", "test"], 1, 2),
        (["train", "train", "test"], 1, 1),
        (["val", "test", "test", "test"], 1, 1),
        (["train_a", "train_b", "train_b", "test", "test", "test"], 3, 4),
        (["test"], 0, 0),
    ],
)
def test_the_fewest_moves_of_a_group(old, moves, without_train):
    items = items_of({f"i{n}": split for n, split in enumerate(old)} | {"z": "train"})
    grouped = groups_of(items, matches_of(match("i0", f"i{n}") for n in range(1, len(old))))
    assert lower_bound(items, grouped) == moves
    assert lower_bound(items, grouped, train_to_eval=False) == without_train


def test_only_what_comes_from_train_enters_evaluation_and_what_is_dropped_does_not():
    rows = [("train", "test"), ("train_b", "test"), ("val", "test"), ("train", "train")]
    rows += [("train", "extra"), ("train", None), (None, "dev"), ("test", "dev"), ("extra", "dev")]
    named = [
        {"item_id": f"i{n}", "old_split": old, "new_split": new}
        for n, (old, new) in enumerate(rows)
    ]
    assert entering_eval(schema.conform(named, schema.SPLITS)) == {"test": 2, "dev": 0}


def test_regroup_leaves_in_train_what_may_not_enter_evaluation_and_nothing_else():
    items = items_of({"a": "train", "b": "test"} | {f"x{n}": "test" for n in range(8)})
    grouped = groups_of(items, matches_of([match("a", "b")]))
    ratios = {"train": 0.01, "test": 0.99}
    new = regroup(items, grouped, ratios=ratios, seed=0, train_to_eval=False)
    assert column(new) == {"a": "train", "b": "train"} | {f"x{n}": "test" for n in range(8)}
    free = regroup(items, grouped, ratios=ratios, seed=0)
    assert column(free) == dict.fromkeys(column(free), "test")


def test_a_pinned_group_says_so():
    items = items_of({"a": "train", "b": "test", "c": "test"})
    grouped = groups_of(items, matches_of([match("a", "b")]))
    ratios = {"train": 1.0, "test": 1.0}
    new = regroup(items, grouped, ratios=ratios, seed=0, pinned=["b"])
    assert column(new)["a"] == column(new)["b"] == "test"
    assert column(new, "reason")["a"] == "its group is pinned"
    assert column(new, "reason")["b"] == "stays"


def test_regroup_says_why():
    items = items_of({"a": "train", "b": "test", "c": "test"})
    grouped = groups_of(items, matches_of([match("a", "b")]))
    new = regroup(items, grouped, ratios={"train": 1.0}, seed=0, train_to_eval=False)
    assert column(new, "reason") == {
        "a": "stays",
        "b": "its group holds items of the old train, which may not enter evaluation",
        "c": "placed by ratio and seed",
    }
    free = regroup(items, grouped, ratios={"train": 1.0}, seed=0)
    assert column(free, "reason")["b"] == "placed by ratio and seed, with its group of 2 items"


@pytest.mark.parametrize(
    "ratios",
    [{}, {"train": 0.0}, {"train": 0.5, "val": -0.1}, {"train": float("nan")}, {"a": float("inf")}],
)
def test_regroup_refuses_senseless_ratios(ratios):
    items = items_of({"a": "train"})
    with pytest.raises(SplitauditError, match="ratio above 0"):
        regroup(items, groups_of(items, matches_of([])), ratios=ratios, seed=0)


def test_regroup_needs_a_train_for_items_that_must_stay_there():
    items = items_of({"a": "train"})
    with pytest.raises(SplitauditError, match="must stay in train"):
        regroup(
            items,
            groups_of(items, matches_of([])),
            ratios={"val": 1, "test": 1},
            seed=0,
            train_to_eval=False,
        )


def test_an_item_without_a_split_is_a_clear_error():
    items = items_of({"a": "train", "b": None})
    with pytest.raises(SplitauditError, match=r"1 items have no split.*'b'"):
        repair(items, groups_of(items, matches_of([])))


def test_groups_of_other_items_are_refused():
    with pytest.raises(ValueError, match="same items"):
        repair(items_of({"a": "train"}), groups(["a", "b"], edges(matches_of([]))))


def test_an_item_that_is_given_twice_is_refused():
    items = items_of({"a": "train", "b": "test"})
    grouped = groups_of(items, matches_of([]))
    with pytest.raises(ValueError, match="given twice"):
        repair(*(pa.concat_tables([table, table.slice(0, 1)]) for table in (items, grouped)))


def test_groups_may_come_from_pandas():
    items = items_of({"a": "train", "b": "test"})
    grouped = groups_of(items, matches_of([]))
    assert repair(items, pa.Table.from_pandas(grouped.to_pandas())).equals(repair(items, grouped))


def test_the_digest_is_what_the_documentation_says():
    rows = [
        {"item_id": "é\n", "new_split": "test"},
        {"item_id": "b", "new_split": None, "action": "dropped"},
        {"item_id": "a", "new_split": "train"},
    ]
    table = schema.conform(rows, schema.SPLITS)
    text = '["a","train"]\n["\\u00e9\\n","test"]\n'
    assert digest(table) == hashlib.sha256(text.encode()).hexdigest()
    assert digest(shuffled(table, 1)) == digest(table)


def test_roles_of_the_splits_used_here():
    assert [role(split) for split in SPLITS] == ["train", "val", "test", "other"]
