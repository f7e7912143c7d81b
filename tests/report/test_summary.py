"""The summary on tables that can be counted by hand, and against a slow count of random ones."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_tables import ORDER, tables_of
from small_tables import match, unhurried

from splitaudit.report.sentences import coverage_sentences, escape_invisible, format_time, headline
from splitaudit.report.summary import exit_status, summarise

SPLITS = {"t1": "test", "t2": "test", "v1": "val", "a1": "train", "a2": "train", "a3": "train"}


def states(statuses: dict[str, str]) -> dict[str, dict[str, object]]:
    return {item: {"status": status} for item, status in statuses.items()}


def test_counts_by_hand() -> None:
    tables = tables_of(
        SPLITS,
        [
            match("t1", "a1", "exact"),
            match("t1", "a2", "overlap"),
            match("v1", "a2", "near_duplicate"),
            match("t2", "a3", accepted=False),
            match("a1", "a2"),
            match("a2", "a3", "overlap"),
        ],
        media=states({"a3": "missing", "t2": "degenerate"}),
    )
    assert summarise(tables, ORDER) == {
        "schema": 1,
        "dataset": "sounds",
        "verdict": "leaks",
        "splits": {"test": 2, "val": 1, "train": 3},
        "splits_known": True,
        "coverage": {
            "audio": {
                "items": 6,
                "audited": 5,
                "by_status": {"ok": 4, "degenerate": 1, "missing": 1},
            }
        },
        "leaks": {
            "test|val": {"items": 0, "pairs": 0, "pairs_implied": 0, "by_relation": {}},
            "test|train": {
                "items": 1,
                "pairs": 2,
                "pairs_implied": 2,
                "by_relation": {
                    "exact": {"items": 1, "pairs": 1},
                    "overlap": {"items": 1, "pairs": 1},
                },
            },
            "val|train": {
                "items": 1,
                "pairs": 1,
                "pairs_implied": 1,
                "by_relation": {"near_duplicate": {"items": 1, "pairs": 1}},
            },
        },
        "duplicates": {
            "test": {"items": 0, "pairs": 0, "groups": 0},
            "val": {"items": 0, "pairs": 0, "groups": 0},
            "train": {"items": 3, "pairs": 2, "groups": 1},
        },
        "weak": {},
    }


def test_items_are_counted_on_the_evaluated_side_whatever_their_names() -> None:
    """One train item that leaks into three test items is three leaking items, and `a < b` is not
    the order of evaluation."""
    splits = {"m": "train", "a": "test", "b": "test", "z": "test"}
    tables = tables_of(splits, [match("m", other) for other in "abz"])
    leaks = summarise(tables, ["test", "train"])["leaks"]["test|train"]
    assert (leaks["items"], leaks["pairs"]) == (3, 3)


def test_one_content_in_three_splits_is_counted_in_each_pair_of_splits() -> None:
    """The star of equal content: every item linked to the smallest id of the other side."""
    splits = {"t1": "test", "t2": "test", "v1": "val", "v2": "val", "a1": "train"}
    tables = tables_of(
        splits,
        [
            match("t1", "v1", n_equivalent=2),
            match("t2", "v1", n_equivalent=1),
            match("t1", "v2", n_equivalent=1),
            match("t1", "a1"),
            match("t2", "a1"),
            match("v1", "a1"),
            match("v2", "a1"),
            match("t1", "t2"),
            match("v1", "v2"),
        ],
    )
    summary = summarise(tables, ORDER)
    counts = {p: (e["items"], e["pairs"], e["pairs_implied"]) for p, e in summary["leaks"].items()}
    assert counts == {"test|val": (2, 3, 4), "test|train": (2, 2, 2), "val|train": (2, 2, 2)}
    assert summary["duplicates"]["test"] == {"items": 2, "pairs": 1, "groups": 1}


def test_groups_are_components() -> None:
    splits = dict.fromkeys("abcdefg", "train")
    pairs = [("a", "b"), ("b", "c"), ("d", "e"), ("a", "c")]
    summary = summarise(tables_of(splits, [match(*pair) for pair in pairs]), ["train"])
    assert summary["duplicates"]["train"] == {"items": 5, "pairs": 4, "groups": 2}
    assert summary["verdict"] == "duplicates"
    assert status_of(summary) == 5
    assert headline(summary) == (
        "4 pairs of copies, and there is only one split, so nothing can leak"
    )
    alone = summarise(tables_of(splits), ["train"])
    assert (alone["verdict"], status_of(alone)) == ("clean", 0)
    assert "only one split" in headline(alone)


def status_of(summary: dict[str, Any]) -> int:
    return exit_status(summary, min_coverage=1.0, fail_on_weak=False)


def test_splits_without_an_order_have_no_leak() -> None:
    splits = {"a": "0", "b": "1", "c": "1"}
    found = summarise(tables_of(splits, [match("a", "b")]), ["0", "1"])
    assert (found["verdict"], status_of(found)) == ("duplicates", 5)
    assert headline(found) == "1 pair of copies, and no split is evaluated against another"
    none = summarise(tables_of(splits), ["0", "1"])
    assert (none["verdict"], status_of(none)) == ("clean", 0)


def test_nothing_is_clean_where_no_split_is_known() -> None:
    tables = replace(tables_of({"a": "yes", "b": "no"}), splits_known=False)
    found = summarise(tables, ["yes", "no"])
    assert (found["verdict"], status_of(found)) == ("incomplete", 4)
    assert headline(found) == (
        "no copies found, but no split is known, so it was audited for duplicates only"
    )
    double = replace(tables_of({"a": "x", "b": "x"}, [match("a", "b")]), splits_known=False)
    assert summarise(double, ["x"])["verdict"] == "duplicates"


def test_nothing_is_clean_over_items_that_belong_to_no_split() -> None:
    splits = {"a": "train", "b": "test", "c": "cat", "d": "train"}
    tables = replace(tables_of(splits), unplaced=("cat",))
    found = summarise(tables, ["test", "train", "cat"])
    assert (found["verdict"], found["unplaced"], status_of(found)) == ("incomplete", {"cat": 1}, 4)
    assert headline(found) == "no leak found, but 1 of 4 items belongs to no split (cat)"
    assert summarise(tables, ["test", "train", "cat"], min_coverage=0.75)["verdict"] == "clean"
    leaking = replace(tables_of(splits, [match("a", "b")]), unplaced=("cat",))
    assert summarise(leaking, ["test", "train", "cat"])["verdict"] == "leaks"


def test_weak_relations_are_counted_by_reason() -> None:
    tables = tables_of(
        SPLITS,
        [match("t1", "a1", "shared_material"), match("t1", "a2", "shared_material")],
        [
            ("t1", "tape", "7"),
            ("t2", "tape", "7"),
            ("a1", "tape", "7"),
            ("v1", "tape", "8"),
            ("v1", "room", "7"),
            ("t1", "room", None),
            ("a1", "room", None),
        ],
    )
    summary = summarise(tables, ORDER)
    reasons = {"key:tape": {"items": 2}, "shared_material": {"items": 1}}
    assert summary["weak"] == {"test|train": {"by_reason": reasons}}
    assert summary["verdict"] == "weak"
    assert "2 of 2 test items have the same tape as train items" in headline(summary)


def test_the_verdict_prefers_leaks_to_incomplete_to_weak_to_clean() -> None:
    leak, weak = match("t1", "a1"), match("t1", "a1", "shared_material")
    missing = {"a2": "missing"}
    cases = [
        ([leak, weak], missing, "leaks", 1),
        ([weak], missing, "incomplete", 4),
        ([weak], {}, "weak", 0),
        ([], {"a2": "degenerate"}, "clean", 0),
        ([], {"a2": "truncated"}, "incomplete", 4),
    ]
    for matches, statuses, verdict, status in cases:
        summary = summarise(tables_of(SPLITS, matches, media=states(statuses)), ORDER)
        assert summary["verdict"] == verdict
        assert exit_status(summary, min_coverage=1.0, fail_on_weak=False) == status


def test_exit_status_obeys_its_options() -> None:
    weak = [match("t1", "a1", "shared_material")]
    summary = summarise(tables_of(SPLITS, weak, media=states({"a2": "missing"})), ORDER)
    assert exit_status(summary, min_coverage=1.0, fail_on_weak=True) == 1
    assert exit_status(summary, min_coverage=5 / 6, fail_on_weak=False) == 0
    assert exit_status(summary, min_coverage=0.9, fail_on_weak=False) == 4


def test_a_share_equal_to_min_coverage_suffices_also_where_its_product_rounds_up() -> None:
    """0.07 * 100 is 7.000000000000001 in binary."""
    splits = {f"i{n}": "train" for n in range(100)}
    statuses = {f"i{n}": "missing" for n in range(93)}
    summary = summarise(tables_of(splits, media=states(statuses)), ["train"], min_coverage=0.07)
    assert summary["verdict"] == "clean"


def test_a_check_without_media_is_not_clean() -> None:
    summary = summarise(tables_of(SPLITS, checks=("audio", "video")), ORDER)
    assert summary["coverage"]["video"] == {"items": 0, "audited": 0, "by_status": {}}
    assert summary["verdict"] == "incomplete"
    assert headline(summary).endswith("0 of 0 items could be audited for video")


def test_unknown_splits_and_items_are_refused() -> None:
    with pytest.raises(ValueError, match="val"):
        summarise(tables_of(SPLITS), ["test", "train"])
    with pytest.raises(ValueError, match="nobody"):
        summarise(tables_of(SPLITS, [match("a1", "nobody")]), ORDER)


names = st.sampled_from([f"i{n}" for n in range(8)])
relations = st.sampled_from(["exact", "near_duplicate", "overlap", "shared_material"])
rows = st.tuples(names, names, relations, st.booleans()).filter(lambda row: row[0] < row[1])
keyed = st.tuples(names, st.sampled_from(["tape", "room"]), st.sampled_from("xy"))


@unhurried
@given(
    st.lists(st.sampled_from(ORDER), min_size=8, max_size=8),
    st.lists(rows, unique_by=lambda row: row[:3]),
    st.lists(keyed, unique=True),
)
def test_equals_a_slow_count(
    splits: list[str], found: list[tuple[str, str, str, bool]], keys: list[tuple[str, str, str]]
) -> None:
    split = {f"i{n}": name for n, name in enumerate(splits)}
    tables = tables_of(
        split,
        [match(a, b, relation, accepted=yes) for a, b, relation, yes in found],
        keys,
    )
    summary = summarise(tables, ORDER)
    assert json.loads(json.dumps(summary)) == summary
    for one, other in combinations(ORDER, 2):
        crossing = [
            (a if split[a] == one else b, relation)
            for a, b, relation, yes in found
            if yes and {split[a], split[b]} == {one, other}
        ]
        leaks = [pair for pair in crossing if pair[1] != "shared_material"]
        entry = summary["leaks"][f"{one}|{other}"]
        assert (entry["items"], entry["pairs"]) == (len({item for item, _ in leaks}), len(leaks))
        weak: dict[str, set[str]] = {}
        for item, relation in crossing:
            if relation == "shared_material":
                weak.setdefault(relation, set()).add(item)
        for item, key, value in keys:
            if split[item] == one and any(
                split[i] == other and (k, v) == (key, value) for i, k, v in keys
            ):
                weak.setdefault(f"key:{key}", set()).add(item)
        got = summary["weak"].get(f"{one}|{other}", {"by_reason": {}})["by_reason"]
        assert got == {reason: {"items": len(items)} for reason, items in weak.items()}


def test_the_headline_speaks_of_test_and_train_first() -> None:
    found = [match("v1", "a1"), match("t1", "v1"), match("t1", "a1")]
    assert headline(summarise(tables_of(SPLITS, found), ORDER)) == (
        "1 of 2 test items is already in train"
    )
    found.append(match("t2", "a1"))
    assert headline(summarise(tables_of(SPLITS, found), ORDER)) == (
        "2 of 2 test items are already in train"
    )


def test_coverage_is_said_with_what_became_of_the_rest() -> None:
    statuses = {"a1": "missing", "a2": "unreadable", "a3": "unreadable", "t1": "degenerate"}
    summary = summarise(tables_of(SPLITS, media=states(statuses)), ORDER)
    assert coverage_sentences(summary) == [
        "audio: 3 of 6 items audited: 1 missing, 2 unreadable"
        " (1 silent or steady: nothing to match)"
    ]


def test_unseen_characters_become_escapes() -> None:
    assert escape_invisible("a\nb\tc\x1b[31m\u202egpj.wav") == "a\\nb\\tc\\x1b[31m\\u202egpj.wav"
    assert escape_invisible("naïve 雨 \N{CAT FACE}.wav") == "naïve 雨 \N{CAT FACE}.wav"


def test_clock() -> None:
    assert [format_time(s) for s in (0, 61.2345, 59.9996, 3600.5)] == [
        "00:00.000",
        "01:01.234",
        "01:00.000",
        "1:00:00.500",
    ]
