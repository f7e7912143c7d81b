"""Waveforms are whitened as the formula says, however long they are and however they begin."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.audio.verify import whitening
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound


def slowly(samples: Sound) -> np.ndarray:
    """Window by window, in double precision; the numbers are written out."""
    x = samples.astype(np.float64)
    padded = np.pad(x, (3_072, 4_096 + -len(x) % 4_096), "reflect" if len(x) > 1 else "edge")
    out, taper = np.zeros(len(padded)), 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(4_096) / 4_096)
    for start in range(0, len(padded) - 4_095, 1_024):
        spectrum = np.fft.rfft(padded[start : start + 4_096] * taper)
        magnitude = np.abs(spectrum)
        lifted = spectrum / (magnitude + 0.001 * magnitude.max() + 1e-5 * 64)
        breadth = np.sqrt(np.mean(np.abs(lifted) ** 2))
        out[start : start + 4_096] += np.fft.irfft(lifted / (breadth + 0.02)) * taper
    return out[3_072 : 3_072 + len(x)]


CLIPS = {
    "speech": sounds.speech_like(1, 2.0),
    "ambient": sounds.ambient(1, 1.3),
    "tone": sounds.tone(1, 0.7),
    "faint": np.float32(2e-5) * sounds.white_noise(1, 0.5),
    "silence": sounds.silence(0.5),
    "short": sounds.music_like(1, 1.0)[:300],
    "windows": sounds.music_like(1, 1.0)[: 2 * 4_096],
    "click": np.eye(1, 9_000, 5_000, dtype=np.float32)[0],
    "sample": np.ones(1, np.float32),
}


@pytest.mark.parametrize("name", CLIPS)
def test_every_frequency_and_every_moment_is_made_as_loud(name: str) -> None:
    found, expected = whitening.whiten(CLIPS[name]), slowly(CLIPS[name])
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert found == pytest.approx(expected, abs=1e-4 * float(np.abs(expected).max()))


def test_a_sound_is_whitened_in_pieces_of_64_s() -> None:
    samples = np.zeros(130 * RATE, np.float32)
    assert [len(piece) for piece in whitening.chunks(samples)] == [64 * RATE, 64 * RATE, 2 * RATE]
    assert list(whitening.chunks(samples[:0])) == []
