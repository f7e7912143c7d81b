"""Captions that say the same are equal once normalised, and no others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splitaudit.captions import NORMALISERS, core, exact, numberless, prefix, text

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
