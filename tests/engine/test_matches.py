"""What is proven about sounds becomes rows of items: few, and none that leaks goes without."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tables import unhurried
from sound_proofs import Pair, proof, rows_of

from splitaudit.engine import matches
from splitaudit.schema import ITEMS, MEDIA, conform

SPLITS = ("train", "val", "test")

items = st.dictionaries(
    st.text("abxy/ü", min_size=1, max_size=3),
    st.tuples(st.sampled_from(SPLITS), st.sampled_from(["A1", "A2", "B1", "C1", "D1"])),
    max_size=14,
)
proven = st.sets(st.sampled_from(list(combinations("ABCD", 2)))).flatmap(
    lambda pairs: st.tuples(*(st.permutations(pair) for pair in sorted(pairs)))
)


@unhurried
@given(items, proven)
def test_every_item_with_a_partner_has_a_row_and_all_pairs_are_counted(
    held: dict[str, tuple[str, str]], pairs: tuple[list[str], ...]
) -> None:
    related = {frozenset(pair) for pair in pairs} | {frozenset(sound) for sound in "ABCD"}
    partners = {
        (x, y)
        for x, y in combinations(sorted(held), 2)
        if frozenset((held[x][1][0], held[y][1][0])) in related
    }
    rows = rows_of(held, [proof(*pair) for pair in pairs])
    assert rows.keys() <= partners  # so a < b, none with itself, none that is not proven
    assert sum(row["n_equivalent"] for row in rows.values()) == len(partners)

    def places(found: Iterable[Pair]) -> set[tuple[str, str, str]]:
        return {(x, held[x][0], held[y][0]) for pair in found for x, y in (pair, pair[::-1])}

    assert places(rows) == places(partners)


@unhurried
@given(items, proven, st.randoms(use_true_random=False))
def test_order_does_not_matter(
    held: dict[str, tuple[str, str]], pairs: tuple[list[str], ...], chance: object
) -> None:
    shuffled, turned = list(held), list(pairs)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    chance.shuffle(turned)  # type: ignore[attr-defined]
    again = rows_of({item: held[item] for item in shuffled}, [proof(*pair) for pair in turned])
    assert list(again.items()) == list(rows_of(held, [proof(*pair) for pair in pairs]).items())


def test_one_content_in_three_splits_has_a_row_in_each_pair_of_splits() -> None:
    held = {f"{split}/{k}": (split, "A1") for split in SPLITS for k in range(3)}
    rows = rows_of(held)
    between = {tuple(sorted((a.split("/")[0], b.split("/")[0]))) for a, b in rows}
    assert len(between) == 6  # three pairs of splits, and each split with itself
    assert sum(row["n_equivalent"] for row in rows.values()) == 9 * 8 // 2
    assert len(rows) == 3 * 5 + 3 * 2


def test_10_000_equal_items_are_a_star() -> None:
    held = {f"{k:05}": (SPLITS[k % 3], "A1") for k in range(10_000)}
    rows = rows_of(held)
    assert len(rows) < 30_000
    assert sum(row["n_equivalent"] for row in rows.values()) == 10_000 * 9_999 // 2


def test_each_row_stands_for_the_pairs_that_it_says() -> None:
    """Of a, b, c in train and x, y, z in test the first are linked, and the others to them."""
    held = dict.fromkeys("bca", ("train", "A1")) | dict.fromkeys("zyx", ("test", "A1"))
    within = {("a", "b"): 1, ("a", "c"): 2, ("x", "y"): 1, ("x", "z"): 2}
    between = {("a", "x"): 1, ("b", "x"): 1, ("c", "x"): 1, ("a", "y"): 3, ("a", "z"): 3}
    rows = rows_of(held)
    assert {pair: row["n_equivalent"] for pair, row in rows.items()} == within | between
    held = dict.fromkeys("abc", ("train", "A1")) | dict.fromkeys("xyz", ("test", "B1"))
    rows = rows_of({**held, "B2": ("train", "B1")}, [proof("A", "B")])
    proven = {
        pair: row["n_equivalent"] for pair, row in rows.items() if row["relation"] == "overlap"
    }
    turned = {("a", "x"): 1, ("b", "x"): 3, ("c", "x"): 3, ("a", "y"): 1, ("a", "z"): 1}
    assert proven == turned | {("B2", "a"): 1, ("B2", "b"): 1, ("B2", "c"): 1}


def test_items_are_members_by_the_bytes_of_the_part_that_is_asked_for() -> None:
    items = conform([{"item_id": x, "split": y} for x, y in ("a1", "b2", "c3")], ITEMS)
    media = [
        ("b", "audio", "two"),
        ("a", "audio", "one"),
        ("a", "image", "three"),
        ("c", "audio", None),
    ]
    rows = [dict(zip(("item_id", "part", "content_id"), row, strict=True)) for row in media]
    found = matches.members(items, conform(rows, MEDIA), "audio")
    assert found[["item_id", "content_id", "split"]].to_numpy().tolist() == [
        ["b", "two", "2"],
        ["a", "one", "1"],
    ]


def test_only_items_that_have_labels_have_any() -> None:
    rows = [{"item_id": "a", "labels": ["x", "y", "x"]}, {"item_id": "b", "labels": []}]
    items = conform([*rows, {"item_id": "c"}], ITEMS)
    assert matches.labels(items) == {"a": frozenset("xy")}


def test_equal_bytes_and_equal_samples_are_told_apart() -> None:
    rows = rows_of({"a": ("train", "A1"), "b": ("test", "A1"), "c": ("val", "A2")})
    assert {pair: row["verifier"] for pair, row in rows.items()} == {
        ("a", "b"): "bytes",
        ("a", "c"): "samples",
        ("b", "c"): "samples",
    }
    for row in rows.values():
        assert (row["relation"], row["score"], row["accepted"]) == ("exact", 1.0, True)
        assert (row["a_start"], row["a_end"], row["b_start"], row["b_end"]) == (0, 10, 0, 10)
        assert (row["coverage_a"], row["coverage_b"]) == (1, 1)


def test_silence_equals_silence_and_is_no_leak() -> None:
    ((pair, row),) = rows_of({"a": ("train", "A1"), "b": ("test", "A1")}, silent="A").items()
    assert pair == ("a", "b")
    assert row["relation"] == "exact"
    assert not row["accepted"]


@pytest.mark.parametrize("turned", [False, True])
def test_intervals_follow_their_items(turned: bool) -> None:
    sounds = ("B1", "A1") if turned else ("A1", "B1")
    rows = rows_of({"x": ("train", sounds[0]), "y": ("test", sounds[1])}, [proof("A", "B")])
    row = rows["x", "y"]
    a, b = ("b", "a") if turned else ("a", "b")
    assert (row[f"{a}_start"], row[f"{a}_end"], row[f"coverage_{a}"]) == (1, 5, 0.4)
    assert (row[f"{b}_start"], row[f"{b}_end"], row[f"coverage_{b}"]) == (2, 6, 0.9)
    assert row["transform"] == f"excerpt, recoded or filtered, gain {'-' if turned else '+'}3.0 dB"
    assert (row["fingerprint"], row["verifier"]) == ("patch-v1", "waveform-v5")


def test_a_proof_between_sounds_that_no_item_holds_gives_nothing() -> None:
    assert rows_of({"x": ("train", "A1")}, [proof("A", "B"), proof("C", "D")]) == {}
    assert rows_of({}, [proof("A", "B")]) == {}


@pytest.mark.parametrize(
    ("mine", "theirs", "conflict"),
    [
        (["dog"], ["cat"], True),
        (["dog"], ["dog"], False),
        (["dog"], None, False),
        (None, None, False),
    ],
)
def test_labels_that_differ_are_told(
    mine: list[str] | None, theirs: list[str] | None, conflict: bool
) -> None:
    given_ = {"a": mine, "b": theirs, "c": mine}
    labels = {item: frozenset(words) for item, words in given_.items() if words}
    held = {"a": ("train", "A1"), "b": ("test", "A1"), "c": ("test", "B1")}
    rows = rows_of(held, [proof("A", "B")], labels)
    assert rows["a", "b"]["label_conflict"] == conflict
    assert not rows["a", "c"]["label_conflict"]
