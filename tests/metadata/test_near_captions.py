"""Captions that are nearly alike, against all pairs compared one by one."""

from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from splitaudit.metadata.caption_relations import edges, memberships
from splitaudit.metadata.near_captions import MAX_LENGTH, _jaccard_join, near
from splitaudit.schema import ITEMS, conform

WORDS = ["a", "dog", "barks", "twice", "near", "engine", "engines", "running", "loud"]
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join)


def by_hand(texts):
    """Every pair: the words shared, then the characters."""
    found = {}
    for i, one in enumerate(texts):
        for j in range(i + 1, len(texts)):
            mine, theirs = set(one.split()), set(texts[j].split())
            score = fuzz.token_sort_ratio(one, texts[j]) / 100
            if len(mine & theirs) / len(mine | theirs) >= 0.6 and score >= 0.9:
                found[i, j] = score
    return found


LONG = "extraordinarily unmistakably incomprehensible thunderstorms "  # so characters agree


@settings(max_examples=200, deadline=None)
@example([LONG + "a b", LONG + "a c"])
@example([LONG + "a b c d", LONG + "a b e f"])
@given(st.lists(TEXT, max_size=25, unique=True))
def test_no_pair_is_missed_and_none_is_made_up(texts):
    found = near(np.array(texts, object))
    pairs = {(row.a, row.b): row.score for row in found.itertuples()}
    expected = by_hand(texts)
    assert pairs.keys() == expected.keys()
    assert all(abs(pairs[pair] - score) < 1e-6 for pair, score in expected.items())


def test_some_that_are_and_some_that_are_not():
    texts = [
        "an older man is reading a newspaper",
        "an old man is reading a newspaper",
        "a dog barking and growling",
        "a dog growling and barking",
        "a cat growling and barking",
        "x " * (MAX_LENGTH // 2) + "y",
        "x " * (MAX_LENGTH // 2) + "z",
    ]
    found = near(np.array(texts, object))
    assert list(zip(found["a"], found["b"], strict=True)) == [(0, 1), (2, 3)]
    assert found["score"].iloc[1] == 1


def pairs_of(*texts):
    found = near(np.array(texts, object))
    return [(row.a, row.b, round(row.score, 6)) for row in found.itertuples()]


@pytest.mark.parametrize(
    ("shared", "mine", "theirs", "near_enough"),
    [
        (3, 1, 1, True),  # 3 of 5
        (6, 0, 4, True),  # 6 of 10, all on one side
        (30, 10, 10, True),
        (4, 1, 2, False),  # 4 of 7
        (13, 4, 5, False),  # 13 of 22: 0.591
        (59, 20, 20, False),  # 59 of 99: 0.596
    ],
)
def test_of_the_words_three_in_five_are_shared_or_more(shared, mine, theirs, near_enough):
    """Where nearly all characters agree, only the words decide."""
    long = [f"wwwwwwww{n:04}" for n in range(shared)]
    one, other = ([f"{name}{n}" for n in range(k)] for name, k in (("a", mine), ("b", theirs)))
    assert bool(pairs_of(" ".join(long + one), " ".join(long + other))) == near_enough


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("aa bb cc d", "aa bb cc e", Fraction(18, 20)),
        ("aaaa bb c d", "aaaa bb c eee", Fraction(20, 24)),
        ("aaa bbb ccc xd", "aaa bbb ccc xef", Fraction(26, 29)),  # 0.897
        ("aaa bbb ccc x", "aaa bbb ccc xy", Fraction(26, 27)),
    ],
)
def test_of_the_characters_nine_in_ten_agree_or_more(one, other, alike):
    expected = [(0, 1, round(float(alike), 6))] if alike >= Fraction(9, 10) else []
    assert pairs_of(one, other) == pairs_of(other, one) == expected


@pytest.mark.parametrize(("count", "compared"), [(1_999, True), (2_000, True), (2_001, False)])
def test_a_caption_of_two_thousand_characters_is_compared_and_no_longer_one(count, compared):
    text = ("dog " * 600)[: count - 4] + " end"
    assert len(text) == count
    turned = " ".join(reversed(text.split()))
    assert pairs_of(text, turned) == ([(0, 1, 1.0)] if compared else [])


def test_pairs_come_in_the_order_of_the_texts_the_smaller_first():
    texts = ["a b c d e", "x y", "c b a d e", "y x", "e d c b a"]
    assert [pair[:2] for pair in pairs_of(*texts)] == [(0, 2), (0, 4), (1, 3), (2, 4)]


@pytest.mark.parametrize("share", [Fraction(n, 100) for n in (60, 90, 50, 40, 28, 14)])
def test_sets_that_share_just_enough_are_found_and_those_with_a_word_less_are_not(share):
    """Their rarest words are those that they do not share, so that one in the prefix is.

    Some shares of some sizes are a hair above the whole number that they are, as 0.28 of 25.
    """
    for one, other in combinations_with_replacement(range(1, 28), 2):
        least = next(n for n in range(29) if Fraction(n, max(1, one + other - n)) >= share)
        for shared in {least, least - 1} & set(range(1, one + 1)):
            own, last = np.arange(one - shared), np.arange(100, 100 + shared)
            words = np.concatenate([own, last, 50 + np.arange(other - shared), last])
            found = _jaccard_join(np.array([0, one, one + other]), words, float(share))
            assert len(found[0]) == (shared >= least), (one, other, shared)


def items_of(captions):
    rows = [
        {"item_id": f"i{k:02}", "split": "train", "captions": said, "labels": [], "attributes": []}
        for k, said in enumerate(captions)
    ]
    return conform(rows, ITEMS)


def test_items_are_joined_by_any_of_their_captions():
    items = items_of([["Rain!", "An old man reads."], ["An older man reads"], ["", " "], ["rain"]])
    found = edges(items, ["exact", "near"]).to_pylist()
    assert [(row["a"], row["b"], row["reason"], row["cut"]) for row in found] == [
        ("i00", "i01", "caption:near", False),
        ("i00", "i03", "caption:near", False),
    ]
    assert 0.9 <= found[0]["weight"] < found[1]["weight"] == 1
    assert edges(items, ["exact"]).num_rows == 0


def test_a_caption_of_many_items_is_near_to_none():
    items = items_of([["an old man reads"]] * 21 + [["an older man reads"]] * 2)
    assert [(row["a"], row["b"]) for row in edges(items, ["near"]).to_pylist()] == [("i21", "i22")]


@pytest.mark.parametrize(("count", "pairs"), [(20, 20 * 21 // 2), (21, 0)])
def test_a_caption_of_twenty_items_joins_and_one_of_more_does_not(count, pairs):
    items = items_of([["an old man reads"]] * count + [["an older man reads"]])
    assert edges(items, ["near"]).num_rows == pairs


def test_a_caption_that_an_item_has_twice_counts_once():
    items = items_of([["an old man reads", "An old man reads!"]] * 20 + [["an older man reads"]])
    assert edges(items, ["near"]).num_rows == 20 * 21 // 2


def test_a_pair_weighs_as_its_nearest_captions_do():
    near_one, near_two = "an older man reads a newspaper", "an old man read a newspapers"
    said = [["an old man reads a newspaper", near_two], [near_one], [near_two, near_one]]
    for captions in (said, [one[::-1] for one in said]):
        found = edges(items_of(captions), ["near"]).to_pylist()
        assert [row["a"] + row["b"] for row in found] == ["i00i01", "i00i02", "i01i02"]
        least = fuzz.token_sort_ratio(said[0][0], near_one) / 100
        assert [row["weight"] for row in found] == [pytest.approx(least), 1, 1]
        assert {(row["policy"], row["reason"], row["cut"]) for row in found} == {
            ("caption:near", "caption:near", False)
        }


def test_each_rule_gives_the_captions_that_it_leaves():
    items = items_of([["Dog, one!", "dog one"], ["Two"], []])
    found = memberships(items, ["exact", "text", "near", "numberless"])
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        ("i00", "caption:exact", "Dog, one!", "same_caption"),
        ("i00", "caption:exact", "dog one", "same_caption"),
        ("i01", "caption:exact", "Two", "same_caption"),
        ("i00", "caption:text", "dog one", "same_caption"),
        ("i01", "caption:text", "two", "same_caption"),
        ("i00", "caption:numberless", "dog", "same_caption"),
    ]


def test_nothing_written_is_near_to_nothing():
    assert edges(items_of([["..."], ["!", ""], [" "], ["rain"]]), ["near"]).num_rows == 0
    assert edges(items_of([[], []]), ["near"]).num_rows == 0
