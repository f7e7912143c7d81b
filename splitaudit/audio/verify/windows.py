"""Short windows of one sound held against another whose pitch is undone, each with its own lag.

A copy of another tempo consists of pieces of the original that lie near a line, not on it. So a
window may choose among the lags near a line; how well windows fit there is held against how well
they fit near other lines, where they may choose among as many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from splitaudit.audio.verify.alignment import padded_slice
from splitaudit.audio.verify.extent import MIN_PEAK
from splitaudit.audio.verify.spectrograms import Line, Wide, interpolate_peak, weighted_median
from splitaudit.audio.verify.whitening import RATE, Samples

Ints = npt.NDArray[np.int_]

WINDOW = 1024  # 64 ms: a piece or two
BIN = 80  # lags (5 ms) of which the highest correlation is kept
BAND = 5  # bins that are one line: the jitter of pieces is 10 to 20 ms
GUARD_BINS = 3  # bins between a line and those that it is held against: its filter, its room
SLACK = 4  # bins to each side of the proposed line where the best one may lie
SEARCH_LAGS = 65 * BIN  # lags (0.33 s) to each side among which it must be the best
CHANCE_CORRELATION = 0.15  # at most: noise gives 0.10, voices 0.15
STANDARD_ERRORS = 4.0  # standard errors by which a mean of windows may be too high
MIN_WINDOWS = 5  # <: windows that prove nothing
MAX_RIVAL_RATIO = 0.9  # <: of the peak; a block with a higher rival does not know its line
POWER_FLOOR = 0.1  # of the mean power; what has less is noise between sounds
PLACE_TOLERANCE = 2.0  # <=: samples by which neighbours of one piece differ
EPSILON = 1e-3  # added to amplitudes that are divided by
EDGE = 4  # samples to each side in which the lag of half a window is fitted


@dataclass(frozen=True)
class Windows:
    """Windows of a, and what b has near them once its pitch is undone.

    Parameters
    ----------
    a
        Shape (n, `WINDOW`).
    b
        Shape (n, `WINDOW` + 2 reach).
    correlation
        At each lag from -reach to reach, 1 where equal; shape (n, 2 reach + 1).
    rest
        By what part of a sample the line is later than lag 0, shape (n,).
    """

    a: Samples
    b: Samples
    correlation: Samples
    rest: Wide

    @property
    def reach(self) -> int:
        """The highest lag."""
        return int(self.correlation.shape[1] // 2)

    def best(self, near: int) -> tuple[Wide, Wide]:
        """Return the best lag up to `near` of each window, and how high the correlation is."""
        height = np.abs(self.correlation[:, self.reach - near : self.reach + near + 1])
        lag = interpolate_peak(height, height.argmax(axis=1)) - near
        return lag, height.max(axis=1).astype(np.float64)

    def cut(self, lag: Wide, first: int, length: int) -> Samples:
        """Return what b has at lags of one's choice, from the `first` sample of the window on."""
        begin = self.reach + np.rint(lag).astype(int) + first
        found = np.take_along_axis(self.b, begin[:, None] + np.arange(length), axis=1)
        return np.asarray(found)


@dataclass(frozen=True)
class Fits:
    """How well and where windows fit.

    Parameters
    ----------
    heights
        The highest correlation near each line, `BIN` samples apart; shape (n, lines). The proposed
        one is in the middle.
    places
        Where in b windows fit best, less where they are in a, in samples; shape (n,).
    starts
        First samples of the windows of a, rising, shape (n,).
    """

    heights: Samples
    places: Wide
    starts: Ints


def compare(a: Samples, b: Samples, line: Line, starts: Ints, reach: int) -> Windows:
    """Correlate windows of a with what b has about the same moments.

    Parameters
    ----------
    a, b
        Whitened waveforms; what b has between the first and the last window is resampled at once.
    line
        How b runs along a.
    starts
        First samples of the windows of a, rising, shape (n,), n > 0.
    reach
        Samples to each side of the line, at the pitch of a.
    """
    import scipy.fft
    import soxr

    length = WINDOW + 2 * reach
    middles = line.to_b((starts + WINDOW / 2) / RATE) * RATE
    begin = int(middles[0] - length / 2 / line.pitch) - 1
    end = int(middles[-1] + length / 2 / line.pitch) + 2
    undone = soxr.resample(padded_slice(b, begin, end - begin), 1.0, line.pitch, "MQ")
    exact = (middles - begin) * line.pitch - length / 2
    first = np.clip(np.round(exact).astype(int), 0, len(undone) - length)
    near = padded_slice(a, int(starts[0]), int(starts[-1] - starts[0]) + WINDOW)
    x = np.lib.stride_tricks.sliding_window_view(near, WINDOW)[starts - starts[0]]
    y = np.lib.stride_tricks.sliding_window_view(undone, length)[first]
    size = scipy.fft.next_fast_len(length, real=True)
    cross = np.conj(scipy.fft.rfft(x, size, axis=1)) * scipy.fft.rfft(y, size, axis=1)
    correlation = scipy.fft.irfft(cross, size, axis=1)[:, : 2 * reach + 1]
    norm = np.lib.stride_tricks.sliding_window_view(_window_norms(undone), 2 * reach + 1)[first]
    correlation /= norm * (np.sqrt(np.einsum("ij,ij->i", x, x)) + EPSILON)[:, None]
    return Windows(x, y, correlation, exact - first)


def _window_norms(samples: Samples) -> Samples:
    """Root of the energy of the window from each sample on; of silence, more than there is."""
    total = np.cumsum(np.square(samples), dtype=np.float64)
    energy = total[WINDOW - 1 :].copy()
    energy[1:] -= total[:-WINDOW]
    least = POWER_FLOOR * WINDOW / len(samples) * total[-1]
    return np.asarray(np.sqrt(np.maximum(energy, least)) + EPSILON, np.float32)


def pool_heights(windows: Windows) -> Samples:
    """Return the highest correlation of each window near each line, shape (n, lines).

    Lines are `BIN` samples apart, the proposed one in the middle.
    """
    height = np.abs(windows.correlation)
    bins = (height.shape[1] // BIN - 1) // 2 * 2 + 1
    first = (height.shape[1] - bins * BIN) // 2
    highest = height[:, first : first + bins * BIN].reshape(-1, bins, BIN).max(axis=2)
    near = np.lib.stride_tricks.sliding_window_view(highest, BAND, axis=1)
    return np.asarray(near.max(axis=2))


def sharpness(heights: Samples) -> float:
    """Return how far the best line stands above every other, beyond what chance gives, in [0, 1].

    Parameters
    ----------
    heights
        Of windows near lines, as of `pool_heights`.
    """
    at, rival = _best_and_rival(heights)
    mean = heights.mean(axis=0)
    # What fits better than that at most lines repeats itself, which is not chance.
    chance = min(CHANCE_CORRELATION, float(np.median(mean[_rival_mask(len(mean), at)])))
    error = float(heights[:, at].std()) / np.sqrt(len(heights))
    above = float(mean[at]) - STANDARD_ERRORS * error - chance
    return float(np.clip(1 - (rival - chance) / above, 0, 1)) if above > 0 else 0.0


def has_clear_peak(heights: Samples, blurred: float = MAX_RIVAL_RATIO) -> bool:
    """Return whether windows correlate, and no other line comes so near to the best one (<)."""
    at, rival = _best_and_rival(heights)
    peak = float(heights[:, at].mean())
    return peak >= MIN_PEAK and rival < blurred * peak


def _best_and_rival(heights: Samples) -> tuple[int, float]:
    """The best line near the proposed one, and how well windows fit the best one apart from it."""
    mean = heights.mean(axis=0)
    middle = len(mean) // 2
    at = middle - SLACK + int(mean[middle - SLACK : middle + SLACK + 1].argmax())
    return at, float(mean[_rival_mask(len(mean), at)].max())


def _rival_mask(lines: int, at: int) -> npt.NDArray[np.bool_]:
    return np.abs(np.arange(lines) - at) >= BAND + GUARD_BINS


def agreeing_share(fits: Fits) -> float:
    """Return the share of windows that lie as far from those of a as the window beside them.

    Pieces of a copy are longer than a window, or go on where the last one ended. Windows of other
    sounds fit where they happen to.
    """
    beside = np.diff(fits.starts) == WINDOW
    same = beside & (np.abs(np.diff(fits.places)) <= PLACE_TOLERANCE)
    return float((np.append(same, False) | np.append(False, same)).mean())


def merge_fits(blocks: list[Fits]) -> Fits:
    """Return blocks of windows as one."""
    return Fits(
        np.concatenate([block.heights for block in blocks]),
        np.concatenate([block.places for block in blocks]),
        np.concatenate([block.starts for block in blocks]),
    )


def drift(windows: Windows, near: int) -> float:
    """Return by what share b, its pitch undone, is still slower.

    Then the second half of a window lies later in it than the first.
    """
    lag, height = windows.best(near)
    half = WINDOW // 2
    places = []
    for first in (0, half):
        wide = windows.cut(lag, first - EDGE, half + 2 * EDGE)
        shifted = np.lib.stride_tricks.sliding_window_view(wide, half, axis=1)
        found = np.abs(np.einsum("nkl,nl->nk", shifted, windows.a[:, first : first + half]))
        places.append(interpolate_peak(found, found.argmax(axis=1)))
    return weighted_median((places[1] - places[0]) / half, np.square(height))
