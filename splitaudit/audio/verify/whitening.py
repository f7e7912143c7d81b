"""Waveforms of which every frequency and every moment is as loud as another."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

RATE = 16_000
WINDOW = 4096  # 0.26 s, which parts the harmonics of most voices
OVERLAP = 4  # windows at any moment, so that it matters little where they begin
LEAKAGE = np.float32(1e-3)
MIN_BREADTH = np.float32(0.02)  # share of the spectrum, in amplitude, of a moment that counts
NOISE_AMPLITUDE = 1e-5  # amplitude of noise (-100 dBFS) that is not lifted
CHUNK = 64 * RATE  # whitened at once, of which
BATCH_WINDOWS = 32  # windows are transformed together: they stay in the cache of a core


def chunks(samples: Samples) -> Iterator[Samples]:
    """Yield a sound in pieces that are whitened at once."""
    for start in range(0, len(samples), CHUNK):
        yield samples[start : start + CHUNK]


@cache
def _taper() -> Samples:
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def whiten(samples: Samples) -> Samples:
    """Make every frequency equally loud, in windows of `WINDOW`; shape kept."""
    import scipy.fft

    hop = WINDOW // OVERLAP
    # Reflected: silence beyond the ends would give all sounds the same onset.
    ends = (WINDOW - hop, WINDOW + (-len(samples)) % WINDOW)
    padded = np.pad(samples, ends, "reflect" if len(samples) > 1 else "edge")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop]
    out = np.zeros(len(padded), np.float32)
    for first in range(0, len(frames), BATCH_WINDOWS):
        spectrum = scipy.fft.rfft(frames[first : first + BATCH_WINDOWS] * _taper(), axis=1)
        _flatten(spectrum)
        white = scipy.fft.irfft(spectrum, axis=1) * _taper()
        for start, window in zip(itertools.count(first * hop, hop), white, strict=False):
            out[start : start + WINDOW] += window
    return out[ends[0] : ends[0] + len(samples)]


def _flatten(spectrum: npt.NDArray[np.complex64]) -> None:
    """Make every line of each row equally loud, in place."""
    magnitude = np.abs(spectrum)
    # What lies 60 dB below the strongest line stays there: it is the leakage of a tone, or nothing.
    least = LEAKAGE * magnitude.max(axis=1, keepdims=True) + np.float32(
        NOISE_AMPLITUDE * WINDOW**0.5
    )
    gain = 1 / (magnitude + least)
    # A moment counts as much as another, however few frequencies it has: a tone's edge has all.
    breadth = np.sqrt(np.mean(np.square(magnitude * gain), axis=1, keepdims=True))
    gain /= breadth + MIN_BREADTH
    spectrum.real *= gain  # as two real products: numpy would make the gain complex
    spectrum.imag *= gain
