"""A line on which two sounds agree is found by votes and made exact, whatever noise lies about."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitaudit.audio.fingerprint.patches import STEP
from splitaudit.audio.search import votes
from splitaudit.audio.search.votes import MAX_PLACES, NEUTRAL_SIMILARITY, OFFSET_TOLERANCE

SCALE = 256
DIMENSIONS = 64
Place = tuple[int, int, int]


def poll(
    mine: list[int],
    neighbours: list[list[tuple[float, int]]],
    others: list[tuple[int, int]],
    most: int = 8,
    sure: float = 1e9,
) -> list[Place]:
    """Vote with (similarity, patch) lists; `others` holds (sound, frame) of each patch."""
    cells = np.array(neighbours, float).reshape(len(mine), len((neighbours or [[]])[0]), 2)
    known = np.array(others).reshape(-1, 2).astype(np.int32)
    found = votes.vote(
        np.array(mine, np.int32),
        (cells[:, :, 0].astype(np.float32), cells[:, :, 1].astype(np.int64)),
        (known[:, 0].copy(), known[:, 1].copy()),
        most,
        sure,
    )
    return [tuple(row) for row in found.tolist()]


def unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def quantised(rows: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(unit(rows) * SCALE), -127, 127).astype(np.int8)


def flowing(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Vectors of each frame of a sound, as alike as patches that overlap; shape (frames, 64)."""
    steps = rng.standard_normal((frames + 40, DIMENSIONS))
    taper = np.hanning(42)[1:-1]
    return unit(np.stack([np.convolve(column, taper, "valid") for column in steps.T], axis=1))


def at(vectors: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """What lies between two frames is a mixture of them."""
    below = np.clip(np.floor(frames).astype(int), 0, len(vectors) - 2)
    share = np.clip(frames - below, 0, 1)[:, None]
    return (1 - share) * vectors[below] + share * vectors[below + 1]


def planted(offset: int, slope: float, seed: int) -> tuple[int, float, float, float]:
    """Seek a stretch that another sound holds, faster or slower, among ten that do not.

    Returns the sound found, how far its moment and its slope are off, and the share of evidence.
    """
    rng = np.random.default_rng(seed)
    mine, theirs = np.arange(-16, 400, STEP), np.arange(-16, 900, STEP)
    source = flowing(rng, 1_200)
    moments = (theirs - offset) / slope
    copy = at(source, moments + 600)
    copy[(moments < 0) | (moments > 400)] = unit(rng.standard_normal((1, DIMENSIONS)))
    own = quantised(at(source, mine + 600.0))
    copy = quantised(copy + 0.5 * unit(rng.standard_normal(copy.shape)))
    everything = np.concatenate([copy, quantised(rng.standard_normal((10 * len(theirs), 64)))])
    similarity = own.astype(np.float32) @ everything.astype(np.float32).T / SCALE**2
    index = np.argsort(-similarity, axis=1)[:, :16]
    near = np.take_along_axis(similarity, index, axis=1)
    others = np.repeat(np.arange(11), len(theirs)).astype(np.int32), np.tile(theirs, 11)
    ((sound, here, there), *_) = votes.vote(mine, (near, index), others, 8, 1e9)
    a, b = (own, mine, SCALE), (copy, theirs, SCALE)
    evidence, moment, found = votes.refine(a, b, (here, there))
    shared = ((moments >= 0) & (moments <= 400)).sum()
    return int(sound), moment - (offset + slope * here), found - slope, evidence / shared


@settings(deadline=None, max_examples=15)
@given(st.integers(-150, 400), st.floats(0.94, 1.06), st.integers(0, 99))
@pytest.mark.slow
def test_a_planted_line_is_found(offset: int, slope: float, seed: int) -> None:
    sound, away, steeper, evidence = planted(offset, slope, seed)
    assert sound == 0
    assert abs(away) <= STEP
    assert abs(steeper) <= 0.04
    assert evidence > 0.25


def test_most_lines_are_found_within_three_frames_and_a_per_cent() -> None:
    rng = np.random.default_rng(0)
    lines = [(int(rng.integers(-150, 400)), rng.uniform(0.94, 1.06), seed) for seed in range(60)]
    away, steeper = np.abs([planted(*line)[1:3] for line in lines]).T
    assert np.median(away) < 1.5
    assert (away <= 3).mean() > 0.9
    assert np.median(steeper) < 0.01
    assert (steeper <= 0.015).mean() > 0.8


def line(n: int, first: int, sound: int, similarity: float = 0.8, shift: int = 0) -> Any:
    """Patches of a sound that agree with `n` of mine, patch by patch."""
    neighbours = [(similarity, first + k) for k in range(n)]
    return neighbours, [(sound, STEP * k + shift) for k in range(n)]


def lines(strengths: list[float], n: int = 10) -> tuple[list[int], Any, Any]:
    """One sound that agrees with each of several, at as many strengths."""
    parts = [line(n, n * k, k, strength, 50 * k) for k, strength in enumerate(strengths)]
    neighbours = [[part[0][row] for part in parts] for row in range(n)]
    return [STEP * k for k in range(n)], neighbours, [patch for part in parts for patch in part[1]]


def test_places_come_by_falling_votes() -> None:
    found = poll(*lines([0.5, 0.9, 0.7]))
    assert [sound for sound, _, _ in found] == [1, 2, 0]
    assert [there - here for _, here, there in found] == [50, 100, 0]


@pytest.mark.parametrize(("most", "sure", "count"), [(1, 1e9, 1), (3, 1e9, 3), (9, 1e9, 4)])
def test_at_most_so_many_places_are_returned(most: int, sure: float, count: int) -> None:
    found = poll(*lines([0.6, 0.9, 0.7, 0.8]), most, sure)
    assert [sound for sound, _, _ in found] == [1, 3, 2, 0][:count]


@pytest.mark.parametrize(("sure", "count"), [(5.5, 1), (4.5, 2), (3.5, 3), (2.5, 4), (0.0, 4)])
def test_sure_places_are_returned_in_any_case(sure: float, count: int) -> None:
    """And one beside. Of ten votes each, less what is expected: 5, 4, 3 and 2."""
    found = poll(*lines([0.6, 0.9, 0.7, 0.8]), 1, sure)
    assert [sound for sound, _, _ in found] == [1, 3, 2, 0][:count]


def test_so_many_votes_as_are_sure_suffice() -> None:
    strength = float(np.float32(0.9))
    votes_of_one = float(sum(np.float64(strength) - NEUTRAL_SIMILARITY for _ in range(10)))
    asked = lines([strength, strength])
    assert len(poll(*asked, most=1, sure=votes_of_one - 1e-9)) == 2
    assert len(poll(*asked, most=1, sure=votes_of_one + 1e-3)) == 1


def test_ties_fall_the_same_way_each_time() -> None:
    asked = lines([0.8] * 6)
    found = poll(*asked)
    assert len(found) == len(set(found)) == 6
    for most in range(1, 6):
        assert poll(*asked, most) == found[:most]


@pytest.mark.parametrize("shift", [-5_000, -16, 0, 7, 5_000])
def test_frames_before_a_sound_count_as_others(shift: int) -> None:
    neighbours, others = line(12, 0, 3, shift=shift)
    mine = [STEP * k - 16 for k in range(12)]
    ((sound, here, there),) = poll(mine, [[one] for one in neighbours], others)
    assert (sound, there - here) == (3, shift + 16)
    assert here in mine


def test_two_places_of_one_sound_are_both_found() -> None:
    early, late = line(10, 0, 0), line(10, 10, 0, shift=2_000)
    neighbours = [[early[0][k], late[0][k]] for k in range(10)]
    found = poll([STEP * k for k in range(10)], neighbours, early[1] + late[1])
    assert sorted(there - here for _, here, there in found) == [0, 2_000]


def test_no_more_than_so_many_places_of_one_sound() -> None:
    parts = [line(10, 10 * k, 0, shift=900 * k) for k in range(MAX_PLACES + 2)]
    neighbours = [[part[0][k] for part in parts] for k in range(10)]
    found = poll([STEP * k for k in range(10)], neighbours, [one for p in parts for one in p[1]])
    assert len(found) == MAX_PLACES


@pytest.mark.parametrize(
    ("wavers", "best"), [(OFFSET_TOLERANCE, 0), (-OFFSET_TOLERANCE, 0), (OFFSET_TOLERANCE + 1, 1)]
)
def test_votes_within_the_width_are_of_one_place(wavers: int, best: int) -> None:
    """An offset may waver a little, as it does where time runs faster."""
    known = [(0, 100), (0, 100 + STEP + wavers), (1, 0)]
    # Two votes of 0.5 each, and one of 0.75 for another sound.
    neighbours = [[(0.9, 0), (1.15, 2)], [(0.9, 1), (-np.inf, -1)]]
    assert poll([0, STEP], neighbours, known, most=1)[0][0] == best


@pytest.mark.parametrize("similarity", [NEUTRAL_SIMILARITY - 0.01, -1.0])
def test_what_is_expected_is_no_vote(similarity: float) -> None:
    neighbours, others = line(12, 0, 0, similarity)
    assert poll([STEP * k for k in range(12)], [[one] for one in neighbours], others) == []


def test_what_is_less_like_than_expected_speaks_against_no_place() -> None:
    known = [(0, 0), (0, STEP + 5), (1, 0)]
    neighbours = [[(0.0, 0), (0.8, 2)], [(0.9, 1), (-np.inf, -1)]]
    assert poll([0, STEP], neighbours, known, most=1)[0][0] == 0


@pytest.mark.parametrize("similarity", [-np.inf, 0.9])
def test_nobody_votes_for_nothing(similarity: float) -> None:
    missing = [[(similarity, -1)] * 4 for _ in range(3)]
    assert poll([0, 6, 12], missing, [(0, 0)]) == []
    assert poll([], [], []) == []


def test_two_sounds_that_share_nothing_have_no_evidence() -> None:
    rng = np.random.default_rng(0)
    frames = np.arange(0, 600, STEP).astype(np.int32)
    a, b = (
        (quantised(rng.standard_normal((len(frames), DIMENSIONS))), frames, SCALE) for _ in range(2)
    )
    assert votes.refine(a, b, (300, 300))[0] < 0.5


def test_single_patches_make_a_line() -> None:
    vector = quantised(np.ones((1, DIMENSIONS)))
    a, b = ((vector, np.array([frame], np.int32), SCALE) for frame in (-16, 200))
    evidence, there, slope = votes.refine(a, b, (-16, 200))
    assert evidence == pytest.approx(1 - NEUTRAL_SIMILARITY, abs=0.05)
    assert abs(there - 200) <= votes.LINE_TOLERANCE
    assert 0.9 < slope < 1.1
