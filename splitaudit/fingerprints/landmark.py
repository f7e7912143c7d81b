"""Landmarks: pairs of spectral peaks, coded by their frequencies and the time between them.

After Wang, "An industrial-strength audio search algorithm" (ISMIR 2003), with three differences:
the neighbourhood in which a peak must be the highest grows with frequency, as hearing does; a
quiet passage gets as many peaks as a loud one, since peaks compete only with their neighbours;
and they are kept dense, because a verifier decides afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numba
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint32]

CODE_BITS = 20
SEGMENT = 1 << 20  # samples analysed at once: 65 s
CONTEXT = 1 << 13  # samples beyond a segment that its peaks may compete with; a multiple of the hop
MAX_GAP = 63  # frames between two peaks of a pair
MIN_GAP = 2
MAX_STEP = 63  # bins between them
LOWEST_BIN = 6  # 94 Hz; below is rumble and hum
# Power of a sine at -95 dBFS. White noise of -73 dBFS is as strong in each bin: the dither of
# 16 bits lies far below, the quietest recordings in use above.
FLOOR_DBFS = -95.0
ABOVE_FLOOR = 4.5  # times in power: what a peak needs
MAX_REPEATS = 8  # of one code in a segment: what repeats more is a steady tone, and costs n * n
MIN_CODES = 5  # distinct codes; fewer cannot be told from chance


@dataclass(frozen=True)
class Landmarks:
    """The codes of one sound, sorted by time.

    Parameters
    ----------
    codes
        Shape (n,), `CODE_BITS` bits each.
    frames
        Shape (n,), when, in hops of the fingerprint.
    """

    codes: Codes
    frames: Codes

    @property
    def degenerate(self) -> bool:
        """Whether there is too little in the sound to tell it from another."""
        return len(np.unique(self.codes)) < MIN_CODES


@dataclass(frozen=True)
class Landmark:
    """The parameters that change the codes.

    Parameters
    ----------
    window, hop
        Of the spectrogram, in samples at 16 kHz.
    reach
        Frames to each side among which a peak is the highest.
    spread, widening
        Bins to each side among which it is: `spread + widening * bin`.
    fan
        How many of the peaks that follow each peak is paired with.
    """

    window: int = 1024
    hop: int = 256
    reach: int = 5
    spread: float = 5.0
    widening: float = 0.06
    fan: int = 4

    name: ClassVar[str] = "landmark"
    version: ClassVar[int] = 1
    modality: ClassVar[str] = "audio"
    metric: ClassVar[str] = "postings"

    def fingerprint(self, segments: Iterator[tuple[int, Samples]]) -> Landmarks:
        """Return the codes of a sound.

        Parameters
        ----------
        segments
            `(start, samples)` as `splitaudit.media.audio.segments` cuts them, with `SEGMENT` and
            `CONTEXT`: one channel at 16 kHz.
        """
        found = [self._peaks(start, samples) for start, samples in segments]
        times = np.concatenate([t for t, _ in found])
        bins = np.concatenate([f for _, f in found])
        codes, frames = _pair(times, bins, self.fan)
        kept = _without_repeats(codes, frames, SEGMENT // self.hop)
        return Landmarks(codes[kept], frames[kept])

    def _peaks(self, start: int, samples: Samples) -> tuple[Codes, Codes]:
        """Peaks of one segment, (frame of the whole sound, bin), those in its context left out."""
        power = spectrogram(samples, self.window, self.hop)
        least = np.float32(ABOVE_FLOOR * (10 ** (FLOOR_DBFS / 20) * self.window / 4) ** 2)
        cells = np.flatnonzero(_above_neighbours(power, least))
        t, f = _local_maxima(power, cells, self.reach, self.spread, self.widening)
        margin = CONTEXT // self.hop
        first = 0 if start == 0 else margin
        last = margin + SEGMENT // self.hop
        inside = (t >= first) & ((t < last) | (len(samples) < SEGMENT + 2 * CONTEXT))
        return t[inside] + np.uint32(start // self.hop), f[inside]


@cache
def _window(length: int) -> Samples:
    return np.hanning(length + 1)[:-1].astype(np.float32)


def spectrogram(samples: Samples, window: int, hop: int) -> Samples:
    """Power, shape (frames, window // 2)."""
    import scipy.fft

    padded = np.pad(samples, (0, max(0, window - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    spectrum = scipy.fft.rfft(frames * _window(window), axis=1)
    power: Samples = _power(spectrum)
    return power


@numba.njit(cache=True, nogil=True, fastmath=True)
def _power(spectrum: Any) -> Any:
    """Squared magnitude without the highest bin."""
    n_frames, n_bins = spectrum.shape
    power = np.empty((n_frames, n_bins - 1), np.float32)
    for t in range(n_frames):
        for f in range(n_bins - 1):
            power[t, f] = spectrum[t, f].real ** 2 + spectrum[t, f].imag ** 2
    return power


@numba.njit(cache=True, nogil=True)
def _above_neighbours(power: Any, least: Any) -> Any:
    """Cells above `least` and their four neighbours: without a branch, so that it vectorises."""
    n_frames, n_bins = power.shape
    above = np.zeros((n_frames, n_bins), np.bool_)
    for t in range(n_frames):
        before, after = power[max(0, t - 1)], power[min(n_frames - 1, t + 1)]
        row, first, last = power[t], t == 0, t == n_frames - 1
        for f in range(LOWEST_BIN, n_bins - 1):
            value = row[f]
            above[t, f] = (
                (value > least)
                & (value > row[f - 1])
                & (value >= row[f + 1])
                & ((value > before[f]) | first)
                & ((value >= after[f]) | last)
            )
    return above


@numba.njit(cache=True, nogil=True)
def _local_maxima(
    power: Any, cells: Any, reach: int, spread: float, widening: float
) -> tuple[Any, Any]:
    """Those of `cells` (flat indices) that no cell in their neighbourhood exceeds."""
    times, bins = np.empty(len(cells), np.uint32), np.empty(len(cells), np.uint32)
    n_bins, count = power.shape[1], 0
    for cell in cells:
        t, f = cell // n_bins, cell % n_bins
        width = int(spread + widening * f)
        first, last = max(LOWEST_BIN, f - width), min(n_bins, f + width + 1)
        if _is_highest(power, t, power[t, f], reach, first, last):
            times[count], bins[count] = t, f
            count += 1
    return times[:count], bins[:count]


@numba.njit(cache=True, nogil=True)
def _is_highest(power: Any, t: int, value: float, reach: int, first: int, last: int) -> bool:
    """Whether no cell within `reach` frames in the bins first <= f < last exceeds `value`.

    Rows are looked at from the nearest outwards: there a higher cell is found soonest. Of equal
    cells the earliest is the peak.
    """
    for f in range(first, last):
        if power[t, f] > value:
            return False
    for away in range(1, reach + 1):
        if t >= away:
            for f in range(first, last):
                if power[t - away, f] >= value:
                    return False
        if t + away < power.shape[0]:
            for f in range(first, last):
                if power[t + away, f] > value:
                    return False
    return True


@numba.njit(cache=True, nogil=True)
def _pair(times: Any, bins: Any, fan: int) -> tuple[Any, Any]:
    """Pair each peak with the next `fan` in its target zone; code = bin, step, gap."""
    n = len(times)
    codes, frames = np.empty(n * fan, np.uint32), np.empty(n * fan, np.uint32)
    count = 0
    for i in range(n):
        paired = 0
        for j in range(i + 1, n):
            gap = np.int64(times[j]) - np.int64(times[i])
            step = np.int64(bins[j]) - np.int64(bins[i])
            if gap > MAX_GAP or paired == fan:
                break
            if gap < MIN_GAP or abs(step) > MAX_STEP:
                continue
            # two bins to a step of the code: a peak wanders by one when it is recoded
            code = (np.int64(bins[i]) >> 1) << 12 | ((step + 64) >> 1) << 6 | gap
            codes[count], frames[count] = code, times[i]
            count += 1
            paired += 1
    return codes[:count], frames[:count]


def _without_repeats(codes: Codes, frames: Codes, period: int) -> npt.NDArray[np.intp]:
    """Indices, in order, of the first `MAX_REPEATS` of each code in each period of frames."""
    key = (frames // period).astype(np.uint64) << np.uint64(32) | codes
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(key) else order
    rank = np.arange(len(key)) - np.repeat(first, np.diff(np.r_[first, len(key)]))
    return np.sort(order[rank < MAX_REPEATS])
