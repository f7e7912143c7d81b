"""Whether two sounds are more alike than two takes would be: each threshold, from both sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from splitaudit.audio.verify import likeness
from splitaudit.audio.verify.extent import FRAME, Stretch
from splitaudit.audio.verify.likeness import Likeness
from splitaudit.audio.verify.sound import Sound, prepare_sound
from splitaudit.demo.synthesis import RATE

WHOLE = 1.0, 1.0


def found(frames: int, agreement: float) -> Stretch:
    """A stretch of frames that agree."""
    sure = np.ones(frames, bool)
    return Stretch(0, frames, agreement, sure, sure)


def sound(seconds: float) -> Sound:
    """Noise that holds much, everywhere as loud."""
    white = np.random.default_rng(0).standard_normal(round(seconds * RATE)).astype(np.float32)
    return Sound(white, white, np.ones(len(white) // FRAME), 1e3)


# What would be measured of the waveforms
MEASURED = {"explained": 0.5, "gain_bits": 0.0, "loop_bits": 0.0, "filter_bits": 0.0}
MEASURED |= {"rest_slope": 1.0, "rest_deviation": 0.5}


def alike(cells: float, **other: object) -> Likeness:
    """Two sounds that hold so much and agree in all of it, a word long."""
    white = sound(0.5)
    made = Likeness(0.9, 0.5, WHOLE, 0.5, (white, white), (slice(0, len(white.white)),) * 2)
    measured = {name: other.pop(name, value) for name, value in MEASURED.items()}
    made = replace(made, **other)
    made.__dict__.update(measured, cells=cells)
    return made


@pytest.mark.parametrize(
    ("cells", "other", "told"),
    [
        (149.9, {}, False),
        (150.0, {}, True),
        (20.0, {"score": 0.9599}, False),
        (20.0, {"score": 0.96}, True),
        (20.0, {"agreement": 0.8499}, False),
        (20.0, {"agreement": 0.85}, True),
        (20.0, {"agreement": 0.95, "score": 0.8999}, False),
        (399.9, {"score": 0.8499, "rest_slope": 0.5}, False),
        (399.9, {"score": 0.85, "rest_slope": 0.5}, True),
        # what is left over follows the sound, as in the next take of a word
        (399.9, {"score": 0.8999, "rest_slope": 0.501}, False),
        (399.9, {"score": 0.9, "rest_slope": 0.501}, True),
        (400.0, {"score": 0.73}, True),
        (400.0, {"explained": 0.3999}, False),  # the breath of a synthesiser
        (400.0, {"explained": 0.4, "score": 0.73}, True),
        (150.0, {"active_s": 0.99, "score": 0.8499}, False),
        # longer than a word, a hit, a note
        (150.0, {"active_s": 1.0, "score": 0.73, "explained": 0.1}, True),
        (149.9, {"active_s": 1.0, "explained": 0.8999}, False),
        (20.0, {"active_s": 1.0, "explained": 0.9, "score": 0.73}, True),
    ],
)
def test_the_fewer_cells_the_better_they_must_agree(
    cells: float, other: dict[str, float], told: bool
) -> None:
    assert likeness.is_told_apart(alike(cells, **other)) == told


@pytest.mark.parametrize(
    ("cells", "coverage", "active_s", "score", "told"),
    [
        (399.9, (0.49, 0.49), 0.5, 0.9, False),
        (399.9, (0.49, 0.49), 0.5, 0.96, True),
        (399.9, (0.49, 0.5), 0.5, 0.9, True),
        (400.0, (0.1, 0.1), 0.5, 0.9, True),
        (49.9, (0.1, 0.1), 1.0, 0.9, False),
        (50.0, (0.1, 0.1), 1.0, 0.9, True),
    ],
)
def test_a_small_part_of_both_may_be_a_note_of_one_synthesiser(
    cells: float, coverage: tuple[float, float], active_s: float, score: float, told: bool
) -> None:
    part = {"coverage": coverage, "active_s": active_s, "score": score, "explained": 0.95}
    assert likeness.is_told_apart(alike(cells, **part)) == told


@pytest.mark.parametrize(
    ("cells", "other", "copy"),
    [
        (20.0, {"rest_slope": 0.2}, True),
        (20.0, {"rest_slope": 0.2001}, False),
        (20.0, {"rest_slope": -0.2001}, False),
        (20.0, {"rest_slope": 0.0, "rest_deviation": 0.7}, True),
        (20.0, {"rest_slope": 0.0, "rest_deviation": 0.7001}, False),
        (399.9, {"rest_slope": 0.0, "rest_deviation": 0.7001}, False),
        (400.0, {"rest_slope": 0.0, "rest_deviation": 0.7001}, True),
        (400.0, {"rest_slope": -0.2}, True),
        (400.0, {"rest_slope": -0.2001}, False),
        (9.9, {"rest_slope": 0.0}, False),
        (399.9, {"rest_slope": 0.5}, False),
        (400.0, {"rest_slope": 0.5}, True),
        (400.0, {"rest_slope": 0.5001}, False),
        (150.0, {"rest_slope": 0.0, "explained": 0.3999}, False),
        (150.0, {"rest_slope": 0.0, "explained": 0.4}, True),
        (150.0, {"rest_slope": 0.0, "coverage": (0.49, 0.49)}, False),
        (150.0, {"rest_slope": 0.0, "coverage": (0.49, 0.5)}, True),
        (150.0, {"rest_slope": 0.0, "score": 0.7199}, False),
    ],
)
def test_what_lies_over_a_sound_does_not_follow_it(
    cells: float, other: dict[str, float], copy: bool
) -> None:
    made = alike(cells, **{"score": 0.72, **other})
    assert likeness.is_copy(made, found(10, 0.5)) == copy
    assert not likeness.is_copy(made, found(4, 0.9))  # too short to tell


@pytest.mark.parametrize(
    ("measured", "coverage", "copy"),
    [
        ({"gain_bits": 23.9}, (0.3, 0.8), False),
        ({"gain_bits": 24.0}, (0.3, 0.8), True),
        ({"gain_bits": 24.0}, (0.7999, 0.7999), False),
        ({"filter_bits": 149.9}, (0.3, 0.8), False),
        ({"filter_bits": 150.0}, (0.3, 0.8), True),
        ({"filter_bits": 150.0}, (0.7999, 0.7999), False),
    ],
)
def test_what_a_gain_or_a_filter_makes_is_a_copy_however_it_scores(
    measured: dict[str, float], coverage: tuple[float, float], copy: bool
) -> None:
    made = alike(5.0, score=0.3, coverage=coverage, **measured)
    assert likeness.is_copy(made, found(5, 0.9)) == copy


@pytest.mark.parametrize(
    ("score", "agreement", "coverage", "equal"),
    [
        (0.9, 0.9, (0.8, 0.8), True),
        (0.9, 0.8999, (1.0, 1.0), False),
        (0.96, 0.1, (0.8, 0.8), True),
        (0.9599, 0.1, (1.0, 1.0), False),
        (1.0, 1.0, (0.7999, 1.0), False),
        (1.0, 1.0, (1.0, 0.7999), False),
    ],
)
def test_a_beep_must_be_the_same_as_a_whole(
    score: float, agreement: float, coverage: tuple[float, float], equal: bool
) -> None:
    beep = {"score": score, "agreement": agreement, "coverage": coverage, "active_s": 1.0}
    beep["explained"] = 1.0
    assert likeness.is_told_apart(alike(9.9, **beep)) == equal
    assert likeness.is_told_apart(alike(10.0, **beep))


@pytest.mark.parametrize(
    ("cells", "cut", "score", "explained", "copy"),
    [
        (50.0, 0, 0.96, 0.9, True),
        (49.9, 0, 0.96, 0.9, False),
        (50.0, FRAME, 0.96, 0.9, False),
        (400.0, 0, 0.9599, 0.9, False),
        (50.0, 0, 0.96, 0.8999, False),
    ],
)
def test_a_loop_that_agrees_from_end_to_end_is_a_copy(
    cells: float, cut: int, score: float, explained: float, copy: bool
) -> None:
    bar = sound(0.5).white
    white = np.tile(bar, 4)
    loop = Sound(white, white, np.ones(len(white) // FRAME), 1e3)
    part = slice(cut, len(loop.white))
    made = alike(cells, score=score, explained=explained)
    whole = replace(made, sounds=(loop, loop), shared=(part, part))
    whole.__dict__.update(MEASURED, cells=cells, explained=explained)
    assert likeness.is_told_apart(whole) == copy
    whole.__dict__["loop_bits"] = likeness.GAIN_BITS
    assert likeness.is_told_apart(whole) == copy  # it fits a bar later, too


@pytest.mark.parametrize(("loop_bits", "copy"), [(39.9, False), (40.0, True)])
def test_one_note_is_a_copy_though_its_periods_repeat(loop_bits: float, copy: bool) -> None:
    """It dies away; a period of it is as alike as a bar."""
    times = np.arange(RATE) / RATE
    tones = (np.sin(2 * np.pi * 200 * k * times) * np.exp(-3 * k * times) for k in range(1, 9))
    note = np.asarray(sum(tones), np.float32)
    one = Sound(note, prepare_sound(note).white, np.ones(len(note) // FRAME), 1e3)
    made = alike(49.9, score=0.96, explained=0.9, loop_bits=loop_bits)
    whole = replace(made, sounds=(one, one), shared=(slice(0, RATE),) * 2)
    whole.__dict__.update(MEASURED, cells=49.9, explained=0.9, loop_bits=loop_bits)
    assert likeness.is_told_apart(whole) == copy


@pytest.mark.parametrize(("seconds", "copy"), [(0.0999, False), (0.1, True), (4.0, True)])
def test_a_gain_tells_of_a_tenth_of_a_second_to_four(seconds: float, copy: bool) -> None:
    """Of more than four seconds only the first are looked at: whitening tells then."""
    one = sound(seconds)
    whole = (slice(0, len(one.samples)),) * 2
    made = replace(alike(5.0), score=0.3, sounds=(one, one), shared=whole)
    made.__dict__.update(MEASURED, cells=5.0, gain_bits=40.0)
    assert likeness.is_copy(made, found(4, 0.9)) == copy
