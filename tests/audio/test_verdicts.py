"""What a comparison of two waveforms must show to be a copy: each threshold, from both sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from splitaudit.audio.verify import alignment, likeness, waveform
from splitaudit.audio.verify.extent import FRAME, Stretch
from splitaudit.audio.verify.sound import Sound, prepare_sound
from splitaudit.demo.synthesis import RATE


def found(frames: int, agreement: float, unsure: int = 0, apart: int = 0) -> Stretch:
    """A stretch of frames that agree, of more that are not sure, and of more that are patched."""
    n = frames + unsure + apart
    sure, shared = np.ones(n, bool), np.ones(n, bool)
    sure[:unsure], shared[n - apart :] = False, False
    return Stretch(0, n, agreement, sure, shared)


@pytest.mark.parametrize(
    ("score", "convinces"), [(0.7199, False), (0.72, True), (0.8, True), (1.0, True)]
)
def test_one_lag_must_stand_out(score: float, convinces: bool) -> None:
    assert likeness.has_enough_evidence(score, found(20, 0.5)) == convinces
    assert likeness.has_enough_evidence(score, found(500, 0.5)) == convinces


@pytest.mark.parametrize(
    ("frames", "score", "convinces"),
    [
        (19, 0.8499, False),
        (19, 0.85, True),
        (20, 0.8499, True),
        (5, 0.8499, False),
        (5, 0.85, True),
    ],
)
def test_of_less_than_0_4_s_more_is_asked(frames: int, score: float, convinces: bool) -> None:
    assert likeness.has_enough_evidence(score, found(frames, 0.9)) == convinces


@pytest.mark.parametrize(("frames", "convinces"), [(0, False), (4, False), (5, True)])
def test_a_tenth_of_a_second_must_agree(frames: int, convinces: bool) -> None:
    assert likeness.has_enough_evidence(1.0, found(frames, 1.0)) == convinces


@pytest.mark.parametrize(
    ("frames", "agreement", "convinces"),
    [  # squared, times the seconds: 0.01 at least
        (50, 0.0999, False),
        (50, 0.1001, True),
        (10, 0.2235, False),
        (10, 0.2237, True),
        (5, 0.3161, False),
        (5, 0.3163, True),
    ],
)
def test_the_less_sound_the_more_of_it_must_agree(
    frames: int, agreement: float, convinces: bool
) -> None:
    assert likeness.has_enough_evidence(0.99, found(frames, agreement)) == convinces


def test_only_frames_that_are_sure_and_shared_count() -> None:
    assert not likeness.has_enough_evidence(0.8, found(19, 0.9, unsure=30, apart=30))
    assert likeness.has_enough_evidence(0.8, found(20, 0.9, unsure=30, apart=30))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(round(seconds * RATE)).astype(np.float32)


def sound(white: np.ndarray, cells: float = 1e3) -> Sound:
    """A sound that holds so much, everywhere as loud."""
    return Sound(white, white, np.ones(len(white) // FRAME), cells)


def mixed(seconds: float, agreement: float) -> tuple[Sound, Sound]:
    """Two sounds of which the waveforms agree so well."""
    one, other = noise(seconds), noise(seconds, 1)
    return sound(one), sound(agreement * one + np.sqrt(1 - agreement**2) * other)


@pytest.mark.parametrize(("level", "below_db"), [(1.0, 0.0), (0.01, -20.0), (1e-3, -30.0)])
def test_what_is_shared_lies_so_far_below_what_is_loud(level: float, below_db: float) -> None:
    """A second that both have, behind a second of their own; b has it louder."""
    shared = noise(1.0)
    a, b = (sound(np.concatenate([noise(1.0, seed), shared])) for seed in (1, 2))
    a = replace(a, levels=frames((50, 1.0), (50, 1e-4)))
    b = replace(b, levels=frames((50, 1.0), (50, level)))
    assert waveform.prove(a, b, 0, 0.99).loudness_db == pytest.approx(below_db, abs=0.5)


@pytest.mark.parametrize(("n", "told"), [(319, False), (320, True)])
def test_a_frame_in_common_is_the_least(n: int, told: bool) -> None:
    a = sound(noise(0.2))
    proof = waveform.verify(a, sound(a.white[-n:]), (n - len(a.white)) / RATE)
    assert (proof is not None) == told


def test_what_noise_would_drown_is_taken_to_be_drowned() -> None:
    """Noise of a tenth of the loudest moment."""
    quiet = replace(sound(noise(0.08)), levels=np.array([2.0, 0.2, 0.02, 0.0]))
    assert quiet.weighted.weights == pytest.approx([(10 / 11) ** 0.5, 0.5**0.5, (1 / 11) ** 0.5, 0])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_proof_holds_what_was_measured(sign: int) -> None:
    """A second in, b goes on for a second of its own, and is 6 dB louder."""
    one, other = noise(3.0), noise(1.0, 2)
    a = replace(sound(one), levels=np.full(150, 0.25))
    b = sound(np.concatenate([sign * one[RATE:], other]))
    proof = waveform.prove(a, b, -RATE, 0.9)
    spans = proof.a_start, proof.a_end, proof.b_start, proof.b_end
    assert spans == pytest.approx((1, 3, 0, 2))
    assert (proof.coverage_a, proof.coverage_b) == pytest.approx((2 / 3, 2 / 3))
    assert proof.correlation == pytest.approx(sign)
    assert proof.gain_db == pytest.approx(10 * np.log10(4))
    assert (proof.score, proof.tempo, proof.pitch, proof.accepted) == (0.9, 1, 1, True)


def frames(*runs: tuple[int, float]) -> np.ndarray:
    """So many times each value, one run after the other."""
    return np.concatenate([np.full(count, value) for count, value in runs])


def test_what_either_sound_has_tells_polarity() -> None:
    """20 frames of both as they are, 30 of a inverted, 60 in the silence of both."""
    white = noise(110 * FRAME / RATE)
    turned = white * np.repeat(frames((20, 1), (30, -1), (60, 1)), FRAME).astype(np.float32)
    a = replace(sound(white), levels=frames((50, 1), (60, 0)))
    b = replace(sound(turned), levels=frames((20, 1), (90, 0)))
    proof = waveform.prove(a, b, 0, 0.9)
    assert proof.correlation == pytest.approx(-1)
    assert proof.coverage_a == pytest.approx(30 / 50, abs=0.2)


def test_a_stretch_may_end_within_a_frame() -> None:
    white = noise(50.5 * FRAME / RATE)
    whole = waveform.prove(sound(white), sound(white), 0, 0.9)
    assert (whole.a_end, whole.b_end) == (1.01, 1.01)
    other = np.concatenate([white[: 30 * FRAME], noise(20.5 * FRAME / RATE, 1)])
    assert waveform.prove(sound(white), sound(other), 0, 0.9).a_end == pytest.approx(0.6, abs=0.03)


def test_silence_is_no_part_of_what_is_covered() -> None:
    white, levels = noise(2.0), frames((40, 1), (20, 0), (40, 1))
    proof = waveform.prove(replace(sound(white), levels=levels), sound(white), 0, 0.9)
    assert (proof.coverage_a, proof.coverage_b) == (1, 1)


def test_gain_is_that_of_what_is_shared() -> None:
    """In two seconds of its own b has a loud moment."""
    white, own = noise(6.0), noise(2.0, 1)
    patched = np.concatenate([white[: 2 * RATE], own, white[4 * RATE :]])
    loud = replace(sound(patched), levels=frames((145, 1), (10, 50), (145, 1)))
    proof = waveform.prove(sound(white), loud, 0, 0.9)
    assert proof.gain_db == pytest.approx(0)
    assert (proof.a_start, proof.a_end) == (0, 6)
    assert proof.coverage_a == pytest.approx(0.78, abs=0.005)  # its edges too


@pytest.mark.parametrize(("score", "told"), [(-0.2, 0.0), (1.2, 1.0)])
def test_a_score_is_told_between_0_and_1(score: float, told: float) -> None:
    assert waveform.prove(*mixed(1.0, 0.9), 0, score).score == told


def stroke(noise_level: float) -> tuple[Sound, Sound]:
    """A stroke that dies away, and its copy in noise."""
    clear = noise(0.7, 1) * np.exp(-np.arange(0.7 * RATE) / 0.02 / RATE).astype(np.float32)
    return prepare_sound(clear), prepare_sound(clear + np.float32(noise_level) * noise(0.7, 9))


@pytest.mark.parametrize(
    ("level", "plain", "loud", "score"),
    [
        (0.12, 0.860, 0.942, 0.860),  # clear as it is
        (0.16, 0.845, 0.924, 0.924),  # clear where it is loud
        (0.30, 0.778, 0.857, 0.857),
        (0.33, 0.765, 0.845, 0.765),  # clear nowhere
    ],
)
def test_loud_moments_tell_the_lag_of_what_noise_drowns(
    level: float, plain: float, loud: float, score: float
) -> None:
    a, b = stroke(level)
    proof = waveform.verify(a, b, 0.0)
    scores = alignment.align(a.white, b.white, 0), alignment.align(a.weighted, b.weighted, 0)
    assert [one[1] for one in scores if one] == pytest.approx([plain, loud], abs=0.004)
    assert proof is not None
    assert proof.score == pytest.approx(score, abs=0.004)


# What fits at other lags, too


def repeats(a: np.ndarray, b: np.ndarray, other: np.ndarray, cells: float = 1e3) -> bool:
    return likeness._is_repetitive(a, b, (sound(a), sound(other, cells)))


@pytest.mark.parametrize(("share", "told"), [(0.0, False), (0.2, False), (0.3, True), (-0.3, True)])
def test_the_same_three_times_over_is_no_proof(share: float, told: bool) -> None:
    """The third time fainter: of the peak 0.59 and 0.62 is left at another lag."""
    once = noise(1.0)
    loop = np.concatenate([once, once, abs(share) * once])
    assert repeats(loop, np.sign(share or 1) * loop, loop) == told


@pytest.mark.parametrize(("late", "told"), [(192, False), (193, True)])
def test_what_lies_about_the_peak_is_no_other_lag(late: int, told: bool) -> None:
    dry = noise(1.0)
    echoing = dry + 0.8 * np.pad(dry, (late, 0))[: len(dry)]
    assert repeats(dry, echoing, echoing) == told


def clicks(count: int, seconds: float = 1.0) -> np.ndarray:
    """So many single samples in so many seconds, within a frame of silence at either end."""
    rng, n = np.random.default_rng(0), round(seconds * RATE)
    out = np.zeros(n, np.float32)
    out[rng.choice(n, count, replace=False)] = rng.choice([-1, 1], count)
    return np.pad(out, FRAME)


@pytest.mark.parametrize(
    ("count", "cells", "told"),
    [
        (319, 49.9, True),  # 2 % of the time, and half of it where there is much
        (321, 49.9, False),
        (159, 50.0, True),
        (161, 50.0, False),
        (161, 49.9, True),
    ],
)
def test_of_clicks_the_whole_of_the_other_sound_is_looked_through(
    count: int, cells: float, told: bool
) -> None:
    """There they come again, half as loud."""
    train = clicks(count)
    assert repeats(train, train, np.concatenate([train, 0.5 * train]), cells) == told
    assert (
        likeness._is_repetitive(
            train, train, (sound(train, cells), sound(np.concatenate([train, 0.5 * train])))
        )
        == told
    )


@pytest.mark.parametrize(("share", "told"), [(0.23, False), (0.27, True), (-0.27, True)])
def test_a_train_of_clicks_is_no_proof(share: float, told: bool) -> None:
    train = clicks(100)
    assert repeats(train, train, np.concatenate([train, share * train])) == told


@pytest.mark.parametrize(("at_s", "told"), [(18.0, True), (20.0, False)])
def test_so_far_is_looked_for_repeats(at_s: float, told: bool) -> None:
    train = clicks(100)
    other = np.zeros(25 * RATE, np.float32)
    other[: len(train)] = train
    other[round(at_s * RATE) :][: len(train)] = train
    assert repeats(train, train, other) == told


def test_the_ends_of_a_stretch_are_no_repeats() -> None:
    train = clicks(100)
    train[FRAME - 60 : FRAME] = train[-FRAME : 60 - FRAME] = 1.0
    assert not repeats(train, train, train, 10)
    inner = np.pad(train, FRAME)
    assert repeats(inner, inner, inner, 10)
