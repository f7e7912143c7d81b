"""Captions that are nearly alike, against all pairs compared one by one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from splitaudit.near import LONGEST, near
from splitaudit.schema import ITEMS, conform
from splitaudit.written import edges

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


@settings(max_examples=200, deadline=None)
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
        "x " * (LONGEST // 2) + "y",
        "x " * (LONGEST // 2) + "z",
    ]
    found = near(np.array(texts, object))
    assert list(zip(found["a"], found["b"], strict=True)) == [(0, 1), (2, 3)]
    assert found["score"].iloc[1] == 1


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


def test_nothing_written_is_near_to_nothing():
    assert edges(items_of([[], []]), ["near"]).num_rows == 0
