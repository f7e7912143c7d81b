"""How much of one sound a short filter makes of another, and what is left over.

What a recording goes through on its way to a copy (a microphone, an equaliser, a telephone's band,
an echo from the next wall) is a filter; a good codec adds little. So a filter that is fitted by
least squares (Wiener, 1949) leaves next to nothing of a copy, and more of another take.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from splitaudit.audio.verify import information
from splitaudit.audio.verify.whitening import RATE, Samples

REACH = 96  # samples (6 ms) to each side: the filter, its room, a second microphone
GAIN_REACH = 1  # a gain, and a part of a sample
LONGEST = 4 * RATE  # looked at: so much tells
LOADING = 1e-7  # of the energy: frequencies that a has not cannot be made louder
MOST_LEFT = 10**-2.5  # <=: share of the energy; other takes, hits and notes leave 10**-2.2 and more
OTHER_MOMENT = 10.0  # <=: times as much is left over of another moment
LEAST_LEFT = 1e-9  # as exact as 16 bits are
CELLS_OF_A_BAND = 2.0  # that a filter may choose, as wide as it can tell frequencies apart
# Rests are looked at in frames of 32 ms and in bands
FRAME, HOP = 512, 256
BAND_EDGES = (1, 4, 8, 12, 18, 26, 36, 50, 70, 100, 140, 200)
FAINT_BAND = 1e-3  # <: power of a band beside the loudest one, in which the rest tells nothing
FLOOR = 1e-5  # of the mean power: what lies below is the last bit
MIN_DEVIATION = 1.5  # <= in nepers: of the levels of the sound, else none can tell

Wide = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Between:
    """The filters that lie between two sounds.

    Parameters
    ----------
    a, b
        Aligned waveforms at 16 kHz, of which the first `LONGEST` samples are looked at.
    """

    a: Samples
    b: Samples

    @cached_property
    def explained(self) -> float:
        """The share of the energy of either that a short filter makes of the other.

        In [0, 1], the higher one of both ways: where a band was cut off, that cannot be undone.
        """
        return 1 - min(self._left_by_filters)

    def agreeing_bits(self, reach: int, most_left: float = MOST_LEFT) -> float:
        """Return how many bits they agree in beyond what a filter was free to choose.

        Each cell that is left (see `information`) tells half the logarithm of its power beside what
        the filter leaves over, of its two numbers (Shannon, 1949). A struck bar rings anew with the
        same partials: a filter may choose how loud and how late each of them is.

        Parameters
        ----------
        reach
            Samples of the filter to each side, at most `REACH`.
        most_left
            Share of the energy that it may leave.

        Returns
        -------
        float
            0 where it leaves more. The higher one of both ways.
        """
        most = 0.0
        shares = self._left_by_filters if reach == REACH else self._left_over(reach)
        for aim, left in zip(self._sides[::-1], shares, strict=True):
            if left <= most_left:
                free = CELLS_OF_A_BAND * information.bands(aim, RATE / (2 * reach + 1))
                cells = max(0.0, information.count(aim) - free)
                most = max(most, -cells * float(np.log2(max(left, LEAST_LEFT))))
        return most

    @cached_property
    def rest_slope(self) -> float:
        """How what a filter leaves over follows the sound, in nepers a neper.

        What two takes differ in is as loud as they are, at each moment: 1. Added noise does not
        follow the sound: 0. The tail of a room comes later, and another sound when it likes: less
        than half. The one nearer to 0 of both ways; 1 where neither can tell, the sound being as
        loud all the time (`MIN_DEVIATION`).
        """
        return self._rest[0]

    @property
    def rest_deviation(self) -> float:
        """Deviation of the levels of that rest, in nepers: of added noise 0.6 and less.

        Infinite where neither way can tell.
        """
        return self._rest[1]

    @cached_property
    def _rest(self) -> tuple[float, float]:
        return min(self._follow(0), self._follow(1), key=lambda rest: abs(rest[0]))

    @cached_property
    def _sides(self) -> tuple[Samples, Samples]:
        length = min(len(self.a), len(self.b), LONGEST)
        return self.a[:length], self.b[:length]

    @cached_property
    def _correlations(self) -> tuple[list[Wide], Wide]:
        """Of each with itself, as far as a filter is long; of both, as far to each side."""
        import scipy.fft

        size = scipy.fft.next_fast_len(len(self._sides[0]) + 2 * REACH + 1, real=True)
        x, y = (scipy.fft.rfft(side.astype(np.float64), size) for side in self._sides)
        own = [scipy.fft.irfft(np.square(np.abs(z)), size)[: 2 * REACH + 1] for z in (x, y)]
        return own, scipy.fft.irfft(np.conj(x) * y, size)[np.arange(-REACH, REACH + 1)]

    def _fit(self, source: int, reach: int) -> tuple[Wide, Wide]:
        """The filter of one that comes nearest to the other, and how they correlate."""
        from scipy.linalg import solve_toeplitz

        own, cross = self._correlations
        near = cross[REACH - reach : REACH + reach + 1][:: 1 - 2 * source]
        column = own[source][: 2 * reach + 1].copy()
        column[0] += LOADING * column[0] + 1e-12
        return solve_toeplitz(column, near), near

    @cached_property
    def _filters(self) -> list[tuple[Wide, Wide]]:
        return [self._fit(source, REACH) for source in (0, 1)]

    @cached_property
    def _left_by_filters(self) -> tuple[float, float]:
        return self._left_over(REACH)

    def _left_over(self, reach: int) -> tuple[float, float]:
        """Share of the energy of b that no filter of a makes, and of a that none of b does."""
        own, _ = self._correlations
        fits = self._filters if reach == REACH else [self._fit(source, reach) for source in (0, 1)]
        made = (float(np.dot(*fit)) for fit in fits)
        of_b, of_a = (
            float(np.clip(1 - energy / (own[1 - source][0] + 1e-12), 0.0, 1.0))
            for source, energy in enumerate(made)
        )
        return of_b, of_a

    def _follow(self, source: int) -> tuple[float, float]:
        """By how much the levels of the rest of a side follow those of the sound; how they vary."""
        from scipy.signal import fftconvolve

        x, y = self._sides[source], self._sides[1 - source]
        made = fftconvolve(x, self._filters[source][0])[REACH : REACH + len(x)]
        return _compare_levels(_band_power(made), _band_power(y - made))


def explained_share(a: Samples, b: Samples) -> float:
    """Return the share of the energy of either sound that a short filter makes of the other."""
    return Between(a, b).explained


def fits_once(part: Samples, sound: Samples, at: int, near: int) -> bool:
    """Return whether a stretch of a sound leaves much more of every other moment of it.

    Parameters are those of `left_elsewhere`.
    """
    here, elsewhere = left_elsewhere(part, sound, at, near)
    return elsewhere >= OTHER_MOMENT * here


def left_elsewhere(part: Samples, sound: Samples | Wide, at: int, near: int) -> tuple[float, float]:
    """Return what a gain leaves of a stretch of a sound where it lies, and least at other moments.

    Parameters
    ----------
    part
        Waveform, shape (m,), of which the first `LONGEST` samples are looked at.
    sound, at
        Waveform, shape (n,), in which it lies; and where. It may stand out by half of it.
    near
        Samples to each side that are the same moment.
    """
    from scipy.signal import correlate

    wide, m, n = part[:LONGEST].astype(np.float64), min(len(part), LONGEST), len(sound)
    begin = np.arange(-(m // 2), n - m + m // 2 + 1)  # of the stretch, in the sound
    inner, outer = (
        np.pad(np.cumsum(np.square(x, dtype=np.float64)), (1, 0)) for x in (wide, sound)
    )
    energy = inner[np.minimum(m, n - begin)] - inner[np.maximum(0, -begin)]
    energy *= outer[np.minimum(n, begin + m)] - outer[np.maximum(0, begin)]
    product = correlate(sound, wide, "full", "fft")[begin + m - 1]
    fit = np.square(product) / (energy + 1e-6 * inner[-1] * outer[-1] + 1e-20)
    here = np.abs(begin - at) <= near
    return max(0.0, 1 - fit[here].max(initial=0.0)), 1 - float(fit[~here].max(initial=0.0))


def _compare_levels(power: Wide, beside: Wide) -> tuple[float, float]:
    """By how much levels rise and fall with those of a sound by bands, and their deviation."""
    heard = power.mean(axis=0) >= FAINT_BAND * power.mean(axis=0).max(initial=0.0)
    floor = FLOOR * power.mean() + 1e-20
    level, other = (np.log(part[:, heard] + floor) for part in (power, beside))
    level, other = level - level.mean(axis=0), other - other.mean(axis=0)
    if level.std() < MIN_DEVIATION:
        return 1.0, np.inf
    return float((level * other).sum() / np.square(level).sum()), float(other.std())


def _band_power(samples: Samples) -> Wide:
    """Power by frames and bands."""
    import scipy.fft

    padded = np.pad(samples, FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP] * np.hanning(FRAME)
    power = np.square(np.abs(scipy.fft.rfft(frames, axis=1)))
    return np.asarray(np.add.reduceat(power, BAND_EDGES, axis=1))
