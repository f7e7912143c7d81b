"""Whether two sounds share a recording: the waveforms aligned, whitened and compared.

A recording and its copy agree in the *phase* of every part of the spectrum that survived, whatever
filter, gain or codec lies between them; two sounds that are only alike (one speaker, two showers of
rain) do not. So both waveforms are whitened (every frequency made equally loud, as in the
generalised cross-correlation of Knapp and Carter, 1976) and correlated around the offset the search
proposes. The peak must stand above every other lag: what repeats itself (a tone, a hum, an engine)
has many equal peaks and proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

NAME = "waveform-v1"
RATE = 16_000
WINDOW = 4096  # of the whitening; 0.26 s, which parts the harmonics of most voices
LEAKAGE = np.float32(1e-3)
NARROWEST = np.float32(0.02)  # share of the spectrum, in amplitude, of a moment that counts
QUIET = 1e-5  # amplitude of noise (-100 dBFS) that is not lifted
OVERLAP = 4  # windows at any moment, so that it matters little where they begin
SLACK = 1_600  # samples to each side of the proposed offset where the peak may lie
LAGS = 4_800  # samples to each side among which it must be the highest
PEAK_WIDTH = 80  # samples to each side (5 ms) that belong to the peak: its filter, its room
BLOCK = 2 * RATE  # correlated at once: a jingle is not lost in it, nor chance found
CHUNK = 64 * RATE  # whitened at once
LOOP = 20 * RATE  # looked through for repeats
FRAME = 320  # 20 ms; the resolution of the intervals
PATCH = 51  # frames (1 s) that must agree on the whole to count as shared
DYNAMIC_DB = 45.0  # below the loud parts lies silence
SILENCE = 10 ** (-75 / 20)  # amplitude; silence wherever it is
BLURRED = 0.9  # <: of the peak; a block with a higher rival does not know its lag

# Chosen on sounds by source that no benchmark reports on; see docs/audio.md.
MIN_PEAK = 0.10  # <=: the whitened correlation of a stretch, 1 for equal waveforms
MIN_SCORE = 0.60  # <=: 1 - rival / peak
MIN_ACTIVE_S = 0.4  # <=: sound, as opposed to silence, in the shared stretch
SPARSE = 0.01  # <: share of the time that holds all the energy: clicks
TICKS = 0.4  # >: of the peak, at any other lag, where the sound is sparse: a train of clicks
LOOPS = 0.6  # >: of the peak, where it is not: the same three times over


@dataclass(frozen=True)
class Proof:
    """What a comparison found, in seconds of each sound.

    Parameters
    ----------
    score
        In [0, 1]: how far the alignment stands above the best other one, 0 where nothing is shared.
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

    @property
    def active(self) -> npt.NDArray[np.bool_]:
        """Frames that are not silence: within `DYNAMIC_DB` of the loud ones."""
        if not len(self.levels):
            return np.zeros(0, bool)
        loud = float(np.percentile(self.levels, 95))
        return self.levels > max(loud * 10 ** (-DYNAMIC_DB / 10), SILENCE**2)


def chunks(samples: Samples) -> Iterator[Samples]:
    """Yield a sound in pieces that are whitened at once."""
    for start in range(0, len(samples), CHUNK):
        yield samples[start : start + CHUNK]


def levels(samples: Samples) -> npt.NDArray[np.float64]:
    """Return the mean power of each `FRAME`, shape (n // FRAME,)."""
    whole = samples[: len(samples) // FRAME * FRAME]
    frames = (piece.reshape(-1, FRAME) for piece in chunks(whole))
    power = [np.einsum("ij,ij->i", piece, piece, dtype=np.float64) for piece in frames]
    return np.concatenate([np.zeros(0), *power]) / FRAME


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
    aligned = _align(a.white, b.white, round(offset_s * RATE))
    if aligned is None or np.subtract(*_overlap(a.white, b.white, aligned[0])) > -FRAME:
        return None
    return _prove(a, b, *aligned)


def _overlap(a: Samples, b: Samples, offset: int) -> tuple[int, int]:
    """First and last (exclusive) sample of a that b has too."""
    return max(0, -offset), min(len(a), len(b) - offset)


@cache
def _taper() -> Samples:
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def whiten(samples: Samples) -> Samples:
    """Make every frequency equally loud, in windows of `WINDOW`; shape kept."""
    import scipy.fft

    hop = WINDOW // OVERLAP
    # Reflected: silence beyond the ends would give all sounds the same onset.
    ends = (WINDOW - hop, WINDOW + (-len(samples)) % WINDOW)
    padded = np.pad(samples, ends, "reflect" if len(samples) > 1 else "edge")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop]
    spectrum = scipy.fft.rfft(frames * _taper(), axis=1)
    magnitude = np.abs(spectrum)
    # What lies 60 dB below the strongest line stays there: it is the leakage of a tone, or nothing.
    magnitude += LEAKAGE * magnitude.max(axis=1, keepdims=True) + np.float32(QUIET * WINDOW**0.5)
    spectrum /= magnitude
    # A moment counts as much as another, however few frequencies it has: a tone's edge has all.
    breadth = np.sqrt(np.mean(np.square(np.abs(spectrum)), axis=1, keepdims=True))
    spectrum /= breadth + NARROWEST
    white = scipy.fft.irfft(spectrum, axis=1) * _taper()
    out = np.zeros(len(padded), np.float32)
    for phase in range(OVERLAP):
        run = white[phase::OVERLAP].ravel()[: len(out) - phase * hop]
        out[phase * hop : phase * hop + len(run)] += run
    return out[ends[0] : ends[0] + len(samples)]


def _align(a: Samples, b: Samples, offset: int) -> tuple[int, float] | None:
    """The lag around `offset` on which the stretches that correlate agree, and its score."""
    total = np.zeros(2 * LAGS + 1)
    first, last = _overlap(a, b, offset)
    if last - first < FRAME:
        return None
    for start in range(first, max(first + 1, last - BLOCK // 4), BLOCK):
        x = a[start : min(last, start + BLOCK)]
        correlation, weight = _correlate(x, _around(b, start + offset - LAGS, len(x) + 2 * LAGS))
        height, rival, _ = _peak(correlation)
        # a block in which another lag is as good would only blur the sum
        if height >= MIN_PEAK and rival < BLURRED * height:
            total += correlation * weight
    if not total.any():
        return None
    height, rival, lag = _peak(total)
    return offset + lag, 1 - rival / height


def _around(samples: Samples, start: int, length: int) -> Samples:
    """A stretch of a sound that may begin before it or end after it."""
    inside = samples[max(0, start) : max(0, start + length)]
    before = min(length, max(0, -start))
    return np.pad(inside, (before, length - before - len(inside)))


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


def _agreement(a: Samples, b: Samples) -> npt.NDArray[np.float64]:
    """Whitened correlation of each `FRAME` of two aligned stretches, in [-1, 1]."""
    cross, power_a, power_b = [], [], []
    whole = min(len(a), len(b)) // FRAME * FRAME
    for piece_a, piece_b in zip(chunks(a[:whole]), chunks(b[:whole]), strict=True):
        x, y = piece_a.reshape(-1, FRAME), piece_b.reshape(-1, FRAME)
        cross.append(np.einsum("ij,ij->i", x, y))
        power_a.append(np.einsum("ij,ij->i", x, x))
        power_b.append(np.einsum("ij,ij->i", y, y))
    if not cross:
        return np.zeros(0)
    energy = np.sqrt(np.concatenate(power_a) * np.concatenate(power_b), dtype=np.float64)
    # a silent frame, in which whitening has nothing to lift, counts as much as its energy
    usual = np.median(energy) if len(energy) else 0.0
    agreement: npt.NDArray[np.float64] = np.concatenate(cross) / np.maximum(
        energy, 0.1 * usual + 1e-9
    )
    return agreement


@dataclass(frozen=True)
class _Side:
    """One sound on the frames of the overlap, `first` being the sample where that begins."""

    active: npt.NDArray[np.bool_]  # of all its frames
    first: int
    frames: int  # of the overlap

    @classmethod
    def of(cls, sound: Sound, first: int, frames: int) -> _Side:
        return cls(sound.active, first, frames)

    @property
    def overlap(self) -> slice:
        return slice(self.first // FRAME, self.first // FRAME + self.frames)

    def coverage(self, shared: npt.NDArray[np.bool_]) -> float:
        """Share of the active frames of the whole that are `shared` frames of the overlap."""
        total = int(self.active.sum())
        return float((self.active[self.overlap] & shared).sum() / total) if total else 0.0


def _prove(a: Sound, b: Sound, offset: int, score: float) -> Proof:
    """Measure the shared stretch of two aligned sounds."""
    first = max(0, -offset), max(0, offset)
    white = a.white[first[0] :], b.white[first[1] :]
    agreement = _agreement(*white)
    sides = [_Side.of(s, at, len(agreement)) for s, at in zip((a, b), first, strict=True)]
    heard = np.logical_or(*(side.active[side.overlap] for side in sides))
    sign = -1.0 if agreement[heard].sum() < 0 else 1.0
    start, end, mean = _stretch(sign * agreement, heard)
    shared = _agreeing(sign * agreement, heard, mean)
    shared[:start] = shared[end:] = False
    length = min(map(len, white))
    begin_s, end_s = start * FRAME / RATE, (length if end == len(agreement) else end * FRAME) / RATE
    power = [
        s.levels[side.overlap][shared].sum() + 1e-12 for s, side in zip((a, b), sides, strict=True)
    ]
    enough = (shared & heard).sum() * FRAME >= MIN_ACTIVE_S * RATE
    stretch = slice(start * FRAME, end * FRAME)
    return Proof(
        score=float(np.clip(score, 0, 1)),
        correlation=sign * mean,
        gain_db=float(10 * np.log10(power[1] / power[0])),
        a_start=first[0] / RATE + begin_s,
        a_end=first[0] / RATE + end_s,
        b_start=first[1] / RATE + begin_s,
        b_end=first[1] / RATE + end_s,
        coverage_a=sides[0].coverage(shared),
        coverage_b=sides[1].coverage(shared),
        accepted=score >= MIN_SCORE
        and mean >= MIN_PEAK
        and bool(enough)
        and not _repeats(white[0][stretch], white[1][stretch]),
    )


def _repeats(a: Samples, b: Samples) -> bool:
    """Whether a stretch fits at other lags too, however far: an alarm, a clock, a loop.

    What fits nearly as well at another lag does not say which moment is the copy of which. Of short
    events (clicks), which fit each other wherever two of them meet, less is enough.
    """
    import scipy.signal

    a, b = a[:LOOP], b[:LOOP]
    power = np.square(a, dtype=np.float64)
    sparse = power.sum() ** 2 < SPARSE * len(power) * np.square(power).sum()
    height = np.abs(scipy.signal.correlate(b, a, "full", "fft"))
    at = int(height.argmax())
    rest = np.abs(np.arange(len(height)) - at) > PEAK_WIDTH
    return bool(height[rest].max(initial=0.0) > (TICKS if sparse else LOOPS) * height[at])


def _stretch(
    agreement: npt.NDArray[np.float64], heard: npt.NDArray[np.bool_]
) -> tuple[int, int, float]:
    """First and last (exclusive) frame of the shared stretch and its mean agreement.

    The stretch has the largest sum of agreement above half its own mean, which is where the
    likelihood of a change from agreeing to not agreeing is largest; silence counts for neither.
    """
    least, start, end, mean = MIN_PEAK / 2, 0, 0, 0.0
    for _ in range(2):
        total = np.concatenate([[0.0], np.cumsum(np.where(heard, agreement - least, 0.0))])
        end = int(np.argmax(total - np.minimum.accumulate(total)))
        start = int(np.argmin(total[: end + 1]))
        inside = agreement[start:end][heard[start:end]]
        mean = float(inside.mean()) if len(inside) else 0.0
        least = max(least, mean / 2)
    # Silence at either edge of the overlap belongs to the stretch it borders on.
    start = start if heard[:start].any() else 0
    end = end if heard[end:].any() else len(heard)
    return start, end, mean


def _agreeing(
    agreement: npt.NDArray[np.float64], heard: npt.NDArray[np.bool_], mean: float
) -> npt.NDArray[np.bool_]:
    """Frames in whose surroundings of `PATCH` the sounds agree: a patched-in second does not."""
    from scipy.ndimage import uniform_filter1d

    total = uniform_filter1d(np.where(heard, agreement, 0.0), PATCH, mode="constant")
    count = uniform_filter1d(heard.astype(float), PATCH, mode="constant")
    agreeing: npt.NDArray[np.bool_] = (total >= count * mean / 4) & (count > 0)
    return agreeing
