import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tables import (
    datasets,
    groups_of,
    items_of,
    match,
    matches_of,
    media_of,
    random_dataset,
    shuffled,
    unhurried,
)

from splitaudit import schema
from splitaudit.errors import SplitauditError
from splitaudit.groups.policies import edges, groups
from splitaudit.split.dedup import dedup

KEEPS = ["longest", "first", "best"]


def run(items, matches, media=None, *, within=None, keep="first", prefer=None):
    media = media_of({x: {} for x in items["item_id"].to_pylist()}) if media is None else media
    grouped = groups_of(items, matches)
    return dedup(items, media, matches, grouped, within=within, keep=keep, prefer=prefer)


def kept(table):
    return {x["item_id"] for x in table.to_pylist() if x["action"] == "kept"}


def column(table, name):
    return {x["item_id"]: x[name] for x in table.to_pylist()}


@st.composite
def measured(draw):
    items, matches = draw(datasets(max_items=10))
    numbers = st.one_of(st.none(), st.integers(1, 3))
    rows = {
        x: {
            "sample_rate": draw(numbers),
            "duration_s": draw(numbers),
            "lossless": draw(st.booleans()),
        }
        for x in items["item_id"].to_pylist()
    }
    return items, matches, media_of(rows)


@unhurried
@given(
    measured(), st.sampled_from(KEEPS), st.sampled_from([None, "train", "test"]), st.integers(0, 99)
)
def test_no_two_kept_items_are_joined_and_one_of_each_group_is_kept(data, keep, within, seed):
    items, matches, media = data
    old = column(items, "split")
    if within not in {None, *old.values()}:
        return
    plan = run(items, matches, media, within=within, keep=keep)
    scope = {x for x, split in old.items() if within in (None, split)}
    assert plan.schema.equals(schema.DEDUP)
    assert plan["item_id"].to_pylist() == sorted(scope)
    assert column(plan, "split") == {x: old[x] for x in scope}
    assert not [x for x in matches.to_pylist() if {x["a"], x["b"]} <= kept(plan)]
    inside = [x for x in matches.to_pylist() if {x["a"], x["b"]} <= scope]
    alone = groups(scope, edges(matches_of(inside)))
    assert column(plan, "group_id") == column(alone, "group_id")
    for group in set(column(alone, "group_id").values()):
        assert (
            len(kept(plan) & {x for x, y in column(alone, "group_id").items() if y == group}) == 1
        )
    for row in plan.to_pylist():
        if row["action"] == "dropped":
            assert row["stands_for"] in kept(plan)
            assert column(plan, "group_id")[row["stands_for"]] == row["group_id"]
        else:
            assert row["stands_for"] is None
    if keep != "first":
        assert run(
            shuffled(items, seed),
            shuffled(matches, seed),
            shuffled(media, seed),
            within=within,
            keep=keep,
        ).equals(plan)


TRIANGLE = [match("a", "b"), match("b", "c"), match("a", "c")]


def test_evaluation_items_are_kept_unless_asked():
    items = items_of({"a": "train", "b": "val", "c": "test"})
    matches = matches_of(TRIANGLE)
    media = media_of({"a": {"duration_s": 9}, "b": {"duration_s": 5}, "c": {"duration_s": 1}})
    assert kept(run(items, matches, media, keep="longest")) == {"c"}
    assert kept(run(items, matches, media, keep="longest", prefer="train")) == {"a"}
    assert kept(run(items, matches, media, keep="longest", prefer="val")) == {"b"}


def test_an_item_is_not_dropped_for_one_it_is_linked_to_through_another_split():
    items = items_of({"a": "train", "b": "test", "c": "train"})
    matches = matches_of([match("a", "b"), match("b", "c")])
    assert kept(run(items, matches, within="train")) == {"a", "c"}
    assert kept(run(items, matches)) == {"b"}


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ({"sample_rate": 16000, "bit_depth": 24}, {"sample_rate": 44100, "bit_depth": 16}, "b"),
        ({"bit_depth": 16, "duration_s": 9}, {"bit_depth": 24, "duration_s": 1}, "b"),
        ({"duration_s": 1, "lossless": True}, {"duration_s": 2, "lossless": False}, "b"),
        ({"lossless": False}, {"lossless": True}, "b"),
        ({"lossless": None}, {"lossless": False}, "b"),
        ({"sample_rate": None, "bit_depth": 24}, {"sample_rate": 8000}, "b"),
        ({"sample_rate": 8000}, {"sample_rate": 8000}, "a"),
    ],
)
def test_best(a, b, expected):
    items = items_of({"b": "train", "a": "train"})
    assert kept(
        run(items, matches_of([match("a", "b")]), media_of({"a": a, "b": b}), keep="best")
    ) == {expected}


def test_an_item_of_several_media_has_the_best_of_each():
    items = items_of({"b": "train", "a": "train"})
    known = {"part": "audio", "modality": "audio", "status": "ok"}
    measures = [("a", 8000, 9.0), ("a", 48000, 1.0), ("b", 44100, 5.0), ("b", 44100, 9.5)]
    rows = [{**known, "item_id": x, "sample_rate": y, "duration_s": z} for x, y, z in measures]
    media, matches = schema.conform(rows, schema.MEDIA), matches_of([match("a", "b")])
    assert kept(run(items, matches, media, keep="best")) == {"a"}
    assert kept(run(items, matches, media, keep="longest")) == {"b"}


@pytest.mark.parametrize("keep", KEEPS)
def test_the_split_counts_before_any_quality_and_the_name_comes_last(keep):
    items = items_of({"c": "train", "d": "val", "b": "val", "x": "other", "y": "notes"})
    matches = matches_of([match("b", x) for x in "cdxy"])
    media = media_of({x: {"duration_s": 9.0} for x in "cxy"} | {"b": {}, "d": {}})
    first = "d" if keep == "first" else "b"
    assert kept(run(items, matches, media, keep=keep)) == {first}
    assert kept(run(items, matches, media, keep=keep, prefer="train")) == {"c"}
    assert kept(run(items, matches, media, keep=keep, prefer="notes")) == {"y"}
    others = {"x": "other", "y": "notes"}
    assert kept(run(items_of(others), matches_of([match("x", "y")]), media, keep=keep)) == {"y"}


def test_an_item_without_a_split_is_kept_last():
    items = items_of({"a": None, "b": "other"})
    media = media_of({"a": {"duration_s": 9.0}, "b": {}})
    assert kept(run(items, matches_of([match("a", "b")]), media, keep="longest")) == {"b"}


def test_of_several_ties_the_hardest_is_told_and_then_the_surest():
    items = items_of(dict.fromkeys("kab", "train"))
    parts = ("audio", "video", "image")
    rows = [
        match("k", "a", "overlap", score=0.99, part="audio"),
        match("k", "a", "near_duplicate", score=0.71, part="video"),
        match("k", "a", "near_duplicate", score=0.83, part="image"),
        match("k", "b", "exact", score=0.5, part="image"),
        match("k", "b", "near_duplicate", score=1.0, part="audio"),
    ]
    media = [
        row | {"part": part}
        for part in parts
        for row in media_of({x: {} for x in "kab"}).to_pylist()
    ]
    for order in (rows, rows[::-1]):
        plan = run(items, matches_of(order), schema.conform(media, schema.MEDIA))
        assert column(plan, "reason") == {
            "k": "stands for 2 dropped",
            "a": "same recording as k (near_duplicate, score 0.83)",
            "b": "exact copy of k",
        }


def test_longest_and_first():
    items = items_of({"b": "train", "a": "train"})
    matches = matches_of([match("a", "b")])
    media = media_of(
        {
            "a": {"duration_s": 2.0, "sample_rate": 8000},
            "b": {"duration_s": 1.5, "sample_rate": 16000},
        }
    )
    assert kept(run(items, matches, media, keep="longest")) == {"a"}
    assert kept(run(items, matches, media, keep="first")) == {"b"}
    assert kept(run(items, matches, media, keep="best")) == {"b"}


def test_reasons():
    items = items_of(dict.fromkeys("kabcdz", "train"))
    rows = [
        match("k", "a", "exact", score=1.0),
        match("k", "b", "near_duplicate", score=0.97),
        match("k", "c", "overlap", score=0.61),
        match("c", "d", "exact"),
        match("k", "b", "overlap", score=0.99, part="video"),
    ]
    sounds = media_of({x: {} for x in "kabcdz"}).to_pylist()
    films = [row | {"part": "video"} for row in sounds]
    plan = run(items, matches_of(rows), schema.conform(sounds + films, schema.MEDIA))
    assert column(plan, "reason") == {
        "k": "stands for 4 dropped",
        "a": "exact copy of k",
        "b": "same recording as k (near_duplicate, score 0.97)",
        "c": "overlaps k (score 0.61)",
        "d": "in one duplicate group with k, through others",
        "z": "no duplicate",
    }


def test_a_refused_match_is_no_reason():
    items = items_of(dict.fromkeys("kab", "train"))
    rows = [match("k", "a"), match("a", "b"), match("k", "b", "exact", accepted=False)]
    assert column(run(items, matches_of(rows)), "reason")["b"].endswith("through others")


def test_items_of_equal_content_share_the_matches_of_one_of_them():
    """`a`, `b`, `k` have one content; the matches link them, and `d`, to the smallest id only."""
    items = items_of(dict.fromkeys("kabd", "train"))
    media = media_of({x: {"content_id": "one"} for x in "kab"} | {"d": {}})
    rows = [match("a", "b", "exact"), match("a", "k", "exact"), match("a", "d", score=0.88)]
    reasons = column(run(items, matches_of(rows), media), "reason")
    assert reasons["a"] == reasons["b"] == "exact copy of k"
    assert reasons["d"] == "same recording as k (near_duplicate, score 0.88)"


def test_contents_of_another_part_tie_nothing():
    items = items_of(dict.fromkeys("kab", "train"))
    sounds = media_of(
        {"k": {"content_id": "k"}, "a": {"content_id": "x"}, "b": {"content_id": "x"}}
    )
    films = [row | {"part": "video", "content_id": row["item_id"]} for row in sounds.to_pylist()]
    media = schema.conform(sounds.to_pylist() + films, schema.MEDIA)
    rows = [match("k", "a", "overlap", part="video"), match("a", "b", "exact")]
    assert column(run(items, matches_of(rows), media), "reason")["b"].endswith("through others")


def test_items_without_media_can_be_deduplicated():
    items = items_of({"a": "train", "b": "train"})
    plan = run(items, matches_of([match("a", "b", "exact")]), media_of({}), keep="best")
    assert column(plan, "stands_for") == {"a": None, "b": "a"}


def test_equal_names_of_contents_of_two_parts_tie_nothing():
    items = items_of(dict.fromkeys("akbpq", "train"))
    sounds = {"a": {"content_id": "x"}, "k": {"content_id": "y"}, "b": {}}
    films = {"p": {"content_id": "x", "part": "video"}, "q": {"content_id": "y", "part": "video"}}
    rows = [match("p", "q", "overlap", part="video"), match("a", "b"), match("b", "k")]
    plan = run(items, matches_of(rows), media_of(sounds | films))
    assert column(plan, "reason") == {
        "a": "stands for 2 dropped",
        "b": "same recording as a (near_duplicate, score 0.90)",
        "k": "in one duplicate group with a, through others",
        "p": "stands for 1 dropped",
        "q": "overlaps p (score 0.90)",
    }


def test_what_is_unknown_is_named():
    items = items_of({"a": "train"})
    with pytest.raises(SplitauditError, match="split 'tran' is unknown; expected one of train"):
        run(items, matches_of([]), within="tran")
    with pytest.raises(SplitauditError, match="split 'x' is unknown"):
        run(items, matches_of([]), prefer="x")
    with pytest.raises(SplitauditError, match="keep 'largest' is unknown; expected one of longest"):
        run(items, matches_of([]), keep="largest")


def test_groups_of_other_items_are_refused():
    items = items_of({"a": "train", "b": "train"})
    media = media_of({"a": {}, "b": {}})
    with pytest.raises(ValueError, match="same items"):
        dedup(
            items,
            media,
            matches_of([]),
            groups(["a"], edges(matches_of([]))),
            within=None,
            keep="first",
        )


def test_a_larger_dataset_has_one_kept_item_a_group():
    items, matches = random_dataset(2000, 1500, seed=11)
    plan = run(items, matches, keep="best")
    assert len(kept(plan)) == len(np.unique(groups_of(items, matches)["group_id"]))
