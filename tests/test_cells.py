"""How much a sound holds: a tone next to nothing, speech much, whatever its level."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound
from splitaudit.verify import audio, cells

TIMES = np.arange(RATE) / RATE


def beep(hertz: float = 1000.0) -> Sound:
    return np.asarray(np.sin(2 * np.pi * hertz * TIMES) * (TIMES < 0.3), np.float32)


def struck(hertz: float = 200.0) -> Sound:
    return np.asarray(np.sin(2 * np.pi * hertz * TIMES) * np.exp(-8 * TIMES), np.float32)


@pytest.mark.parametrize("sound", [beep(), beep(440.0), struck(), struck(90.0), beep() * 1e-3])
def test_one_tone_or_one_stroke_fills_a_few(sound: Sound) -> None:
    assert 1.0 < cells.count(sound) < audio.FEW


@pytest.mark.parametrize("kind", [sounds.speech_like, sounds.music_like, sounds.ambient])
@pytest.mark.parametrize("seconds", [1.0, 5.0])
def test_speech_and_music_fill_many(kind: object, seconds: float) -> None:
    assert cells.count(kind(3, seconds)) > 4 * audio.FEW  # type: ignore[operator]


def test_a_knock_does_not_hide_speech() -> None:
    speech = 0.05 * sounds.speech_like(1, 2.0)
    speech[100:120] = 1.0
    assert cells.count(speech) > 10 * audio.FEW


def test_the_richest_stretch_of_a_long_sound_counts() -> None:
    long = np.concatenate([np.tile(beep(), 10), sounds.speech_like(2, 4.0), np.tile(beep(), 10)])
    assert cells.count(long) > 10 * audio.FEW


def test_level_is_nothing() -> None:
    speech = sounds.speech_like(5, 0.4)
    assert cells.count(speech * 0.01) == pytest.approx(cells.count(speech), rel=1e-3)


@pytest.mark.parametrize("n", [0, 1, 159, 160, 1000])
def test_silence_and_nothing_fill_none(n: int) -> None:
    assert cells.count(np.zeros(n, np.float32)) == 0.0
