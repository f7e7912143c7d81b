"""Whole notes through a smooth filter: copies are told from takes, and what holds little is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import signal

from splitaudit.audio.verify import equalising, waveform
from splitaudit.audio.verify.sound import prepare_sound
from splitaudit.demo.synthesis import RATE, Sound

Take = Callable[[int], Sound]


def pluck(seed: int, pitch: float = 196.0) -> Sound:
    """A string plucked anew (Karplus and Strong, 1983)."""
    rng, period = np.random.default_rng(seed), round(RATE / pitch)
    burst = np.pad(rng.uniform(-1, 1, period), (0, RATE - period))
    loop = np.zeros(period + 2)
    loop[0], loop[period:] = 1.0, (-0.996 * 0.8, -0.996 * 0.2)
    return in_16_bits(signal.lfilter([1], loop, burst))


def struck_bar(seed: int) -> Sound:
    """Four partials, each as loud and late as it comes."""
    rng, times = np.random.default_rng(seed), np.arange(RATE) / RATE
    waves = np.zeros(RATE)
    for pitch, lasts_s in ((310, 0.4), (860, 0.3), (1640, 0.2), (2600, 0.15)):
        wave = np.sin(2 * np.pi * pitch * times + rng.uniform(0, 6)) * np.exp(-times / lasts_s)
        waves += rng.uniform(0.3, 1) * wave
    return in_16_bits(waves)


def beep(seed: int) -> Sound:
    rng, times = np.random.default_rng(seed), np.arange(RATE // 3) / RATE
    soft = np.minimum(1, np.minimum(times, times[::-1]) / 0.01)
    return in_16_bits(soft * np.sin(2 * np.pi * 440 * times + rng.uniform(0, 6)))


def in_16_bits(wave: np.ndarray) -> Sound:
    whole = np.rint(16_000 * wave / np.abs(wave).max())
    return np.asarray(whole / 32_768, np.float32)


def telephone(sound: Sound) -> Sound:
    band = signal.butter(4, [300, 3400], "band", fs=RATE, output="sos")
    return in_16_bits(signal.sosfilt(band, sound))


@pytest.mark.parametrize("pitch", [82.0, 196.0, 320.0])
def test_a_plucked_string_in_a_telephone_is_told_from_the_next_pluck(pitch: float) -> None:
    one, heard = pluck(1, pitch), telephone(pluck(1, pitch))
    proof = waveform.verify(prepare_sound(one), prepare_sound(heard), 0.0)
    assert proof is None or not proof.accepted  # whitening sees a peak at each period
    lag, score = equalising.align(one, heard, 0) or (None, 0.0)
    assert abs(lag) < 16
    assert score > 0.9
    assert equalising.align(heard, one, 100) == (-lag, pytest.approx(score, abs=0.05))
    for other in (pluck(2, pitch), pluck(3, pitch)):
        assert equalising.align(one, other, 0) is None
        assert equalising.align(other, heard, 0) is None


def test_its_proof_says_from_where_to_where() -> None:
    one, heard = np.pad(pluck(1), (800, 0)), telephone(pluck(1))
    proof = waveform.verify_equalised(prepare_sound(one), prepare_sound(heard), 0.0)
    assert proof is not None
    assert proof.accepted
    assert (proof.a_start, proof.b_start) == pytest.approx((0.05, 0.0), abs=0.001)
    assert min(proof.coverage_a, proof.coverage_b) > 0.95


@pytest.mark.parametrize("take", [struck_bar, beep])
def test_what_has_few_partials_is_left_alone(take: Take) -> None:
    """A filter makes each as loud and late as in another take: nothing is left to tell."""
    assert equalising.align(take(1), telephone(take(1)), 0) is None
    assert equalising.align(take(1), take(2), 0) is None


def test_what_an_equaliser_leaves_of_other_takes_is_foretold() -> None:
    """From one take alone: as much, within a factor of three, as of those that are played."""
    for take in (pluck, lambda seed: pluck(seed, 100.0)):
        best = equalising._best_fit(take(1), telephone(take(1)), 0)
        others = [equalising._fit(take(seed), telephone(take(1)), 0, 0).left for seed in (2, 3, 4)]
        assert np.mean(others) / 3 < best.left_of_others() < 3 * np.mean(others)


def test_a_part_of_a_note_is_not_looked_at() -> None:
    assert equalising.align(pluck(1), telephone(pluck(1))[4_000:], 0) is None


@pytest.mark.parametrize("length", [0, 1, 1_600, 8_000])
def test_silence_and_what_does_not_move_is_no_copy(length: int) -> None:
    still = np.zeros(length, np.float32)
    for one, other in ((still, still), (still, still + 0.5), (still + 0.5, still + 0.25)):
        assert equalising.align(one, other, 0) is None
