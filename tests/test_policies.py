"""What a policy joins stays together, and the check says so without the code that joined it."""

from collections import Counter, defaultdict

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tables import items_of, matches_of, media_of

from splitaudit.check import check, together
from splitaudit.errors import SplitauditError
from splitaudit.group import apart, groups, guard, policies
from splitaudit.schema import EDGES, MEMBERSHIPS, conform
from splitaudit.split import regroup, repair

POLICIES = ["duplicate", "source", "setup", "tape", "room,near", "caption:text"]
RELATIONS = {"tape": "same_source", "room": "same_setup", "caption:text": "same_caption"}
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


@settings(max_examples=150, deadline=None)
@given(
    st.lists(MEMBER, max_size=14, unique=True),
    st.lists(EDGE, max_size=5),
    st.sampled_from(POLICIES),
    st.dictionaries(ITEM, st.sampled_from(["test", "train"]), min_size=8),
)
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
    kept = together(keys, edges, policy)
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


def test_a_caption_of_many_items_joins_nothing():
    ids = [f"i{x:02}" for x in range(30)]
    keys = keys_of(
        [(x, "caption:text", "rain") for x in ids[:21]]
        + [(x, "caption:text", "dog") for x in ids[21:]]
    )
    assert groups(ids, edges_of([]), keys, "caption:text")["size"].to_pylist() == [1] * 21 + [9] * 9
    assert set(together(keys, edges_of([]), "caption:text")["value"]) == {"dog"}


def test_what_is_apart_from_train():
    items = items_of({"a": "train", "b": "test", "c": "test", "d": "val", "e": "test"})
    keys = keys_of([("a", "tape", "x"), ("b", "tape", "x"), ("c", "tape", "y"), ("d", "tape", "y")])
    assert apart(items, groups("abcde", edges_of([]), keys, "source")) == {"test": 2, "val": 1}


def test_an_unknown_policy_is_named():
    with pytest.raises(
        SplitauditError, match="no policy or key 'tapes': choose from duplicate, source"
    ):
        groups(IDS, edges_of([]), keys_of([("i0", "tape", "x")]), "tapes")


SOFT = st.lists(st.tuples(ITEM, ITEM, st.sampled_from([0.6, 0.8, 1.0])), max_size=14)


@settings(max_examples=150, deadline=None)
@given(SOFT, st.lists(EDGE, max_size=3), st.integers(1, 8), st.randoms())
def test_what_would_make_too_large_a_group_is_refused_and_nothing_else(soft, hard, cap, order):
    hard = edges_of([(a, b, "duplicate") for a, b, _ in hard])
    near = edges_of([(a, b, "near") for a, b, _ in soft if a < b] + [("i0", "i1", "near")])
    weights = pa.array([w for a, b, w in soft if a < b] + [0.5])
    near = near.set_column(near.column_names.index("weight"), "weight", weights)
    edges, keys = pa.concat_tables([hard, near]), keys_of([])
    guarded = guard(IDS, edges, keys, "near", cap)
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
    again = guard(IDS[::-1], edges.take(shuffled), keys, "near", cap)
    assert groups(IDS, again, keys, "near").equals(grouped)
    assert not any(guard(IDS, guarded, keys, "near", None)["cut"].to_pylist())


def test_the_nearest_are_joined_first():
    near = edges_of([("i0", "i1", "near"), ("i1", "i2", "near")])
    weights = pa.array([0.6, 0.9])
    near = near.set_column(near.column_names.index("weight"), "weight", weights)
    assert guard(IDS, near, keys_of([]), "near", 2)["cut"].to_pylist() == [True, False]
