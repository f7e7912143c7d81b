"""How much a sound holds: a tone next to nothing, speech much, whatever its level."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.audio.verify import information
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound

LEAST = 4.5  # cells, which no one tone or stroke fills
TIMES = np.arange(RATE) / RATE


def beep(hertz: float = 1000.0) -> Sound:
    return np.asarray(np.sin(2 * np.pi * hertz * TIMES) * (TIMES < 0.3), np.float32)


def struck(hertz: float = 200.0) -> Sound:
    return np.asarray(np.sin(2 * np.pi * hertz * TIMES) * np.exp(-8 * TIMES), np.float32)


@pytest.mark.parametrize("sound", [beep(), beep(440.0), struck(), struck(90.0), beep() * 1e-3])
def test_one_tone_or_one_stroke_fills_a_few(sound: Sound) -> None:
    assert 1.0 < information.count(sound) < LEAST


@pytest.mark.parametrize("kind", [sounds.speech_like, sounds.music_like, sounds.ambient])
@pytest.mark.parametrize("seconds", [1.0, 5.0])
def test_speech_and_music_fill_many(kind: object, seconds: float) -> None:
    assert information.count(kind(3, seconds)) > 4 * LEAST  # type: ignore[operator]


def test_a_knock_does_not_hide_speech() -> None:
    speech = 0.05 * sounds.speech_like(1, 2.0)
    speech[100:120] = 1.0
    assert information.count(speech) > 10 * LEAST


def test_the_richest_stretch_of_a_long_sound_counts() -> None:
    long = np.concatenate([np.tile(beep(), 10), sounds.speech_like(2, 4.0), np.tile(beep(), 10)])
    assert information.count(long) > 10 * LEAST


def test_level_is_nothing() -> None:
    speech = sounds.speech_like(5, 0.4)
    assert information.count(speech * 0.01) == pytest.approx(information.count(speech), rel=1e-3)


@pytest.mark.parametrize("n", [0, 1, 159, 160, 1000])
def test_silence_and_nothing_fill_none(n: int) -> None:
    assert information.count(np.zeros(n, np.float32)) == 0.0


def partials(count: int, seconds: float, apart: float = 60.0) -> Sound:
    """So many steady tones, so many Hz apart."""
    times = np.arange(round(seconds * RATE)) / RATE
    tones = (np.sin(2 * np.pi * (300 + apart * k) * times + k * k) for k in range(count))
    return np.asarray(sum(tones), np.float32)


@pytest.mark.parametrize(("count", "seconds"), [(1, 1.0), (4, 1.0), (40, 4.0)])
def test_each_of_some_steady_tones_fills_one(count: int, seconds: float) -> None:
    assert information.count(partials(count, seconds)) == pytest.approx(count, rel=0.02)


@pytest.mark.parametrize(("first", "told"), [(397, 410), (403, 403)])
def test_four_hundred_are_enough(first: int, told: int) -> None:
    """Four seconds are counted at once; of those that follow no more is asked."""
    long = np.concatenate([partials(first, 4.0, 15.0), partials(410, 4.0, 15.0)])
    assert information.count(long) == pytest.approx(told, rel=0.02)


@pytest.mark.parametrize(
    ("level", "expected"),
    [(1.0, 1.0), (0.1, 1.0668), (0.03, 1.3180), (0.01, 1.6805), (0.0, 2.1966)],
)
def test_what_is_faint_stays_so(level: float, expected: float) -> None:
    """Half a second at another level: a tone that is shorter has a broader band."""
    two = np.concatenate([partials(1, 0.5), np.float32(level) * partials(1, 0.5)])
    assert information.count(two) == pytest.approx(expected, abs=2e-3)


def test_levels_are_evened_every_10_ms() -> None:
    """So a tone that is cut up fills no more, unless it is cut finer."""
    steps = np.repeat(np.where(np.arange(100) % 2, 1.0, 0.3), RATE // 100)
    finer = np.repeat(np.where(np.arange(200) % 2, 1.0, 0.3), RATE // 200)
    tone = partials(1, 1.0)
    assert information.count(tone * steps.astype(np.float32)) == pytest.approx(1.02, abs=0.02)
    assert information.count(tone * finer.astype(np.float32)) > 2


@pytest.mark.parametrize(
    ("energy", "spread"),
    [
        ([3.0, 3.0, 3.0, 3.0], 4),
        ([0.0, 5.0, 0.0], 1),
        ([0.5, 0.25, 0.25], 2**1.5),
        ([1.0, 5e-8], 1),
        ([1.0, 2e-7], 1 + 3.28e-6),
    ],
)
def test_over_how_many_places_energy_is_spread(energy: list[float], spread: float) -> None:
    assert information._perplexity(np.array(energy)) == pytest.approx(spread, abs=2e-7)


@pytest.mark.parametrize("counts", [(40, 7), (7, 40)])
def test_the_richest_of_two_poor_stretches_counts(counts: tuple[int, int]) -> None:
    long = np.concatenate([partials(count, 4.0) for count in counts])
    assert information.count(long) == pytest.approx(40, rel=0.02)


@pytest.mark.parametrize(("count", "spread"), [(1, 1.0), (8, 8.0), (40, 40.0)])
def test_tones_that_lie_apart_fill_a_band_each(count: int, spread: float) -> None:
    """Of 83 Hz: a filter of 12 ms tells them apart."""
    tones = partials(count, 1.0, apart=166.0)
    assert information.bands(tones, 83.0) == pytest.approx(spread, rel=0.02)
    assert information.bands(tones, 8_000.0) == pytest.approx(1.0, abs=0.01)


def test_silence_fills_no_band() -> None:
    assert information.bands(np.zeros(1000, np.float32), 83.0) == 0.0
