"""What a policy joins stays together, and the check says so without the code that joined it."""

from collections import Counter, defaultdict

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import items_of, matches_of, media_of

from splitaudit.errors import SplitauditError
from splitaudit.groups.policies import cap_groups, count_apart_items, groups, policies
from splitaudit.schema import EDGES, MEMBERSHIPS, conform
from splitaudit.split import regroup, repair
from splitaudit.split.check import check, must_link

POLICIES = ["duplicate", "source", "setup", "tape", "room,near", "caption:text"]
RELATIONS = {"tape": "same_source", "room": "same_setup", "caption:text": "same_caption"}
RELATIONS |= {"caption:core": "same_caption"}
IDS = [f"i{x}" for x in range(8)]


def keys_of(rows):
    """Memberships of rows (item, key, value)."""
    named = [{"item_id": x, "key": k, "value": v, "relation": RELATIONS[k]} for x, k, v in rows]
    return conform(named, MEMBERSHIPS)


def edges_of(rows):
    """Edges of rows (a, b, policy), of which `near` is a key with a tolerance."""
    named = [
        {"a": a, "b": b, "policy": p, "reason": f"key:{p}", "weight": 1.0, "cut": False}
        for a, b, p in rows
    ]
    return conform(named, EDGES)


ITEM = st.sampled_from(IDS)
MEMBER = st.tuples(ITEM, st.sampled_from(sorted(RELATIONS)), st.sampled_from("xyz"))
EDGE = st.tuples(ITEM, ITEM, st.sampled_from(["duplicate", "near"])).filter(
    lambda row: row[0] < row[1]
)


def joined(members, links, policy):
    """By brute force: the pairs of items that a policy keeps together, directly."""
    names = policy.split(",")
    relations = {"source": {"same_source"}, "setup": {"same_source", "same_setup"}}.get(policy, ())
    pairs = {(a, b) for a, b, p in links if p in ("duplicate", *names)}
    by_value = defaultdict(set)
    for item, key, value in members:
        if key in names or RELATIONS[key] in relations:
            by_value[key, value].add(item)
    return pairs | {(a, b) for items in by_value.values() for a in items for b in items if a < b}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(MEMBER, max_size=14, unique=True),
    st.lists(EDGE, max_size=5),
    st.sampled_from(POLICIES),
    st.dictionaries(ITEM, st.sampled_from(["test", "train"]), min_size=8),
)
@pytest.mark.slow
def test_groups_hold_what_belongs_together_and_check_finds_what_is_parted(
    members, links, policy, splits
):
    members += [(IDS[0], key, "alone") for key in RELATIONS]
    links += [(IDS[0], IDS[1], "near")]
    keys, edges, items = keys_of(members), edges_of(links), items_of(splits)
    grouped = groups(IDS, edges, keys, policy)
    home = dict(zip(grouped["item_id"].to_pylist(), grouped["group_id"].to_pylist(), strict=True))
    pairs = joined(members, links, policy)
    assert all(home[a] == home[b] for a, b in pairs)
    media = media_of({x: {"status": "ok"} for x in IDS})
    kept = must_link(keys, edges, policy)
    for plan in (repair(items, grouped), regroup(items, grouped, ratios=SHARES, seed=0)):
        assert check(items, media, matches_of([]), plan, together=kept).exit_status == 0
    as_it_was = items.select(["item_id", "split"]).rename_columns(["item_id", "new_split"])
    found = check(items, media, matches_of([]), as_it_was, together=kept)
    assert bool(len(found.parted)) == any(splits[a] != splits[b] for a, b in pairs)
    assert found.exit_status == (1 if len(found.parted) else 0)
    values = {(row["reason"], row["value"]) for row in kept.to_dict("records")}
    assert sum(found.kept.values()) == len(values) - len(found.parted)
    lines = 3 + found.parted["reason"].nunique() + bool(found.kept)
    assert len(found.sentences()) == lines


SHARES = {"train": 0.5, "test": 0.5}


def test_each_policy_contains_the_one_before():
    keys = keys_of(
        [("i0", "tape", "x"), ("i1", "tape", "x"), ("i1", "room", "y"), ("i2", "room", "y")]
    )
    edges = edges_of([("i2", "i3", "duplicate")])
    sizes = [groups(IDS, edges, keys, policy)["size"].to_pylist() for policy in policies(keys)]
    assert [max(size) for size in sizes] == [2, 2, 4]
    assert policies(keys) == ["duplicate", "source", "setup"]


@pytest.mark.parametrize(
    ("key", "more"), [("tape", ["source"]), ("room", ["setup"]), ("caption:text", []), (None, [])]
)
def test_a_policy_is_told_where_there_is_something_that_it_joins(key, more):
    assert policies(keys_of([("i0", key, "x")] if key else [])) == ["duplicate", *more]


def test_a_caption_of_many_items_joins_nothing():
    ids = [f"i{x:02}" for x in range(30)]
    keys = keys_of(
        [(x, "caption:text", "rain") for x in ids[:21]]
        + [(x, "caption:text", "dog") for x in ids[21:]]
    )
    assert groups(ids, edges_of([]), keys, "caption:text")["size"].to_pylist() == [1] * 21 + [9] * 9
    assert set(must_link(keys, edges_of([]), "caption:text")["value"]) == {"dog"}


@pytest.mark.parametrize(("count", "joins"), [(20, True), (21, False)])
def test_a_caption_of_twenty_items_joins_and_one_of_more_does_not(count, joins):
    ids = [f"i{x:02}" for x in range(count)]
    keys = keys_of([(x, "caption:text", "rain") for x in ids])
    sizes = groups(ids, edges_of([]), keys, "caption:text")["size"].to_pylist()
    assert sizes == [count if joins else 1] * count
    assert must_link(keys, edges_of([]), "caption:text")["item_id"].tolist() == (
        ids if joins else []
    )


def test_a_tape_of_many_items_joins_them_all_and_its_value_may_be_that_of_a_caption():
    ids = [f"i{x:02}" for x in range(21)]
    keys = keys_of(
        [(x, "tape", "rain") for x in ids] + [(x, "caption:text", "rain") for x in ids[:2]]
    )
    for policy, sizes in (("tape", [21] * 21), ("caption:text", [2, 2] + [1] * 19)):
        assert groups(ids, edges_of([]), keys, policy)["size"].to_pylist() == sizes
    assert must_link(keys, edges_of([]), "tape")["item_id"].tolist() == ids
    assert must_link(keys, edges_of([]), "caption:text")["item_id"].tolist() == ids[:2]


def test_equal_values_of_two_keys_are_two_values():
    """12 items have the words by one rule and 12 by another: neither are many, nor one group."""
    one, other = ([f"{x}{n:02}" for n in range(12)] for x in "ab")
    rows = [(x, "caption:text", "rain") for x in one] + [(x, "caption:core", "rain") for x in other]
    keys, policy = keys_of(rows), "caption:text,caption:core"
    home = groups([*one, *other], edges_of([]), keys, policy)["group_id"].to_pylist()
    assert home == ["a00"] * 12 + ["b00"] * 12
    assert must_link(keys, edges_of([]), policy)["item_id"].tolist() == [*one, *other]


MEMBERS = [("i0", "tape", "x"), ("i1", "tape", "x"), ("i1", "room", "x"), ("i2", "room", "x")]
MEMBERS += [("i3", "caption:text", "x"), ("i4", "tape", None), ("i5", "tape", None)]
LINKS = [("i2", "i3", "duplicate"), ("i4", "i5", "near"), ("i6", "i7", "far")]
TAPE = {("key:tape", "x", "i0"), ("key:tape", "x", "i1")}
ROOM = {("key:room", "x", "i1"), ("key:room", "x", "i2")}
HARD = {("key:duplicate", "i2 - i3", "i2"), ("key:duplicate", "i2 - i3", "i3")}
NEAR = {("key:near", "i4 - i5", "i4"), ("key:near", "i4 - i5", "i5")}


@pytest.mark.parametrize(
    ("policy", "kept", "joined"),
    [
        ("duplicate", HARD, ["i2 i3"]),
        ("source", HARD | TAPE, ["i0 i1", "i2 i3"]),
        ("setup", HARD | TAPE | ROOM, ["i0 i1 i2 i3"]),
        ("room", HARD | ROOM, ["i1 i2 i3"]),
        ("near,tape", HARD | NEAR | TAPE, ["i0 i1", "i2 i3", "i4 i5"]),
        ("caption:text", HARD | {("key:caption:text", "x", "i3")}, ["i2 i3"]),
    ],
)
def test_what_each_policy_joins_and_what_the_check_keeps_together(policy, kept, joined):
    """Each value by name, so that one that is forgotten is missed."""
    keys, edges = keys_of(MEMBERS), edges_of(LINKS)
    proven = {"a": "i0", "b": "i7", "policy": "duplicate", "reason": "match", "cut": False}
    cut = {"a": "i0", "b": "i4", "policy": "near", "reason": "key:near", "cut": True}
    found = must_link(keys, pa.concat_tables([edges, conform([proven, cut], EDGES)]), policy)
    assert {tuple(row) for row in found[["reason", "value", "item_id"]].to_numpy()} == kept
    members = defaultdict(list)
    for row in groups(
        IDS, pa.concat_tables([edges, conform([cut], EDGES)]), keys, policy
    ).to_pylist():
        assert row["policy"] == policy
        members[row["group_id"]].append(row["item_id"])
    assert [" ".join(ids) for ids in members.values() if len(ids) > 1] == joined
    assert all(ids[0] == name for name, ids in members.items())


def test_what_is_apart_from_train():
    items = items_of({"a": "train", "b": "test", "c": "test", "d": "val", "e": "test"})
    keys = keys_of([("a", "tape", "x"), ("b", "tape", "x"), ("c", "tape", "y"), ("d", "tape", "y")])
    assert count_apart_items(items, groups("abcde", edges_of([]), keys, "source")) == {
        "test": 2,
        "val": 1,
    }


def test_an_unknown_policy_is_named():
    with pytest.raises(
        SplitauditError, match="no policy or key 'tapes': choose from duplicate, source"
    ):
        groups(IDS, edges_of([]), keys_of([("i0", "tape", "x")]), "tapes")


SOFT = st.lists(st.tuples(ITEM, ITEM, st.sampled_from([0.6, 0.8, 1.0])), max_size=14)


@settings(max_examples=60, deadline=None)
@given(SOFT, st.lists(EDGE, max_size=3), st.integers(1, 8), st.randoms())
def test_what_would_make_too_large_a_group_is_refused_and_nothing_else(soft, hard, cap, order):
    hard = edges_of([(a, b, "duplicate") for a, b, _ in hard])
    near = edges_of([(a, b, "near") for a, b, _ in soft if a < b] + [("i0", "i1", "near")])
    weights = pa.array([w for a, b, w in soft if a < b] + [0.5])
    near = near.set_column(near.column_names.index("weight"), "weight", weights)
    edges, keys = pa.concat_tables([hard, near]), keys_of([])
    guarded = cap_groups(IDS, edges, keys, "near", cap)
    grouped = groups(IDS, guarded, keys, "near")
    home = dict(zip(grouped["item_id"].to_pylist(), grouped["group_id"].to_pylist(), strict=True))
    size = Counter(home.values())
    least = max(groups(IDS, hard, keys)["size"].to_pylist())
    assert max(size.values()) <= max(cap, least)
    for row in guarded.to_pylist():
        together = home[row["a"]] == home[row["b"]]
        assert row["cut"] != together
        assert not row["cut"] or size[home[row["a"]]] + size[home[row["b"]]] > cap
        assert not (row["cut"] and row["policy"] == "duplicate")
    shuffled = list(range(len(edges)))
    order.shuffle(shuffled)
    again = cap_groups(IDS[::-1], edges.take(shuffled), keys, "near", cap)
    assert groups(IDS, again, keys, "near").equals(grouped)
    assert not any(cap_groups(IDS, guarded, keys, "near", None)["cut"].to_pylist())


@pytest.mark.parametrize(("cap", "cut"), [(3, [False, False]), (2, [False, True])])
def test_a_cap_is_what_a_group_may_hold(cap, cut):
    near = edges_of([("i0", "i1", "near"), ("i1", "i2", "near")])
    assert cap_groups(IDS, near, keys_of([]), "near", cap)["cut"].to_pylist() == cut


def test_among_equals_the_first_pair_is_joined_wherever_it_stands():
    near = edges_of([("i1", "i2", "near"), ("i0", "i2", "near"), ("i0", "i1", "near")])
    assert cap_groups(IDS, near, keys_of([]), "near", 2)["cut"].to_pylist() == [True, True, False]


def test_a_cap_cuts_neither_what_is_proven_nor_equal_values_nor_other_policies():
    members = [(x, "tape", "x") for x in IDS[:3]]
    links = [("i0", "i1", "far"), ("i2", "i3", "duplicate"), ("i3", "i4", "near")]
    guarded = cap_groups(IDS, edges_of(links), keys_of(members), "near,tape", 2)
    assert guarded["cut"].to_pylist() == [False, False, True]
    assert guarded.drop_columns("cut").equals(edges_of(links).drop_columns("cut"))
    with pytest.raises(SplitauditError, match="no policy or key 'nearest'"):
        cap_groups(IDS, edges_of(links), keys_of(members), "nearest", 2)


def test_every_key_with_a_tolerance_that_a_policy_names_may_be_cut_and_duplicates_never():
    links = [("i0", "i1", "near"), ("i1", "i2", "far"), ("i2", "i3", "duplicate")]
    for policy, cut in (
        ("near,far", [False, True, False]),
        ("far,near", [False, True, False]),
        ("far", [False, True, False]),
        ("near", [False, False, False]),
        ("duplicate,far", [False, True, False]),
        ("duplicate", [False, False, False]),
    ):
        cap = 1 if policy == "duplicate" else 2
        assert cap_groups(IDS, edges_of(links), keys_of([]), policy, cap)["cut"].to_pylist() == cut


def test_two_large_groups_are_counted_whole():
    """Two chains of three: five may be together, six may not."""
    chain = [("i0", "i1"), ("i1", "i2"), ("i3", "i4"), ("i4", "i5")]
    rows = [(*pair, "near") for pair in [*chain, ("i2", "i3")]]
    weights = pa.array([0.9, 0.9, 0.9, 0.9, 0.6])
    near = edges_of(rows)
    near = near.set_column(near.column_names.index("weight"), "weight", weights)
    for cap, last in ((6, False), (5, True)):
        cut = cap_groups(IDS, near, keys_of([]), "near", cap)["cut"].to_pylist()
        assert cut == [False] * 4 + [last]


def test_a_group_that_is_too_large_before_stays_whole_and_is_joined_with_nothing():
    links = [("i0", "i1", "duplicate"), ("i1", "i2", "duplicate"), ("i0", "i2", "near")]
    links += [("i2", "i3", "near"), ("i3", "i4", "near")]
    cut = cap_groups(IDS, edges_of(links), keys_of([]), "near", 2)["cut"].to_pylist()
    assert cut == [False, False, False, True, False]


def test_the_nearest_are_joined_first():
    near = edges_of([("i0", "i1", "near"), ("i1", "i2", "near")])
    weights = pa.array([0.6, 0.9])
    near = near.set_column(near.column_names.index("weight"), "weight", weights)
    assert cap_groups(IDS, near, keys_of([]), "near", 2)["cut"].to_pylist() == [True, False]
