"""Captions that say the same are equal once normalised, and no others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitaudit.metadata.captions import NORMALISERS, core, exact, numberless, prefix, text

GOLDEN = [
    (exact, "  A dog barks.\n", "A dog barks."),
    (text, "A dog\u2019s bark;  it`s LOUD!", "a dogs bark its loud"),
    (text, "ﬁre_engine — Straße № 5", "fire engine strasse no 5"),
    (text, "...", ""),
    (numberless, "Cars: Porsche 924, 1984cc, take Two", "cars porsche take"),
    (numberless, "Part IV of six, no. 7", "part of no"),
    (core, "Birdsong (dawn, 1978) [mono] - distant", "birdsong distant"),
    (core, "(Reprocessed)", ""),
    (prefix, "Avro Lancaster, exterior, take-off.", "avro lancaster"),
    (prefix, "Trains - two steam engines", "trains"),
    (prefix, "Take-off of 3 planes (war)", "take off of planes"),
    (prefix, "7.62mm gun firing.", ""),
]


@pytest.mark.parametrize(("normalise", "caption", "expected"), GOLDEN)
def test_golden(normalise, caption, expected):
    assert normalise(caption) == expected


@pytest.mark.parametrize("mark", ["'", "\u2019", "\u2018", "`"])
def test_an_apostrophe_parts_no_word(mark):
    assert text(f"dog{mark}s") == "dogs"


@pytest.mark.parametrize("mark", ["-", "_", ".", " \t\n", "\u00a0", "\u2014", '"', "/", "\u00b4"])
def test_any_other_mark_parts_words(mark):
    assert text(f"Dog{mark}S") == "dog s"


@pytest.mark.parametrize("mark", [" - ", ":", ";", ",", ".", "("])
def test_a_head_ends_at_the_first_mark_of_any_kind(mark):
    assert prefix(f"Big dog{mark}barks{mark}twice") == "big dog"
    assert prefix(f"Big dog{mark}barks - a: b; c, d. e (f)") == "big dog"


@pytest.mark.parametrize("mark", ["-", " -", "- ", " [", "!", "/", ")"])
def test_a_head_does_not_end_at_another_mark(mark):
    assert prefix(f"big{mark}dog, barks") == "big dog"


@pytest.mark.parametrize(
    ("caption", "left"),
    [
        ("dog (a) barks (b) twice", "dog barks twice"),
        ("dog [a] barks [b] twice", "dog barks twice"),
        ("dog (a [b] c) barks", "dog barks"),
        ("dog(a)barks", "dog barks"),
        ("dog () barks", "dog barks"),
        ("dog (barks", "dog barks"),
        ("dog {a} barks", "dog a barks"),
    ],
)
def test_brackets_go_one_by_one_and_with_what_is_in_them(caption, left):
    assert core(caption) == left


COUNTED = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty thirty forty fifty sixty hundred first second third fourth fifth
sixth i ii iii iv v vi vii viii ix x 3 1984cc b52 \u0663 \u00b2
"""


@pytest.mark.parametrize("word", COUNTED.split())
def test_a_word_that_numbers_goes(word):
    assert numberless(f"take {word} dog") == "take dog"
    assert numberless(f"take {word.upper()}") == "take"


@pytest.mark.parametrize("word", ["zero", "none", "ones", "tens", "xi", "seconds", "seventh", "a"])
def test_a_word_that_only_looks_like_a_number_stays(word):
    assert numberless(f"take {word} dog") == f"take {word} dog"


@pytest.mark.parametrize("name", NORMALISERS)
@given(caption=st.text(max_size=60))
def test_a_second_time_changes_nothing(name, caption):
    normalise = NORMALISERS[name]
    assert normalise(normalise(caption)) == normalise(caption)


@given(st.text(max_size=60), st.text(max_size=60))
def test_each_says_less_than_the_one_before(one, other):
    """Captions that are equal under one are equal under all that take away more."""
    for finer, coarser in ((exact, text), (text, numberless)):
        if finer(one) == finer(other):
            assert coarser(one) == coarser(other)
    assert numberless(text(one)) == numberless(one)
