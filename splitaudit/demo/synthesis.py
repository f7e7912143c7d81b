"""Building blocks of synthetic sound: chance, wavetables, filters that change with time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

RATE = 16000
Sound = NDArray[np.float32]
Rng = np.random.Generator

_TABLE = 1 << 15  # samples in a period of a wavetable: the nearest one is wrong by less than -80 dB


def seeded_rng(name: str, seed: int, take: int = 0) -> Rng:
    """Give each kind of sound its own stream: rain and a fan of one seed must share no noise."""
    return np.random.default_rng([*name.encode(), seed, take])


def uniform_noise(rng: Rng, n: int) -> Sound:
    """White noise in [-1, 1); uniform, which takes a quarter of the time of normal numbers."""
    return 2 * rng.random(n, np.float32) - 1


def normalise_peak(samples: NDArray[Any], peak: float) -> Sound:
    """The same sound with its largest magnitude at `peak`."""
    scaled: Sound = (samples * (peak / max(float(np.abs(samples).max()), 1e-9))).astype(np.float32)
    return scaled


def sample_times(n: int, rate: int) -> Sound:
    """Times in s of `n` samples."""
    return np.arange(n, dtype=np.float32) / np.float32(rate)


def fade_envelope(n: int, rate: int, attack: float = 0.004, release: float = 0.05) -> Sound:
    """Weights (n,) that rise over the first `attack` s and fall over the last `release` s."""
    k = np.arange(n, dtype=np.float32)
    weights: Sound = np.minimum(np.minimum(k / (attack * rate), (n - k) / (release * rate)), 1)
    return weights


def mix_into(out: Sound, sound: NDArray[Any], start: float, rate: int) -> None:
    """Mix `sound` into `out` from `start` s on; what lies outside is lost."""
    first = round(start * rate)
    place = max(0, first)
    sound = sound[place - first :][: max(0, len(out) - place)]
    out[place : place + len(sound)] += sound


def wavetable(rng: Rng, levels: NDArray[Any]) -> Sound:
    """One period, of peak 1, of a sum of harmonics with these levels and chance phases."""
    spectrum = np.zeros(_TABLE // 2 + 1, np.complex64)
    spectrum[1 : len(levels) + 1] = levels * np.exp(1j * rng.uniform(-1, 1, len(levels)))
    return normalise_peak(fft.irfft(spectrum), 1.0)


def wavetable_index(periods: NDArray[Any]) -> NDArray[np.int64]:
    """Places in a wavetable for phases counted in periods."""
    places: NDArray[np.int64] = (periods * _TABLE).astype(np.int64) & (_TABLE - 1)
    return places


def frame_grid(n: int, rate: int) -> tuple[NDArray[Any], Sound]:
    """Times in s of the frames that cover `n` samples, and the frequencies in Hz of their bins."""
    hop = _hop(rate)
    frames = -(-n // hop) + 1
    return np.arange(frames) * hop / rate, np.linspace(0, rate / 2, hop + 1, dtype=np.float32)


def upsample(curve: NDArray[Any], rate: int, n: int) -> NDArray[Any]:
    """Bring a curve with one value a frame to `n` samples, by straight lines."""
    ramp = np.arange(_hop(rate)) / _hop(rate)
    return (curve[:-1, None] + np.diff(curve)[:, None] * ramp).ravel()[:n]


def random_drift(rng: Rng, n: int, smooth: float) -> NDArray[Any]:
    """`n` values of about unit variance that drift, correlated over some `smooth` of them."""
    walk = ndimage.gaussian_filter1d(rng.standard_normal(n), smooth, mode="wrap")
    return np.asarray(walk * np.sqrt(2 * smooth * np.sqrt(np.pi)))


def filter_frames(parts: Sequence[tuple[Sound, NDArray[Any]]]) -> Sound:
    """Sum of signals of one length, each filtered by its gains (frames, bins) on `frame_grid`.

    Half overlapped frames are added; the squares of their sine windows sum to one.
    """
    n, (frames, bins) = len(parts[0][0]), parts[0][1].shape
    hop = bins - 1
    window = np.sin(np.pi * (np.arange(2 * hop, dtype=np.float32) + 0.5) / (2 * hop))
    spectra = np.zeros((frames, bins), np.complex64)
    for samples, gains in parts:
        blocks = np.zeros((frames + 1, hop), np.float32)
        blocks.reshape(-1)[hop : hop + n] = samples
        cut = np.hstack([blocks[:-1], blocks[1:]]) * window
        spectra += fft.rfft(cut) * gains.astype(np.float32)
    cut = fft.irfft(spectra) * window
    blocks = np.zeros((frames + 1, hop), np.float32)
    blocks[:-1] += cut[:, :hop]
    blocks[1:] += cut[:, hop:]
    return blocks.ravel()[hop : hop + n]


def steady_tone(rng: Rng, freq: float, levels: NDArray[Any], n: int, rate: int) -> Sound:
    """Harmonics of `freq` Hz at these levels and chance phases, with or without a little hiss."""
    periods = freq * np.arange(n) / rate + rng.random()
    hiss = rng.choice([0.0, 1e-4, 1e-3]) * uniform_noise(rng, n)
    return normalise_peak(
        wavetable(rng, levels)[wavetable_index(periods)] + hiss, rng.uniform(0.2, 0.9)
    )


def _hop(rate: int) -> int:
    """About 16 ms in samples, a power of two."""
    return int(2 ** round(np.log2(0.016 * rate)))
