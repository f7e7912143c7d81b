"""What a filter makes of one sound, what it leaves over, and how many bits that tells."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from splitaudit.audio.verify import filtering
from splitaudit.audio.verify.filtering import GAIN_REACH, REACH, Between
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound


def agreeing_bits(a: Sound, b: Sound, reach: int, *most_left: float) -> float:
    return Between(a, b).agreeing_bits(reach, *most_left)


def rest_slope(a: Sound, b: Sound) -> float:
    return Between(a, b).rest_slope


def noise(seconds: float, seed: int = 0) -> Sound:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(round(seconds * RATE)).astype(np.float32)


def kick(seed: int, seconds: float = 0.15) -> Sound:
    """A stroke that holds five cells, and a little noise of its own."""
    times, rng = np.arange(round(seconds * RATE)) / RATE, np.random.default_rng(seed)
    pitch = 50 + 120 * np.exp(-times / rng.uniform(0.02, 0.04))
    tone = np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * np.exp(-times / 0.05)
    return np.asarray(0.6 * tone + 1e-5 * rng.normal(size=len(times)), np.float32)


def pluck(seed: int, pitch: float = 220.0) -> Sound:
    """A string plucked anew: the same partials, each as loud and late as it comes."""
    rng, times = np.random.default_rng(seed), np.arange(RATE) / RATE
    order = np.arange(1, 21)[:, None]
    waves = np.sin(2 * np.pi * order * pitch * times + rng.uniform(0, 6, (20, 1)))
    waves *= rng.uniform(0.3, 1, (20, 1)) * np.exp(-times * (2 + 0.2 * order))
    return np.asarray(0.05 * waves.sum(0) + 1e-5 * rng.normal(size=RATE), np.float32)


def telephone(sound: Sound) -> Sound:
    band = signal.butter(4, [300, 3400], "band", fs=RATE, output="sos")
    return signal.sosfilt(band, sound).astype(np.float32)


def test_a_stroke_that_was_turned_down_agrees_in_more_bits_than_another() -> None:
    one = kick(1)
    quieter = np.round(one * 8_000).astype(np.float32) / 32_768
    assert agreeing_bits(one, quieter, GAIN_REACH) > 40
    assert agreeing_bits(quieter, one, GAIN_REACH) == agreeing_bits(one, quieter, GAIN_REACH)
    assert agreeing_bits(one, kick(2), GAIN_REACH) == 0
    assert agreeing_bits(one, np.zeros_like(one), GAIN_REACH) == 0


def test_a_tone_agrees_with_another_of_its_pitch_in_hardly_a_bit() -> None:
    times = np.arange(RATE // 2) / RATE
    tones = [np.sin(2 * np.pi * 440 * times + late).astype(np.float32) for late in (0.0, 1.0)]
    assert filtering.explained_share(*tones) > 0.9999
    assert agreeing_bits(*tones, GAIN_REACH) == pytest.approx(0, abs=10)
    assert agreeing_bits(*tones, REACH) == pytest.approx(0, abs=10)


def test_a_filter_is_free_to_make_one_pluck_of_another_and_not_one_word() -> None:
    """Both leave next to nothing; in a word there is more than the filter could choose."""
    plucks, word = (pluck(1), pluck(2)), sounds.speech_like(1, 0.5)
    assert filtering.explained_share(*plucks) > 0.997
    assert agreeing_bits(*plucks, REACH) < 90
    assert agreeing_bits(word, telephone(word), REACH) > 500
    assert agreeing_bits(word, sounds.speech_like(2, 0.5), REACH) == 0


def test_a_click_in_a_telephone_tells_what_the_stroke_below_it_hides() -> None:
    """The band of the telephone holds a thousandth of the energy of the stroke."""
    struck = kick(1, 0.4) + 0.02 * noise(0.4, 3) * np.exp(-np.arange(0.4 * RATE) / 600)
    struck = struck.astype(np.float32)
    assert agreeing_bits(struck, telephone(struck), REACH) > 150


@pytest.mark.parametrize(("left", "told"), [(10**-2.4, False), (10**-2.6, True)])
def test_so_much_may_be_left_over(left: float, told: bool) -> None:
    one = noise(0.5)
    other = one + np.float32(left**0.5) * noise(0.5, 1)
    assert (agreeing_bits(one, other, GAIN_REACH) > 0) == told
    assert agreeing_bits(one, other, GAIN_REACH, 0.1) > 0


def test_bits_are_cells_times_how_often_what_is_left_over_is_halved() -> None:
    """Evenly loud noise of a second fills its band; two cells of each band may be chosen."""
    one = noise(1.0)
    other = one + np.float32(2**-5) * noise(1.0, 1)
    cells = filtering.information.count(other) - 2 * filtering.information.bands(other, RATE / 3)
    assert agreeing_bits(one, other, GAIN_REACH) == pytest.approx(10 * cells, rel=0.01)


@pytest.mark.parametrize("level", [0.1, 1.0])
def test_noise_does_not_follow_the_sound(level: float) -> None:
    word = sounds.speech_like(3, 0.8)
    hiss = np.float32(level * word.std()) * noise(0.8, 1)
    assert rest_slope(word, word + hiss) == pytest.approx(0, abs=0.04)
    assert rest_slope(word + hiss, word) == pytest.approx(rest_slope(word, word + hiss))
    assert Between(word, word + hiss).rest_deviation == pytest.approx(0.5, abs=0.1)


def test_a_room_follows_the_sound_late() -> None:
    word = np.pad(sounds.speech_like(3, 0.5), (0, 4_000))
    tail = noise(0.3, 1) * np.exp(-np.arange(0.3 * RATE) / 1_200) / 20
    heard = word + signal.fftconvolve(word, tail)[: len(word)].astype(np.float32)
    assert 0.1 < rest_slope(word, heard) < 0.5


def test_what_takes_differ_in_follows_the_sound() -> None:
    """A part of each moment is another's."""
    word = sounds.speech_like(3, 0.8)
    envelope = np.sqrt(signal.fftconvolve(np.square(word), np.ones(400) / 400, "same").clip(0))
    other = word + 0.5 * (envelope * noise(0.8, 1)).astype(np.float32)
    assert rest_slope(word, other) > 0.6


def test_where_the_sound_is_as_loud_all_the_time_nothing_tells() -> None:
    steady = noise(0.8)
    assert rest_slope(steady, steady + noise(0.8, 1)) == 1.0
    assert Between(steady, steady + noise(0.8, 1)).rest_deviation == np.inf
    assert rest_slope(np.zeros(8_000, np.float32), noise(0.5)) == 1.0


@pytest.mark.parametrize(("repeat", "once"), [(0.0, True), (0.99, True), (0.9999, False)])
@pytest.mark.parametrize("out_s", [0.0, 0.04])
def test_a_moment_is_the_only_one_unless_another_fits_nearly_as_well(
    repeat: float, once: bool, out_s: float
) -> None:
    """A stretch that comes again so alike, up to its end; of it a copy leaves a thousandth."""
    part = noise(0.1)
    again = repeat * part + np.sqrt(1 - repeat**2) * noise(0.1, 1)
    sound = np.concatenate([noise(0.2, 2), part, noise(0.2, 3), again])
    sound = sound[: len(sound) - round(out_s * RATE)].astype(np.float32)
    heard = part + np.float32(1e-3**0.5) * noise(0.1, 5)
    assert filtering.fits_once(heard, sound, round(0.2 * RATE), 192) == once


def test_a_train_fits_itself_at_each_of_its_wagons() -> None:
    train = np.tile(noise(0.1) * np.exp(-np.arange(0.1 * RATE) / 300).astype(np.float32), 10)
    for near in (192, len(train) // 4):
        assert not filtering.fits_once(train + 1e-3 * noise(1.0, 1), train, 0, near)


def test_a_note_that_dies_away_fits_itself_no_quarter_later() -> None:
    one = pluck(1)
    heard = one + np.float32(0.05) * one.std() * noise(1.0, 7)
    assert filtering.fits_once(heard, one, 0, len(one) // 4)
