"""How much faster and higher a sound plays than another: their spectrograms aligned.

On a logarithmic frequency axis a change of pitch is a shift, as a change of the moment is one in
time; so chunks of one spectrogram, correlated in two dimensions with what lies about the proposed
place of the other, tell both. This is no proof: it says where the waveforms are to be compared.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from splitaudit.audio.verify.whitening import RATE, Samples

Floats = npt.NDArray[Any]
Wide = npt.NDArray[np.float64]
Time = TypeVar("Time", float, Wide)

WINDOW = 1024  # 64 ms: 4 bins to the step of 0.5 % at the upper edge, where pitch is told best
HOP = 256
# of the frequency axis, in natural logarithms; a peak is told to a tenth of it
FREQUENCY_STEP = 0.005
LOWEST, HIGHEST = 200.0, 7_400.0
MAX_SHIFT = 14  # steps to each side: 7 %
CHUNK_FRAMES = 64  # frames (1 s) in which a wrong tempo of 1.5 % is no more than a hop
SPAN_S = 3.0  # to each side of the moment are looked through
MOMENT_ERROR_S = 0.08  # by so much the proposed moment may be wrong
TEMPO_ERROR = 0.016  # by this share the proposed tempo
MIN_SHARED_S = 2.5  # <: what both have tells the search little of the tempo; then others are tried,
TEMPO_OFFSETS = (-0.06, -0.03, 0.03, 0.06)  # so far from it,
MAX_TEMPO_CHANGE = 0.08  # <= from an unchanged one,
MIN_IMPROVEMENT = 1.1  # >: and taken where they fit so many times better
MIN_CHUNKS = 3  # <: chunks tell less of the tempo than was proposed
LAG_SPREAD_S = 0.008  # of the lags of chunks of one copy


@dataclass(frozen=True)
class Line:
    """How b runs along a.

    Parameters
    ----------
    at_a, at_b
        The same moment, in seconds of each sound.
    tempo
        Seconds of a for a second of b.
    pitch
        Frequency in b over that in a.
    """

    at_a: float
    at_b: float
    tempo: float
    pitch: float

    def to_a(self, b_s: Time) -> Time:
        """Return when in a what b has at `b_s` is heard."""
        return self.at_a + (b_s - self.at_b) * self.tempo

    def to_b(self, a_s: Time) -> Time:
        """Return when in b what a has at `a_s` is heard."""
        return self.at_b + (a_s - self.at_a) / self.tempo


def robust_line(x: Floats, y: Floats, weight: Floats, spread: float) -> tuple[float, float]:
    """Fit y = level + slope x where some of the points are anywhere.

    Parameters
    ----------
    x, y, weight
        Points, each of shape (n,), n > 0, and how much each counts.
    spread
        Of the good points about the line; others count less the farther off they are (Cauchy).

    Returns
    -------
    (level, slope)
        The slope is 0 where all points have one `x`.
    """
    level, slope = weighted_median(y, weight), 0.0
    for _ in range(10):  # reweighted least squares; it has converged by then
        w = weight / (1 + np.square((y - level - slope * x) / spread))
        x0, y0 = np.average(x, weights=w), np.average(y, weights=w)
        slope = float(np.sum(w * (x - x0) * (y - y0)) / (np.sum(w * np.square(x - x0)) + 1e-12))
        level = float(y0 - slope * x0)
    return level, slope


def weighted_median(values: Floats, weight: Floats) -> float:
    """Return the value below which half of the weight lies."""
    order = np.argsort(values)
    below = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(below, below[-1] / 2)])


def interpolate_peak(values: Floats, at: npt.NDArray[np.int_]) -> Floats:
    """Return where, between samples, rows of values peak near `at`, by a parabola.

    Parameters
    ----------
    values
        Shape (rows, n).
    at
        The highest sample of each row, shape (rows,).
    """
    rows, inner = np.arange(len(at)), np.clip(at, 1, values.shape[1] - 2)
    low, mid, high = (values[rows, inner + step] for step in (-1, 0, 1))
    bend = low - 2 * mid + high
    peaked = (bend < 0) & (inner == at)
    return at + np.where(peaked, (low - high) / 2 / np.where(peaked, bend, 1.0), 0.0)


def align(a: Samples, b: Samples, moment: tuple[float, float], tempo: float) -> Line | None:
    """Say how b runs along a near a moment.

    Parameters
    ----------
    a, b
        Whitened waveforms.
    moment
        The same moment in seconds of each, to within `MOMENT_ERROR_S`.
    tempo
        Seconds of a for a second of b, to within the share `TEMPO_ERROR`.

    Returns
    -------
    Line or None
        The best one; None where one of the two has nothing there.
    """
    start = max(0.0, moment[1] - SPAN_S)
    ours = _spectrogram(_cut(b, start, moment[1] + SPAN_S), 1.0)
    here = moment[0], moment[1] - start
    overlay = _overlay(a, ours, here, tempo)
    if _shared_s(a, b, moment) < MIN_SHARED_S:
        overlay = _better(overlay, [_overlay(a, ours, here, one) for one in _tried(tempo)])
    return overlay.line(moment) if overlay.pitch.any() else None


def _tried(tempo: float) -> list[float]:
    """Other tempos than the proposed one."""
    return [tempo + off for off in TEMPO_OFFSETS if abs(tempo + off - 1) <= MAX_TEMPO_CHANGE]


def _better(proposed: _Overlay, others: list[_Overlay]) -> _Overlay:
    """The best of other tempos where it fits much better than the proposed one."""
    best = max(others, key=lambda one: one.height)
    return best if best.height > MIN_IMPROVEMENT * proposed.height else proposed


def _shared_s(a: Samples, b: Samples, moment: tuple[float, float]) -> float:
    """Seconds about a moment that both have."""
    before, after = min(moment), min(len(a) / RATE - moment[0], len(b) / RATE - moment[1])
    return max(0.0, min(SPAN_S, before)) + max(0.0, min(SPAN_S, after))


def _overlay(a: Samples, ours: Samples, moment: tuple[float, float], tempo: float) -> _Overlay:
    """Lay the chunks of a spectrogram of b over what a has at the moment, at one tempo."""
    reach = SPAN_S * tempo * (1 + TEMPO_ERROR) + MOMENT_ERROR_S + WINDOW / RATE
    begin = max(0.0, moment[0] - reach)
    theirs = _spectrogram(_cut(a, begin, moment[0] + reach), tempo)
    here = Line(moment[0] - begin, moment[1], tempo, 1.0)
    edges = np.linspace(0, len(ours), max(1, round(len(ours) / CHUNK_FRAMES)) + 1).astype(int)
    parts = [slice(int(one), int(other)) for one, other in itertools.pairwise(edges)]
    return _Overlay(tempo, [_correlate_chunk(ours, theirs, here, part) for part in parts])


def _cut(samples: Samples, start_s: float, end_s: float) -> Samples:
    return samples[round(start_s * RATE) : max(0, round(end_s * RATE))]


def _spectrogram(samples: Samples, tempo: float) -> Samples:
    """Root magnitude over logarithmic frequency, each frame less its mean; (frames, bins).

    Frames are `tempo` times `HOP` apart, so that those of two sounds have the same distance.
    """
    import scipy.fft

    places = np.exp(np.arange(np.log(LOWEST), np.log(HIGHEST), FREQUENCY_STEP)) * WINDOW / RATE
    below = places.astype(int)
    above = (places - below).astype(np.float32)
    padded = np.pad(samples, WINDOW // 2)
    starts = np.arange(0, len(samples) + 1, HOP * tempo).astype(int)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[starts]
    taper = np.hanning(WINDOW).astype(np.float32)
    magnitude = np.abs(scipy.fft.rfft(frames * taper, axis=1))
    bins = np.sqrt(magnitude[:, below] * (1 - above) + magnitude[:, below + 1] * above)
    return np.asarray(bins - bins.mean(axis=1, keepdims=True))


@dataclass(frozen=True)
class _ChunkCorrelation:
    """A chunk of b shifted along a: the correlation at each lag and shift, and which those are.

    Parameters
    ----------
    from_moment_s
        When in b, counted from the moment, the middle of the chunk is.
    first_lag
        How many frames later than proposed a is looked at in the first row.
    surface
        Shape (lags a frame apart, shifts from -`MAX_SHIFT` to `MAX_SHIFT`).
    """

    from_moment_s: float
    first_lag: float
    surface: Floats


@dataclass(frozen=True)
class _Overlay:
    """Chunks of b shifted along a at one tempo."""

    tempo: float
    chunks: list[_ChunkCorrelation]

    @cached_property
    def pitch(self) -> Floats:
        """How well all fit at each shift."""
        return np.asarray(np.sum([chunk.surface.max(axis=0) for chunk in self.chunks], axis=0))

    @property
    def height(self) -> float:
        """How well all fit at the best shift."""
        return float(self.pitch.max())

    def line(self, moment: tuple[float, float]) -> Line:
        """The line on which they fit best."""
        best = int(self.pitch.argmax())
        shift = float(interpolate_peak(self.pitch[None], np.array([best]))[0]) - MAX_SHIFT
        late, slope = _fit_lags(self.chunks, best, self.tempo * HOP / RATE)
        pitch = float(np.exp(-shift * FREQUENCY_STEP))
        return Line(moment[0] + late, moment[1], self.tempo + slope, pitch)


def _correlate_chunk(ours: Samples, theirs: Samples, here: Line, part: slice) -> _ChunkCorrelation:
    """Correlate a chunk of b with what lies about its place in a, in time and frequency."""
    import scipy.fft

    chunk = ours[part]
    middle = (part.start + part.stop) / 2 * HOP / RATE
    reach = int(np.ceil((MOMENT_ERROR_S + TEMPO_ERROR * abs(middle - here.at_b)) * RATE / HOP))
    proposed = here.to_a(middle) / here.tempo * RATE / HOP - len(chunk) / 2
    first = round(proposed) - reach
    around = _padded_rows(theirs, first, len(chunk) + 2 * reach)
    shape = [
        scipy.fft.next_fast_len(n, real=True) for n in (len(around), chunk.shape[1] + MAX_SHIFT)
    ]
    cross = np.conj(scipy.fft.rfft2(chunk, shape)) * scipy.fft.rfft2(around, shape)
    found = scipy.fft.irfft2(cross, shape)[: 2 * reach + 1]
    surface = np.hstack([found[:, -MAX_SHIFT:], found[:, : MAX_SHIFT + 1]])
    return _ChunkCorrelation(middle - here.at_b, first - proposed, surface)


def _padded_rows(table: Samples, first: int, count: int) -> Samples:
    """Rows of a table that may begin before it or end after it."""
    inside = table[max(0, first) : max(0, first + count)]
    before = min(count, max(0, -first))
    return np.pad(inside, ((before, count - before - len(inside)), (0, 0)))


def _fit_lags(chunks: list[_ChunkCorrelation], shift: int, frame_s: float) -> tuple[float, float]:
    """By how much a is later than proposed, at the moment and more in every second of b."""
    lags, heights = [], []
    for chunk in chunks:
        column = chunk.surface[None, :, shift]
        peak = float(interpolate_peak(column, column.argmax(axis=1))[0])
        lags.append((chunk.first_lag + peak) * frame_s)
        heights.append(max(1e-9, float(column.max())))
    if len(chunks) < MIN_CHUNKS:
        return float(np.average(lags, weights=heights)), 0.0
    times = np.array([chunk.from_moment_s for chunk in chunks])
    late, slope = robust_line(times, np.array(lags), np.array(heights), LAG_SPREAD_S)
    return late, float(np.clip(slope, -TEMPO_ERROR, TEMPO_ERROR))
