"""Whether an equaliser makes the whole of one sound from another, and at one moment only.

A plucked string, a kick or a beep repeats itself, so that it fits another of its pitch at many
lags, and whitening makes a peak of each. But an equaliser, a microphone or the band of a telephone
is smooth: it may choose as much in each octave as in another, not how loud and how late each
partial is. So a filter of 41 taps on a warped axis of frequency (Oppenheim and Johnson, 1972),
which lasts 14 ms at the lowest and 0.4 ms at the highest, leaves next to nothing of a copy and far
more of another pluck of the string.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from splitaudit.audio.verify import filtering
from splitaudit.audio.verify.alignment import SLACK, overlap
from splitaudit.audio.verify.filtering import LOADING, LONGEST, Wide
from splitaudit.audio.verify.whitening import RATE, Samples

WARP = 0.7  # of the axis: about as the ear divides it
REACH = 20  # taps to each side
STEPS = 2048  # of the axis, within which the filter is one number
ROOM = 1024  # samples of silence behind a sound, in which the filter dies away
MIN_LENGTH = RATE // 10  # <=: samples of either, and
SAME_LENGTH = 0.8  # <= of the longer one: the whole of a sound, from the beginning to the end
LAGS = 8  # the highest ones of which are looked at; a period of the note apart
HOPELESS = 0.1  # >: left over at the first of them
# Chosen on the half of the sounds that is not reported; see docs/decisions/audio.md.
MOST_LEFT = 10**-2.5  # <=: share of the energy; other plucks leave 10**-1.7 and more
OTHER_TAKE = 4.0  # <=: times as much is left of another take of the note, and
LEAST_OTHER = 10**-2.5  # <=: share of the energy: a beep or a bar has so few partials that any fits
APART_HZ = 60.0  # partials that lie nearer together are one
RAMP = 256  # samples (16 ms) to each side, so that partials do not run into each other
ONSET = 0.05  # <: of the highest sample, before a note begins
FAINT = 1e-7  # <: of the power of the loudest partial: none
NEAR = 16  # samples to each side (1 ms) that are the same moment, of a note a part of its period

Ints = npt.NDArray[np.int_]


@dataclass(frozen=True)
class Fit:
    """A filter that makes a sound (`aim`) from what another one (`source`) has at the same time."""

    aim: Samples
    source: Samples
    at: int  # where in the source the aim begins
    left: float
    filter: Wide
    offset: int  # sample of b less sample of a

    @property
    def beside(self) -> Wide:
        """What the source has at the same time as the aim, silence where it has nothing."""
        beside = np.zeros(len(self.aim))
        first, last = overlap(self.source, self.aim, -self.at)
        beside[first - self.at : last - self.at] = self.source[first:last]
        return beside

    def score(self) -> float:
        """By how much less it leaves than what fits best at any other moment, in [0, 1]."""
        made = _apply(self.source, self.filter)
        here, elsewhere = filtering.left_elsewhere(self.aim, made, self.at, NEAR)
        return 1 - here / elsewhere if here < elsewhere else 0.0

    def left_of_others(self) -> float:
        """What such a filter would leave of another take, in which each partial is as it likes.

        The filter can make as many partials as loud and as late as one likes as its taps are free
        for: of a beep or a bar all, of a string few. That is how much of partials, each a direction
        of its own, lies in the space of what filters make of those of the source (its hat matrix).
        """
        source, aim, phase = _partials(self.beside, self.aim)
        if not len(phase):
            return 0.0
        turns = np.exp(-1j * np.outer(phase, np.arange(-REACH, REACH + 1)))
        made = source[:, None] * np.vstack([turns.real, turns.imag]).reshape(2, *turns.shape)
        basis, strength, _ = np.linalg.svd(made.reshape(-1, turns.shape[1]), full_matrices=False)
        free = basis[:, strength > LOADING**0.5 * strength[0]]
        share = np.square(free).sum(axis=1).reshape(2, -1).mean(axis=0)
        return float((aim * (1 - share)).sum() / (aim.sum() + 1e-12))


def align(a: Samples, b: Samples, offset: int) -> tuple[int, float] | None:
    """Return the lag at which an equaliser makes all of one sound from the other, and its score.

    Parameters
    ----------
    a, b
        Waveforms.
    offset
        Sample of b less sample of a of the same moment, to within `alignment.SLACK`.

    Returns
    -------
    (lag, score) or None
        None where it does not, or where it fits nearly as well at another moment.
    """
    shorter, longer = sorted(map(len, (a, b)))
    if longer > LONGEST or shorter < max(MIN_LENGTH, SAME_LENGTH * longer):
        return None
    best = _best_fit(a, b, offset)
    if best is None or best.left > MOST_LEFT:
        return None
    if best.left_of_others() < max(LEAST_OTHER, OTHER_TAKE * best.left):
        return None
    score = best.score()
    return (best.offset, score) if score >= 1 - 1 / filtering.OTHER_MOMENT else None


def _best_fit(a: Samples, b: Samples, offset: int) -> Fit | None:
    """The filter of either sound, at any lag, that leaves least of the other."""
    best = None
    for lag in _highest_lags(a, b, offset):
        for fit in (_fit(a, b, lag, lag), _fit(b, a, -lag, lag)):
            best = fit if best is None or fit.left < best.left else best
        if best is None or best.left > HOPELESS:
            return None
    return best


def _highest_lags(a: Samples, b: Samples, offset: int) -> list[int]:
    """Where two waveforms correlate most, their low frequencies made less loud."""
    from scipy.signal import correlate

    first = max(0, len(a) - 1 + offset - SLACK)
    steep = (np.diff(side, prepend=0.0) for side in (b, a))
    height = np.abs(correlate(*steep, "full", "fft"))[first : len(a) + offset + SLACK]
    inner = height[1:-1]
    peaks = 1 + np.flatnonzero((inner >= height[:-2]) & (inner > height[2:]))
    highest = peaks[np.argsort(-height[peaks], kind="stable")][:LAGS]
    return [int(at) + first - len(a) + 1 for at in highest]


def _fit(source: Samples, aim: Samples, lag: int, offset: int) -> Fit:
    """The filter that leaves least of all that the aim has, `lag` samples later than the source.

    Of the source only what lies beside the aim is heard: it may be a part of it.
    """
    from scipy.linalg import solve_toeplitz

    fit = Fit(aim, source, -lag, 1.0, np.zeros(0), offset)
    x, y = (_spectrum(side) for side in (fit.beside, aim))
    own = _correlate(np.square(np.abs(x)), np.arange(2 * REACH + 1))
    cross = _correlate(np.conj(x) * y, np.arange(-REACH, REACH + 1))
    own[0] += LOADING * own[0] + 1e-12
    taps = solve_toeplitz(own, cross)
    energy = _correlate(np.square(np.abs(y)), np.zeros(1, int))[0] + 1e-12
    left = float(np.clip(1 - np.dot(taps, cross) / energy, 0.0, 1.0))
    return replace(fit, left=left, filter=taps)


def _spectrum(samples: Samples | Wide) -> npt.NDArray[np.complex128]:
    import scipy.fft

    size = scipy.fft.next_fast_len(len(samples) + ROOM, real=True)
    return np.asarray(scipy.fft.rfft(samples.astype(np.float64), size))


def _partials(source: Wide, aim: Samples) -> tuple[Wide, Wide, Wide]:
    """Amplitudes in the source and energy in the aim of all partials, and their warped phase."""
    from scipy.signal import find_peaks

    begin = int(np.argmax(np.abs(aim) > ONSET * np.abs(aim).max()))
    power = [np.square(np.abs(_spectrum(_ramp(side[begin:])))) for side in (source, aim)]
    power = [one / (one.sum() + 1e-12) for one in power]
    both = power[0] + power[1]
    apart = max(1, round(APART_HZ * 2 * len(both) / RATE))
    peaks, _ = find_peaks(np.pad(both, 1), height=FAINT * both.max(), distance=apart)
    peaks = peaks - 1
    edges = np.append(0, (peaks[1:] + peaks[:-1]) // 2)
    from_source, of_aim = (np.add.reduceat(one, edges) for one in power)
    phase = (_steps(len(both))[peaks] + 0.5) * np.pi / STEPS
    return np.sqrt(from_source), of_aim, phase


def _ramp(samples: Samples | Wide) -> Wide:
    """A sound that begins and ends softly."""
    length = min(RAMP, len(samples) // 2)
    rise = np.square(np.sin(np.arange(length) / max(1, length) * np.pi / 2))
    out = samples.astype(np.float64)
    out[:length] *= rise
    out[len(out) - length :] *= rise[::-1]
    return out


@lru_cache(8)
def _steps(bins: int) -> Ints:
    """On which step of the warped axis, the phase of an all-pass, each line of a spectrum lies."""
    angle = np.linspace(0, np.pi, bins)
    warped = angle + 2 * np.arctan2(WARP * np.sin(angle), 1 - WARP * np.cos(angle))
    return np.asarray(np.minimum((warped / np.pi * STEPS).astype(int), STEPS - 1))


def _correlate(spectrum: npt.NDArray[np.complexfloating | np.floating], lags: Ints) -> Wide:
    """The correlation of which that is the spectrum, at lags of the warped axis."""
    import scipy.fft

    steps = _steps(len(spectrum))
    power = np.zeros(2 * STEPS, np.complex128)
    power[:STEPS] = np.bincount(steps, spectrum.real, STEPS)
    power[:STEPS] += 1j * np.bincount(steps, spectrum.imag, STEPS)
    turned = scipy.fft.ifft(power)[lags] * np.exp(0.5j * np.pi / STEPS * lags)
    return np.asarray(4 * STEPS * turned.real)


def _apply(samples: Samples, taps: Wide) -> Wide:
    """A sound through a filter on the warped axis."""
    import scipy.fft

    spectrum = _spectrum(samples)
    # Each step stands for its middle, and the first tap is -REACH.
    half = np.pi / STEPS / 2
    response = scipy.fft.fft(taps * np.exp(-1j * half * np.arange(len(taps))), 2 * STEPS)[:STEPS]
    response *= np.exp(1j * half * REACH * (2 * np.arange(STEPS) + 1))
    size = scipy.fft.next_fast_len(len(samples) + ROOM, real=True)
    made = scipy.fft.irfft(spectrum * response[_steps(len(spectrum))], size)
    return np.asarray(made[: len(samples)])
