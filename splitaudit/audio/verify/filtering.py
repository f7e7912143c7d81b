"""How much of one sound a short filter makes of another.

What a recording goes through on its way to a copy (a microphone, an equaliser, a telephone's band,
an echo from the next wall) is a filter; a good codec adds little. So a filter that is fitted by
least squares (Wiener, 1949) leaves next to nothing of a copy, and more of another take.
"""

from __future__ import annotations

import numpy as np

from splitaudit.audio.verify.whitening import RATE, Samples

REACH = 96  # samples (6 ms) to each side: the filter, its room, a second microphone
LONGEST = 4 * RATE  # looked at: so much tells
LOADING = 1e-4  # of the energy: frequencies that a has not cannot be made louder


def explained_share(a: Samples, b: Samples) -> float:
    """Return the share of the energy of either sound that a short filter makes of the other.

    Parameters
    ----------
    a, b
        Aligned waveforms at 16 kHz, of which the first `LONGEST` samples are looked at.

    Returns
    -------
    float
        In [0, 1], the higher one of both ways: where a band was cut off, that cannot be undone.
    """
    import scipy.fft

    length = min(len(a), len(b), LONGEST)
    size = scipy.fft.next_fast_len(length + 2 * REACH + 1, real=True)
    x, y = (scipy.fft.rfft(side[:length].astype(np.float64), size) for side in (a, b))
    power_x, power_y, cross = np.square(np.abs(x)), np.square(np.abs(y)), np.conj(x) * y
    return max(
        _explained(*(scipy.fft.irfft(part, size) for part in parts))
        for parts in ((power_x, cross, power_y), (power_y, np.conj(cross), power_x))
    )


def _explained(own: Samples, cross: Samples, aim: Samples) -> float:
    """Share of a sound that the best filter makes of another, from their correlations."""
    from scipy.linalg import solve_toeplitz

    reached = cross[np.arange(-REACH, REACH + 1)]
    column = own[: 2 * REACH + 1] + np.eye(1, 2 * REACH + 1)[0] * (LOADING * own[0] + 1e-12)
    return float(np.clip(solve_toeplitz(column, reached) @ reached / (aim[0] + 1e-12), 0.0, 1.0))
