"""At which lag two sounds correlate, and how far that stands above every other lag."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from splitaudit.verify.stretch import FRAME
from splitaudit.verify.whitening import RATE, Samples

Wide = npt.NDArray[np.float64]

SLACK = 3_200  # samples to each side of the proposed offset where the peak may lie
LAGS = 4_800  # samples to each side among which it must be the highest
PEAK_WIDTH = 192  # samples to each side (12 ms) that belong to the peak: its filter, its room
BLOCK = 2 * RATE  # correlated at once: a jingle is not lost in it, nor chance found
BLURRED = 0.9  # <: of the peak; a block with a higher rival does not know its lag
HOPEFUL = 0.4  # <=: score of a lag at which it is worth looking again
FAINT = 0.06  # <=: correlation of a block that counts


@dataclass(frozen=True)
class Loud:
    """A waveform whose frames are weighted when they are read: it may be a long memory map."""

    white: Samples
    weights: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weights) * FRAME

    def __getitem__(self, part: slice) -> Samples:
        start, stop, _ = part.indices(len(self))
        weights = self.weights[start // FRAME : -(-stop // FRAME)].astype(np.float32)
        each = np.repeat(weights, FRAME)[start % FRAME :][: max(0, stop - start)]
        return self.white[start:stop] * each


def overlap(a: Sized, b: Sized, offset: int) -> tuple[int, int]:
    """Return the first and the last (exclusive) sample of a that b has too."""
    return max(0, -offset), min(len(a), len(b) - offset)


def align(a: Samples | Loud, b: Samples | Loud, offset: int) -> tuple[int, float] | None:
    """Return the lag on which the stretches that correlate agree, and its score.

    Parameters
    ----------
    a, b
        Whitened waveforms.
    offset
        Sample of b less sample of a of the same moment, to within `SLACK`.

    Returns
    -------
    (lag, score) or None
        The score is how far it stands above every other lag, in [0, 1]: 1 - rival / peak, without
        what an echo in either sound makes of the rival. None where nothing correlates.
    """
    first, last = overlap(a, b, offset)
    # What may be shared at any lag: of a drum, whose onset is cut off, nothing is left to tell.
    about = _align(a, b, offset, (max(0, first - SLACK), min(len(a), last + SLACK)))
    if about is None or about[1] < HOPEFUL:
        return about
    return _align(a, b, about[0], overlap(a, b, about[0])) or about


def _align(
    a: Samples | Loud, b: Samples | Loud, offset: int, part: tuple[int, int]
) -> tuple[int, float] | None:
    """The lag on which blocks of a part of a agree with b, and its score."""
    total, echo_a, echo_b = (np.zeros(2 * LAGS + 1) for _ in range(3))
    first, last = part
    if last - first < FRAME:
        return None
    for start in range(first, max(first + 1, last - BLOCK // 4), BLOCK):
        length = min(BLOCK, last - start)
        x, y = around(a, start, length), around(b, start + offset, length)
        correlation, weight = _correlate(x, _wide(b, start + offset, length))
        height, rival, _ = _peak(correlation)
        # a block in which another lag is as good would only blur the sum
        if height >= FAINT and rival < BLURRED * height:
            total += correlation * weight
            echo_a += _correlate(x, _wide(a, start, length))[0] * weight
            echo_b += _correlate(y, _wide(b, start + offset, length))[0] * weight
    if not total.any():
        return None
    lag = _peak(total)[2]
    return offset + lag, max(_score(total, echo_a, lag), _score(total, echo_b, lag))


def _score(correlation: Wide, own: Wide, lag: int) -> float:
    """How far the peak at `lag` stands above every other, what an echo makes of it apart."""
    echo = np.zeros_like(own)
    echo[max(0, lag) : len(own) + min(0, lag)] = own[max(0, -lag) : len(own) - max(0, lag)]
    peak = correlation[LAGS + lag]
    rest = np.abs(correlation - peak * echo / own[LAGS])
    rest[max(0, LAGS + lag - PEAK_WIDTH) : LAGS + lag + PEAK_WIDTH + 1] = 0.0
    return 1 - float(rest.max() / abs(peak))


def around(samples: Samples | Loud, start: int, length: int) -> Samples:
    """Return a stretch of a sound that may begin before it or end after it: silence there."""
    inside = samples[max(0, start) : max(0, start + length)]
    before = min(length, max(0, -start))
    return np.pad(inside, (before, length - before - len(inside)))


def _wide(samples: Samples | Loud, start: int, length: int) -> Samples:
    """A stretch of a sound with `LAGS` more to each side."""
    return around(samples, start - LAGS, length + 2 * LAGS)


def _correlate(x: Samples, y: Samples) -> tuple[Samples, float]:
    """Correlation of x with y at lags -LAGS..LAGS, 1 where equal, and the energy it stands for."""
    import scipy.fft

    size = scipy.fft.next_fast_len(len(y), real=True)
    cross = np.conj(scipy.fft.rfft(x, size)) * scipy.fft.rfft(y, size)
    middle = y[LAGS : LAGS + len(x)]
    energy = float(np.sqrt(np.square(x).sum() * np.square(middle).sum())) + 1e-6 * len(x)
    return scipy.fft.irfft(cross, size)[: 2 * LAGS + 1] / np.float32(energy), energy


def _peak(correlation: npt.NDArray[np.floating]) -> tuple[float, float, int]:
    """Height of the highest lag within `SLACK`, of the highest apart from it, and where it is."""
    height = np.abs(correlation)
    at = LAGS - SLACK + int(np.argmax(height[LAGS - SLACK : LAGS + SLACK + 1]))
    left, right = height[: max(0, at - PEAK_WIDTH)], height[at + PEAK_WIDTH + 1 :]
    rival = max(left.max(initial=0.0), right.max(initial=0.0))
    return float(height[at]), float(rival), at - LAGS
