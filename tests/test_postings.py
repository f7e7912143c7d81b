"""The search finds each pair that shares enough landmarks at one offset, and no other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitaudit.search import postings
from splitaudit.search.postings import FEWEST, MIN_VOTES, SHORT, TOLERANCE, Candidates

BITS = 8
Marks = list[tuple[int, int]]  # (frame, code) of one sound, sorted


def search(sounds: Sequence[Marks], jobs: int | None = 1) -> Candidates:
    codes = np.array([code for marks in sounds for _, code in marks], np.uint32)
    frames = np.array([frame for marks in sounds for frame, _ in marks], np.uint32)
    lengths = np.array([len(marks) for marks in sounds], np.int64)
    index = postings.build(codes, frames, lengths, BITS)
    return postings.join(index, codes, frames, lengths, jobs)


def rows(found: Candidates) -> list[tuple[int, int, int, int]]:
    return list(
        zip(*(getattr(found, n).tolist() for n in ("a", "b", "offset", "votes")), strict=True)
    )


def best_votes(found: Candidates) -> dict[tuple[int, int], int]:
    best: dict[tuple[int, int], int] = {}
    for a, b, _, votes in rows(found):
        best[a, b] = max(votes, best.get((a, b), 0))
    return best


def offsets(one: Marks, other: Marks) -> list[tuple[int, int]]:
    """(offset at which it would put the other sound, frame) of each pair of equal codes."""
    return sorted((t - s, s) for s, code in one for t, again in other if code == again)


def most_votes(pairs: list[tuple[int, int]]) -> tuple[int, int]:
    """How many frames agree on an offset, and which: in a frame, equal offsets are one vote."""
    votes = sorted(offset for offset, _ in set(pairs))
    windows = [[t for t in votes if 0 <= t - s <= 2 * TOLERANCE] for s in votes]
    best = max(windows, key=len, default=[])
    return len(best), best[len(best) // 2] if best else 0


def least_votes(pairs: list[tuple[int, int]], offset: int, one: Marks, other: Marks) -> float:
    """Six deviations above what chance gives to one offset."""
    ends = one[-1][0] + 1, other[-1][0] + 1
    apart = sum(abs(shift - offset) > 2 * TOLERANCE for shift, _ in pairs)
    chance = apart * (2 * TOLERANCE + 1) / sum(ends)
    asked = max(FEWEST, min(MIN_VOTES, int(min(ends) / SHORT)))
    return max(asked, asked - 2 + chance + 6 * chance**0.5)


def expected(sounds: Sequence[Marks]) -> dict[tuple[int, int], int]:
    """Votes of all pairs with enough of them, by looking at every pair of landmarks."""
    found = {}
    for b, other in enumerate(sounds):
        for a, one in enumerate(sounds[:b]):
            pairs = offsets(one, other)
            votes, offset = most_votes(pairs)
            if pairs and votes >= least_votes(pairs, offset, one, other):
                found[a, b] = votes
    return found


def marks_of(codes: int, until: int) -> st.SearchStrategy[Marks]:
    mark = st.tuples(st.integers(0, until), st.integers(0, codes - 1))
    return st.lists(mark, max_size=25).map(sorted)


@st.composite
def collections(draw: st.DrawFn) -> list[Marks]:
    """Sounds by chance, some of which hold a stretch of an earlier one, a little out of step."""
    sounds: list[Marks] = []
    for _ in range(draw(st.integers(0, 6))):
        marks = draw(marks_of(draw(st.sampled_from([2, 40, 1 << BITS])), 300))
        if sounds and draw(st.booleans()):
            shift = draw(st.integers(0, 200))
            source = draw(st.sampled_from(sounds))
            marks += [(t + shift + draw(st.integers(0, 1)), code) for t, code in source]
        sounds.append(sorted(marks))
    return sounds


@settings(deadline=None, max_examples=150)
@given(collections())
def test_search_equals_a_vote_over_all_pairs_of_landmarks(sounds: list[Marks]) -> None:
    found = search(sounds)
    assert best_votes(found) == expected(sounds)
    for a, b, offset, votes in rows(found):
        shifts = [shift for shift, _ in set(offsets(sounds[a], sounds[b]))]
        assert votes <= sum(abs(shift - offset) <= 2 * TOLERANCE for shift in shifts)


@settings(deadline=None, max_examples=60)
@given(collections(), st.randoms(use_true_random=False))
def test_the_order_of_sounds_only_flips_sides(sounds: list[Marks], chance: object) -> None:
    order = list(range(len(sounds)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    turned = best_votes(search([sounds[place] for place in order]))
    back = {tuple(sorted((order[a], order[b]))): votes for (a, b), votes in turned.items()}
    straight = best_votes(search(sounds))
    for a, b in back.keys() | straight.keys():
        pairs = offsets(sounds[a], sounds[b])
        nowhere = 10**9  # from which all votes lie apart, whichever of equal offsets is taken
        if most_votes(pairs)[0] >= least_votes(pairs, nowhere, sounds[a], sounds[b]):
            assert back[a, b] == straight[a, b]


@settings(deadline=None, max_examples=30)
@given(collections())
def test_threads_change_nothing(sounds: list[Marks]) -> None:
    many = sounds * 30  # more than one block of sounds
    assert rows(search(many, jobs=3)) == rows(search(many, jobs=1))


@pytest.mark.parametrize("shift", [0, 1, 7, 5000])
@pytest.mark.parametrize("turned", [False, True])
def test_the_offset_is_that_of_b_to_a(shift: int, turned: bool) -> None:
    melody = [(10 * k, 7 * k % 251) for k in range(20)]
    late = [(frame + shift, code) for frame, code in melody]
    ((a, b, offset, votes),) = rows(search([late, melody] if turned else [melody, late]))
    assert (a, b, votes) == (0, 1, 20)
    assert offset == (-shift if turned else shift)


def test_two_places_of_one_sound_are_both_proposed() -> None:
    melody = [(10 * k, 7 * k % 251) for k in range(20)]
    twice = melody + [(frame + 1000, code) for frame, code in melody]
    found = rows(search([melody, twice]))
    assert sorted(offset for _, _, offset, _ in found) == [0, 1000]


@pytest.mark.parametrize(("seconds", "least"), [(60, MIN_VOTES), (1, FEWEST)])
def test_fewer_votes_than_the_least_are_none(seconds: int, least: int) -> None:
    """Short sounds, which have few landmarks, need fewer."""
    melody = [(3 * k, 7 * k % 251) for k in range(least - 1)]
    long = [(62 * seconds, 251)], [(62 * seconds, 252)]
    assert rows(search([melody + long[0], melody + long[1]])) == []
    melody.append((3 * least, 250))
    assert len(rows(search([melody + long[0], melody + long[1]]))) == 1


def test_no_pair_of_a_large_clique_is_lost() -> None:
    """A search that keeps the best k of each sound would."""
    jingle = [(10 * k, 7 * k % 251) for k in range(12)]
    sounds = [[(frame + shift, code) for frame, code in jingle] for shift in range(300)]
    found = rows(search(sounds))
    assert {(a, b) for a, b, _, _ in found} == {(a, b) for b in range(300) for a in range(b)}
    assert all(offset == b - a for a, b, offset, _ in found)


@pytest.mark.parametrize("sounds", [[], [[]], [[], []], [[(0, 1)]], [[], [(3, 200)], []]])
def test_nothing_in_nothing_out(sounds: list[Marks]) -> None:
    found = search(sounds)
    assert rows(found) == []
    assert found.a.dtype == np.int32
