"""Whether a sound is another one played faster, higher, or both: the waveforms compared.

Where the speed was changed (a record, a resampled file), undoing it gives the waveform back, and
the ordinary proof decides. Where tempo or pitch alone was changed, the copy consists of pieces of
the original, some 30 to 60 ms long, joined where they fit (WSOLA; Verhelst and Roelands, 1993):
once the pitch is undone, each piece is the same to the sample and lies within some 20 ms of one
line. The pieces are put back on the time of the original, and proven as a waveform is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from splitaudit.audio.decode.sounds import gather
from splitaudit.audio.verify import alignment, likeness, spectrograms, waveform, windows
from splitaudit.audio.verify.extent import FRAME, Mask
from splitaudit.audio.verify.sound import Sound
from splitaudit.audio.verify.spectrograms import Floats, Line, Wide
from splitaudit.audio.verify.waveform import Proof
from splitaudit.audio.verify.whitening import RATE, Samples, chunks
from splitaudit.audio.verify.windows import SEARCH_LAGS, WINDOW, Fits, Ints

WINDOW_COUNT = 48  # windows of a span that tell the line
FIRST_WINDOWS = 16  # of them are looked at first, which settles most pairs of other sounds
SPAN_S = 4.0  # to each side of the moment, at first
BATCH_SAMPLES = 4 * RATE  # resampled, where windows lie close together
FINE_LAGS = 480  # samples (30 ms) to each side of a line not yet fitted
LAG_SPREAD_S = 0.003  # of lags that agree; pieces spread more, and count the less
INLIER_RESIDUAL_S = 0.02  # <: off the line, still a piece of a copy
MIN_INLIER_SHARE = 0.25  # <=: windows that fit, of those twice as far from the moment
EARLY_RIVAL_RATIO = 0.8  # <: of the peak, a rival about the moment; else no more is looked at
CONSTANT_SPEED_S = 1e-4  # <: off the line on the whole: no pieces, the speed was changed
MAX_TEMPO_DEVIATION = 0.02  # by this share pieces may lie about another tempo than was proposed
MAX_DRIFT = 2.0  # <: samples of the shorter sound by which an unchanged speed may seem to drift
SPEED_TOLERANCE = 0.003  # <: difference of tempo and pitch, as a share, likewise
BLOCK_WINDOWS = 32  # windows (2 s) judged together
MIN_CORRELATION = (
    windows.CHANCE_CORRELATION + 0.1
)  # <=: correlation of pieces that were free to choose their lags
MIN_AGREEING_SHARE = 0.25  # <=: windows of which a neighbour says the same
CLEAR_SCORE = 0.9  # <=: asked of stretches shorter (<) than
LONG_S = 2.0
END_TOLERANCE_S = 0.03  # <: from the end of b, within the spread of pieces, is its end


@dataclass(frozen=True)
class Points:
    """Moments of a and of b at which windows fit best, in s, and how high they correlate."""

    a_s: Wide
    b_s: Wide
    height: Wide

    @property
    def weight(self) -> Wide:
        """How much each tells of the line: what correlates by chance next to nothing."""
        return self.height**3 + 1e-12

    def residuals(self, line: Line) -> Wide:
        """Return by how much they are later in b than a line says, in s."""
        return self.b_s - line.at_b - (self.a_s - line.at_a) / line.tempo


def verify(a: Sound, b: Sound, moment: tuple[float, float], tempo: float) -> Proof | None:
    """Compare two sounds of which one may be played faster or slower, higher or lower.

    Parameters
    ----------
    a, b
        The sounds.
    moment
        When the same is heard in a and in b, in s, to within 50 ms.
    tempo
        Seconds of a for a second of b, to within 1.5 %.

    Returns
    -------
    Proof or None
        None where no stretch of the two correlates, or where the speed is unchanged, of which the
        ordinary proof tells. The score means the same as in `audio.verify`; chance, which at any
        line lets a window fit somehow, is taken off both sides (`windows.sharpness`).
    """
    line = spectrograms.align(a.white, b.white, moment, tempo)
    line = _fit_line(a, b, line) if line else None
    if line is None or _is_unscaled(line, moment, min(len(a.white), len(b.white))):
        return None
    return (
        _prove_resampled(a, b, line)
        if line.tempo == line.pitch
        else _prove_time_stretched(a, b, line)
    )


def _is_unscaled(line: Line, moment: tuple[float, float], length: int) -> bool:
    """Whether the ordinary proof has looked on this line: nothing drifts, and the lag is near."""
    drift = abs(line.tempo - 1) * length, abs(line.pitch - 1) * length
    lag_s = line.to_b(moment[0]) - moment[1]
    return max(drift) < MAX_DRIFT and abs(lag_s) * RATE < alignment.SLACK / 2


def _fit_line(a: Sound, b: Sound, line: Line) -> Line | None:
    """The line on which windows agree, as sure at its ends as at the moment."""
    starts = _window_starts(a, *_overlap(a, b, line, SPAN_S))
    if len(starts) < windows.MIN_WINDOWS or not _is_plausible(a, b, line, starts):
        return None
    about = windows.compare(a.white, b.white, line, starts, SEARCH_LAGS)
    if not windows.has_clear_peak(windows.pool_heights(about), EARLY_RIVAL_RATIO):
        return None
    line = replace(line, pitch=line.pitch / (1 + windows.drift(about, FINE_LAGS)))
    proposed, span = line.tempo, SPAN_S
    line = _refit_line(Points(*_locate_windows(about, line, starts)), line, proposed)
    while True:
        points = _collect_points(a, b, line, span)
        if not _has_outer_inliers(points, line, span / 2):
            return line
        line = _refit_line(points, line, proposed)
        if span >= max(abs(end_s - line.at_a) for end_s in _overlap(a, b, line)):
            return line
        span *= 2


def _is_plausible(a: Sound, b: Sound, line: Line, starts: Ints) -> bool:
    """Whether `FIRST_WINDOWS` windows, where there are more, fit best near a line."""
    if len(starts) < 2 * FIRST_WINDOWS:
        return True
    about = windows.compare(
        a.white, b.white, line, starts[:: len(starts) // FIRST_WINDOWS], SEARCH_LAGS
    )
    return windows.has_clear_peak(windows.pool_heights(about), blurred=1.0)


def _overlap(a: Sound, b: Sound, line: Line, span: float = np.inf) -> tuple[float, float]:
    """From when to when in a both are there, within a span of the moment."""
    start_s, end_s = max(0.0, line.to_a(0.0)), line.to_a(len(b.white) / RATE)
    end_s = min(len(a.white) / RATE, end_s)
    return max(start_s, line.at_a - span), min(end_s, line.at_a + span)


def _window_starts(a: Sound, start_s: float, end_s: float) -> Ints:
    """First samples of some `WINDOW_COUNT` windows of a that are heard, between two moments."""
    first = int(np.ceil(start_s * RATE / FRAME))
    last = int((end_s * RATE - WINDOW) // FRAME)
    heard = first + np.flatnonzero(a.active[first : max(first, last + 1)])
    return heard[:: max(2, len(heard) // WINDOW_COUNT)] * FRAME


def _collect_points(a: Sound, b: Sound, line: Line, span: float) -> Points:
    """What windows within a span say about the line."""
    columns = [(np.zeros(0), np.zeros(0), np.zeros(0))]
    for group in _group_windows(_window_starts(a, *_overlap(a, b, line, span))):
        about = windows.compare(a.white, b.white, line, group, FINE_LAGS)
        columns.append(_locate_windows(about, line, group))
    return Points(*map(np.concatenate, zip(*columns, strict=True)))


def _group_windows(starts: Ints) -> list[Ints]:
    """Windows that lie so close together that b is resampled once for them all."""
    groups = np.split(starts, np.flatnonzero(np.diff(starts // BATCH_SAMPLES)) + 1)
    return [group for group in groups if len(group)]


def _locate_windows(about: windows.Windows, line: Line, starts: Ints) -> tuple[Wide, Wide, Wide]:
    """When in a and in b the windows fit best, and how well."""
    lag, height = about.best(FINE_LAGS)
    a_s = (starts + WINDOW / 2) / RATE
    return a_s, line.to_b(a_s) + (lag - about.rest) / line.pitch / RATE, height


def _has_outer_inliers(points: Points, line: Line, inner: float) -> bool:
    """Whether windows beyond the inner part of a span belong to the line as well."""
    on_line = np.abs(points.residuals(line)) < INLIER_RESIDUAL_S
    outer = np.abs(points.a_s - line.at_a) > inner
    if outer.all() or not (on_line & ~outer).any():
        return False
    high = points.height >= 0.5 * np.median(points.height[on_line & ~outer])
    return not outer.any() or float((on_line & high)[outer].mean()) >= MIN_INLIER_SHARE


def _refit_line(points: Points, line: Line, proposed: float) -> Line:
    """The line through points: of one speed where they lie on it, else of about that tempo."""
    through = _regress_line(points, line, LAG_SPREAD_S)
    off = spectrograms.weighted_median(np.abs(points.residuals(through)), points.weight)
    if off < CONSTANT_SPEED_S and abs(through.tempo / line.pitch - 1) < SPEED_TOLERANCE:
        through = _regress_line(points, through, CONSTANT_SPEED_S)
        return replace(through, pitch=through.tempo)
    tempo = (
        np.clip(through.tempo / proposed, 1 - MAX_TEMPO_DEVIATION, 1 + MAX_TEMPO_DEVIATION)
        * proposed
    )
    return replace(through, tempo=float(tempo))


def _regress_line(points: Points, line: Line, spread_s: float) -> Line:
    """The line through points that spread so much about it."""
    times = points.a_s - line.at_a
    late, slope = spectrograms.robust_line(times, points.residuals(line), points.weight, spread_s)
    tempo = 1 / max(1 / line.tempo + slope, 1e-3)
    return Line(line.at_a, line.at_b + late, tempo, line.pitch)


def _prove_resampled(a: Sound, b: Sound, line: Line) -> Proof | None:
    """The ordinary proof, of what b has beside a at the speed of a."""
    start_s, end_s = (line.to_b(at_s) for at_s in (0.0, len(a.white) / RATE))
    margin = alignment.LAGS / RATE
    first = max(0, int((start_s - margin) * RATE / FRAME))
    last = max(first, int((end_s + margin) * RATE / FRAME) + 1)
    part = slice(first * FRAME, last * FRAME)
    samples, white = (gather(_resample(side[part], line.pitch)) for side in (b.samples, b.white))
    frames = first + (np.arange(len(white) // FRAME) + 0.5) / line.pitch
    beside = Sound(samples, white, _levels_at(b.levels, frames), b.cells)
    began = first * FRAME / RATE
    proof = waveform.verify(a, beside, (line.at_b - began) * line.pitch - line.at_a)
    if proof is None:
        return None
    times = [began + at_s / line.pitch for at_s in (proof.b_start, proof.b_end)]
    sharpness = _sharpness(a, b, line, proof) if proof.accepted else 1.0
    return replace(
        proof,
        score=min(proof.score, sharpness),
        accepted=_stands_out(proof) and sharpness >= likeness.MIN_SCORE,
        b_start=times[0],
        b_end=min(times[1], len(b.white) / RATE),
        coverage_b=proof.coverage_b * _active_share(b.active, first, last),
        tempo=line.tempo,
        pitch=line.pitch,
    )


def _sharpness(a: Sound, b: Sound, line: Line, proof: Proof) -> float:
    """How far windows of the stretch fit better at the line than elsewhere.

    With the pitch free to choose, a vowel can be made the same note as another, which fits it at
    every period; so here the sound's own repeats are no excuse.
    """
    heights = [
        windows.pool_heights(windows.compare(a.white, b.white, line, group, SEARCH_LAGS))
        for group in _group_windows(_window_starts(a, proof.a_start, proof.a_end))
    ]
    return windows.sharpness(np.concatenate(heights)) if heights else 0.0


def _resample(samples: Samples, pitch: float) -> Iterator[Samples]:
    """A waveform drawn out by a factor, piece by piece."""
    import soxr

    stream = soxr.ResampleStream(1.0, pitch, 1, dtype="float32")
    for piece in chunks(samples):
        yield stream.resample_chunk(np.ascontiguousarray(piece))
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _levels_at(levels: Wide, frames: Floats) -> Wide:
    """Levels at moments between frames, or beyond them."""
    return np.asarray(levels[np.clip(frames.astype(int), 0, len(levels) - 1)])


def _prove_time_stretched(a: Sound, b: Sound, line: Line) -> Proof | None:
    """The proof of what b has beside a, each piece of it put where a has it."""
    first, last = (int(at_s * RATE / FRAME) for at_s in _overlap(a, b, line))
    blocks: list[Fits] = []
    starts = np.arange(first * FRAME, last * FRAME, WINDOW)
    white = gather(_reassemble(a, b, line, starts, blocks))[: (last - first) * FRAME]
    blocks = [fits for fits in blocks if len(fits.starts) and windows.has_clear_peak(fits.heights)]
    if sum(len(fits.starts) for fits in blocks) < windows.MIN_WINDOWS:
        return None
    fits = windows.merge_fits(blocks)
    part = slice(first * FRAME, last * FRAME)
    ours = Sound(a.samples[part], a.white[part], a.levels[first:last], a.cells)
    frames = line.to_b((np.arange(first, last) + 0.5) * FRAME / RATE) * RATE / FRAME
    # No one filter is between a sound and its pieces, so none is fitted to the waveform of b.
    beside = Sound(white, white, _levels_at(b.levels, frames), b.cells)
    proof = waveform.prove(ours, beside, 0, windows.sharpness(fits.heights))
    accepted = _stands_out(proof) and _convinces(proof.correlation, fits)
    return _restore_times(replace(proof, accepted=accepted), a, b, line, (first, last))


def _stands_out(proof: Proof) -> bool:
    """Whether an accepted proof is more than a search of many speeds finds among words or hums."""
    return (
        proof.accepted
        and proof.loudness_db >= waveform.BACKGROUND_DB
        and (proof.score >= CLEAR_SCORE or proof.a_end - proof.a_start >= LONG_S)
    )


def _convinces(correlation: float, fits: Fits) -> bool:
    """Whether pieces fit better than by chance, and lie as the pieces beside them do."""
    return (
        abs(correlation) >= MIN_CORRELATION and windows.agreeing_share(fits) >= MIN_AGREEING_SHARE
    )


def _reassemble(
    a: Sound, b: Sound, line: Line, starts: Ints, blocks: list[Fits]
) -> Iterator[Samples]:
    """What b has at the moments of windows of a; notes how those that are heard fit."""
    for at in range(0, len(starts), BLOCK_WINDOWS):
        block = starts[at : at + BLOCK_WINDOWS]
        about = windows.compare(a.white, b.white, line, block, SEARCH_LAGS)
        lag, _ = about.best(FINE_LAGS)
        middles = block + WINDOW // 2
        heard = a.active[np.minimum(middles // FRAME, len(a.active) - 1)]
        places = line.to_b(middles / RATE) * line.pitch * RATE - about.rest + lag - middles
        blocks.append(Fits(windows.pool_heights(about)[heard], places[heard], block[heard]))
        yield about.cut(lag, 0, WINDOW).ravel()


def _restore_times(proof: Proof, a: Sound, b: Sound, line: Line, frames: tuple[int, int]) -> Proof:
    """A proof of what b has beside frames of a, in seconds of the sounds themselves."""
    began, length = frames[0] * FRAME / RATE, len(b.white) / RATE
    a_start, a_end = began + proof.a_start, began + proof.a_end
    b_start, b_end = line.to_b(a_start), line.to_b(a_end)
    b_start = 0.0 if b_start < END_TOLERANCE_S else b_start
    b_end = length if b_end > length - END_TOLERANCE_S else b_end
    beside = [int(line.to_b(frame * FRAME / RATE) * RATE / FRAME) for frame in frames]
    return replace(
        proof,
        a_start=a_start,
        a_end=a_end,
        b_start=b_start,
        b_end=b_end,
        coverage_a=proof.coverage_a * _active_share(a.active, *frames),
        coverage_b=proof.coverage_b * _active_share(b.active, *beside),
        tempo=line.tempo,
        pitch=line.pitch,
    )


def _active_share(active: Mask, first: int, last: int) -> float:
    """Share of the active frames that lie between two."""
    return float(active[max(0, first) : max(0, last)].sum() / max(1, active.sum()))
