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


def _count(samples: Samples) -> float:
    import scipy.fft

    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    if not frames.any():
        return 0.0
    level = np.sqrt(np.square(frames).mean(axis=1, keepdims=True))
    evened = frames / (level + LEVEL_FLOOR * level.max())
    spectrum = np.square(np.abs(scipy.fft.rfft(evened.ravel())))
    duration_s = _perplexity(np.square(evened).mean(axis=1)) * FRAME / RATE
    bandwidth = _perplexity(spectrum) * RATE / evened.size
    return float(duration_s * bandwidth)


def _perplexity(energy: npt.NDArray[np.floating]) -> float:
    """Over how many of its places energy is spread: as many, were it spread evenly."""
    share = energy[energy > 1e-7 * energy.sum()] / energy.sum()
    return float(np.exp(-np.sum(share * np.log(share))))
