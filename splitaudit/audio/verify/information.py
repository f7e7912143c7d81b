"""How much there is in a sound that could tell it from another one.

Gabor (1946) counted what a sound can say in cells: its duration times its bandwidth. A beep, a
struck bar or a soft kick fills two or three, so that any other of the same pitch is its equal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from splitaudit.audio.verify.whitening import RATE, Samples

CHUNK = 4 * RATE  # counted at once: a length that is transformed fast
FRAME = 160  # samples (10 ms), made about equally loud: one knock is not all of a speech
LEVEL_FLOOR = 0.03  # of the loudest frame, as amplitude: fainter frames stay so
MAX_CELLS = 400.0  # <=: no more is looked at


def count(samples: Samples) -> float:
    """Return the cells that the richest stretch of a sound fills.

    Parameters
    ----------
    samples
        Waveform at 16 kHz, shape (n,).

    Returns
    -------
    float
        Effective duration in s times effective bandwidth in Hz, each the exponential of the entropy
        of how the energy is spread; 0 for silence.
    """
    most = 0.0
    for start in range(0, len(samples), CHUNK):
        most = max(most, _count(samples[start : start + CHUNK]))
        if most >= MAX_CELLS:
            break
    return most


def bands(samples: Samples, width: float) -> float:
    """Return over how many bands of a width in Hz a sound of at most `CHUNK` samples is spread."""
    evened = _evened(samples)
    if evened is None:
        return 0.0
    spectrum = _spectrum(evened)
    lines = max(1, round(width * evened.size / RATE))
    padded = np.pad(spectrum, (0, -len(spectrum) % lines))
    return _perplexity(padded.reshape(-1, lines).sum(axis=1))


def _count(samples: Samples) -> float:
    evened = _evened(samples)
    if evened is None:
        return 0.0
    duration_s = _perplexity(np.square(evened).mean(axis=1)) * FRAME / RATE
    bandwidth = _perplexity(_spectrum(evened)) * RATE / evened.size
    return float(duration_s * bandwidth)


def _evened(samples: Samples) -> Samples | None:
    """Frames, each about as loud; None for silence."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    if not frames.any():
        return None
    level = np.sqrt(np.square(frames).mean(axis=1, keepdims=True))
    return np.asarray(frames / (level + LEVEL_FLOOR * level.max()))


def _spectrum(evened: Samples) -> Samples:
    import scipy.fft

    return np.asarray(np.square(np.abs(scipy.fft.rfft(evened.ravel()))))


def _perplexity(energy: npt.NDArray[np.floating]) -> float:
    """Over how many of its places energy is spread: as many, were it spread evenly."""
    share = energy[energy > 1e-7 * energy.sum()] / energy.sum()
    return float(np.exp(-np.sum(share * np.log(share))))
