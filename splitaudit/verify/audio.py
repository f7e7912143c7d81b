"""Whether two sounds share a recording: the waveforms aligned, whitened and compared.

A recording and its copy agree in the *phase* of every part of the spectrum that survived, whatever
filter, gain or codec lies between them; two sounds that are only alike (one speaker, two showers of
rain) do not. So both waveforms are whitened (every frequency made equally loud, as in the
generalised cross-correlation of Knapp and Carter, 1976) and correlated around the offset the search
proposes. The peak must stand above every other lag: what repeats itself (a tone, a hum, an engine)
has many equal peaks and proves nothing.
"""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from splitaudit.verify import stretch
from splitaudit.verify.stretch import FRAME
from splitaudit.verify.whitening import RATE, Samples

Wide = npt.NDArray[np.float64]

NAME = "waveform-v2"
SLACK = 3_200  # samples to each side of the proposed offset where the peak may lie
LAGS = 4_800  # samples to each side among which it must be the highest
PEAK_WIDTH = 192  # samples to each side (12 ms) that belong to the peak: its filter, its room
BLOCK = 2 * RATE  # correlated at once: a jingle is not lost in it, nor chance found
LOOP = 20 * RATE  # looked through for repeats
BLURRED = 0.9  # <: of the peak; a block with a higher rival does not know its lag

FAINT = 0.06  # <=: correlation of a block that counts
DROWNED = 0.1  # of the power of the loudest moment: as loud as noise is taken to be

# Chosen on sounds by source that no benchmark reports on; see docs/audio.md.
MIN_SCORE = 0.72  # <=: 1 - rival / peak
MIN_ACTIVE_S = 0.1  # <=: sound that agrees, as opposed to silence, in the shared stretch
CLEAR = 0.85  # <=: asked of less sound than `SHORT_S`, and where only the loud moments are compared
SHORT_S = 0.4  # <
# <= in seconds: squared correlation times its duration. Of independent noise, sampled at 16 kHz, it
# is 1 / 16,000 on average; this is twelve standard deviations of the correlation.
MIN_CERTAINTY_S = 0.01
SPARSE = 0.02  # <: share of the time that holds all the energy: clicks
TICKS = 0.25  # >: of the peak, at any other lag, where the sound is sparse: a train of clicks
LOOPS = 0.6  # >: of the peak, where it is not: the same three times over


@dataclass(frozen=True)
class Proof:
    """What a comparison found, in seconds of each sound.

    Parameters
    ----------
    score
        In [0, 1]: how far the alignment stands above the best other one, beyond what an echo in the
        sound itself explains; 0 where nothing is shared.
    correlation
        Mean whitened correlation of the shared stretch, negative where polarity is inverted.
    gain_db
        Level of b over that of a in the shared stretch.
    a_start, a_end, b_start, b_end
        The shared stretch.
    coverage_a, coverage_b
        Its share of the sound, silence apart, of each side.
    accepted
        Whether it is a copy at the default thresholds.
    tempo
        Seconds of a for a second of b.
    pitch
        Frequency in b over that in a.
    """

    score: float
    correlation: float
    gain_db: float
    a_start: float
    a_end: float
    b_start: float
    b_end: float
    coverage_a: float
    coverage_b: float
    accepted: bool
    tempo: float = 1.0
    pitch: float = 1.0


@dataclass(frozen=True)
class Sound:
    """A sound made ready to be compared with many.

    Parameters
    ----------
    white
        Whitened waveform at 16 kHz, shape (n,); may be a memory map.
    levels
        Mean power of the waveform in each `FRAME`, shape (n // FRAME,).
    """

    white: Samples
    levels: npt.NDArray[np.float64]

    @cached_property
    def active(self) -> stretch.Mask:
        """Frames that are not silence."""
        return stretch.active(self.levels)

    @property
    def loud(self) -> _Loud:
        """The whitened waveform with each frame as loud as noise would let it through."""
        drowned = DROWNED * self.levels.max(initial=1e-12)
        return _Loud(self.white, np.sqrt(self.levels / (self.levels + drowned)))


@dataclass(frozen=True)
class _Loud:
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


def verify(a: Sound, b: Sound, offset_s: float) -> Proof | None:
    """Compare two sounds at one offset.

    Parameters
    ----------
    a, b
        The sounds.
    offset_s
        Time of b minus time of a of the same moment, to within `SLACK`.

    Returns
    -------
    Proof or None
        None where no stretch of the two correlates.
    """
    offset = round(offset_s * RATE)
    aligned = _align(a.white, b.white, offset)
    if aligned is None or aligned[1] < CLEAR:
        # Where noise drowns all but the loud moments, only those can tell how the sounds lie.
        loud = _align(a.loud, b.loud, offset)
        aligned = loud if loud and loud[1] >= CLEAR else aligned
    if aligned is None or np.subtract(*_overlap(a.white, b.white, aligned[0])) > -FRAME:
        return None
    return prove(a, b, *aligned)


def _overlap(a: Sized, b: Sized, offset: int) -> tuple[int, int]:
    """First and last (exclusive) sample of a that b has too."""
    return max(0, -offset), min(len(a), len(b) - offset)


def _align(a: Samples | _Loud, b: Samples | _Loud, offset: int) -> tuple[int, float] | None:
    """The lag around `offset` on which the stretches that correlate agree, and its score."""
    total, echo_a, echo_b = (np.zeros(2 * LAGS + 1) for _ in range(3))
    first, last = _overlap(a, b, offset)
    if last - first < FRAME:
        return None
    for start in range(first, max(first + 1, last - BLOCK // 4), BLOCK):
        x, y = (
            s[at : at + min(BLOCK, last - start)] for s, at in ((a, start), (b, start + offset))
        )
        correlation, weight = _correlate(x, _wide(b, start + offset, len(x)))
        height, rival, _ = _peak(correlation)
        # a block in which another lag is as good would only blur the sum
        if height >= FAINT and rival < BLURRED * height:
            total += correlation * weight
            echo_a += _correlate(x, _wide(a, start, len(x)))[0] * weight
            echo_b += _correlate(y, _wide(b, start + offset, len(y)))[0] * weight
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


def around(samples: Samples | _Loud, start: int, length: int) -> Samples:
    """Return a stretch of a sound that may begin before it or end after it: silence there."""
    inside = samples[max(0, start) : max(0, start + length)]
    before = min(length, max(0, -start))
    return np.pad(inside, (before, length - before - len(inside)))


def _wide(samples: Samples | _Loud, start: int, length: int) -> Samples:
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


def prove(a: Sound, b: Sound, offset: int, score: float) -> Proof:
    """Measure the shared stretch of two sounds aligned to the sample, and decide."""
    first = max(0, -offset), max(0, offset)
    white = a.white[first[0] :], b.white[first[1] :]
    sign, aligned = _facing((a, b), first, white)
    found = stretch.find(aligned)
    start, end = _samples(found, white)
    return Proof(
        score=float(np.clip(score, 0, 1)),
        correlation=sign * found.agreement,
        gain_db=_gain_db(aligned, found),
        a_start=(first[0] + start) / RATE,
        a_end=(first[0] + end) / RATE,
        b_start=(first[1] + start) / RATE,
        b_end=(first[1] + end) / RATE,
        coverage_a=_coverage(a.active, aligned.active_a, found.shared),
        coverage_b=_coverage(b.active, aligned.active_b, found.shared),
        accepted=_convinces(score, found)
        and not _repeats(white[0][start:end], white[1][start:end]),
    )


def _convinces(score: float, found: stretch.Stretch) -> bool:
    """Whether enough sound agrees, well enough, at one lag only."""
    active_s = (found.shared & found.sure).sum() * FRAME / RATE
    return (
        active_s >= MIN_ACTIVE_S
        and found.agreement**2 * active_s >= MIN_CERTAINTY_S
        and score >= (CLEAR if active_s < SHORT_S else MIN_SCORE)
    )


def _facing(
    sounds: tuple[Sound, Sound], first: tuple[int, int], white: tuple[Samples, Samples]
) -> tuple[float, stretch.Aligned]:
    """What two sounds have at the same time, and -1 where polarity is inverted."""
    agreement = stretch.agreement(*white)
    overlaps = [slice(at // FRAME, at // FRAME + len(agreement)) for at in first]
    active = [sound.active[overlap] for sound, overlap in zip(sounds, overlaps, strict=True)]
    power = [sound.levels[overlap] for sound, overlap in zip(sounds, overlaps, strict=True)]
    sign = -1.0 if agreement[active[0] | active[1]].sum() < 0 else 1.0
    return sign, stretch.Aligned(sign * agreement, active[0], active[1], power[0], power[1])


def _samples(found: stretch.Stretch, white: tuple[Samples, Samples]) -> tuple[int, int]:
    """Where the stretch begins and ends in the overlap, which ends within a frame."""
    length = min(map(len, white))
    return found.start * FRAME, length if found.end == length // FRAME else found.end * FRAME


def _gain_db(aligned: stretch.Aligned, found: stretch.Stretch) -> float:
    """Level of b over that of a where they agree."""
    a, b = (power[found.shared].sum() + 1e-12 for power in (aligned.power_a, aligned.power_b))
    return float(10 * np.log10(b / a))


def _coverage(whole: stretch.Mask, overlap: stretch.Mask, shared: stretch.Mask) -> float:
    """Share of the active frames of the whole that are shared ones of the overlap."""
    return float((overlap & shared).sum() / max(1, whole.sum()))


def _repeats(a: Samples, b: Samples) -> bool:
    """Whether a stretch fits at other lags too, however far: an alarm, a clock, a loop.

    What fits nearly as well at another lag does not say which moment is the copy of which. Of short
    events (clicks), which fit each other wherever two of them meet, less is enough. The ends are
    left out: whitened, the ends of a short tone are all there is of it.
    """
    import scipy.signal

    a, b = a[FRAME:-FRAME][:LOOP], b[FRAME:-FRAME][:LOOP]
    power = np.square(a, dtype=np.float64)
    sparse = power.sum() ** 2 < SPARSE * len(power) * np.square(power).sum()
    height = np.abs(scipy.signal.correlate(b, a, "full", "fft"))
    at = int(height.argmax())
    rest = np.abs(np.arange(len(height)) - at) > PEAK_WIDTH
    return bool(height[rest].max(initial=0.0) > (TICKS if sparse else LOOPS) * height[at])
