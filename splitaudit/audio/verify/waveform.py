"""Whether two sounds share a recording: the waveforms aligned, whitened and compared.

A recording and its copy agree in the *phase* of every part of the spectrum that survived, whatever
filter, gain or codec lies between them; two sounds that are only alike (one speaker, two showers of
rain) do not. So both waveforms are whitened (every frequency made equally loud, as in the
generalised cross-correlation of Knapp and Carter, 1976) and correlated around the offset the search
proposes. The peak must stand above every other lag: what repeats itself (a tone, a hum, an engine)
has many equal peaks and proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from splitaudit.audio.verify import equalising, extent
from splitaudit.audio.verify.alignment import align, overlap
from splitaudit.audio.verify.extent import FRAME
from splitaudit.audio.verify.likeness import (
    CLEAR_SCORE,
    FEW_CELLS,
    TAKE_S,
    Likeness,
    is_copy,
)
from splitaudit.audio.verify.sound import Sound
from splitaudit.audio.verify.whitening import RATE, Samples

NAME = "waveform-v5"
BACKGROUND_DB = -20.0  # <: level of what lies behind the sound: room tone, a hum


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
    loudness_db
        Level of the shared stretch below what is loud in the sound, of the side where it is louder.
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
    loudness_db: float
    accepted: bool
    tempo: float = 1.0
    pitch: float = 1.0


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
    aligned = align(a.white, b.white, offset)
    if not _may_be_takes(a, b) and (aligned is None or aligned[1] < CLEAR_SCORE):
        # Where noise drowns all but the loud moments, only those can tell how the sounds lie. Of
        # two words or hits, such a rest is no proof.
        loud = align(a.weighted, b.weighted, offset)
        aligned = loud if loud and loud[1] >= CLEAR_SCORE else aligned
    if aligned is None or np.subtract(*overlap(a.white, b.white, aligned[0])) > -FRAME:
        return None
    return prove(a, b, *aligned)


def verify_equalised(a: Sound, b: Sound, offset_s: float) -> Proof | None:
    """Compare two whole sounds as `equalising` does, for notes that whitening cannot align.

    Parameters and what is returned are those of `verify`; None where they are no copies.
    """
    aligned = equalising.align(a.samples, b.samples, round(offset_s * RATE))
    return prove(a, b, *aligned, whole=True) if aligned else None


def _may_be_takes(a: Sound, b: Sound) -> bool:
    """Whether one of two sounds is so short, and holds so little, that another take is like it."""
    return min(a.cells, b.cells) < FEW_CELLS and min(len(a.white), len(b.white)) < TAKE_S * RATE


def prove(a: Sound, b: Sound, offset: int, score: float, whole: bool = False) -> Proof:
    """Measure the shared stretch of two sounds aligned to the sample, and decide.

    Of two that are known to be copies it is the `whole` of what they have at the same time.
    """
    first = max(0, -offset), max(0, offset)
    white = a.white[first[0] :], b.white[first[1] :]
    sign, aligned = _align_frames((a, b), first, white)
    found = extent.whole(aligned) if whole else extent.find(aligned)
    start, end = _stretch_bounds(found, white)
    coverage = (
        _coverage(a.active, aligned.active_a, found.shared),
        _coverage(b.active, aligned.active_b, found.shared),
    )
    shared = [slice(at + start, at + end) for at in first]
    score = float(np.clip(score, 0, 1))
    likeness = Likeness(score, found.agreement, coverage, found.active_s, (a, b), tuple(shared))
    return Proof(
        score=score,
        correlation=sign * found.agreement,
        gain_db=_gain_db(aligned, found),
        a_start=shared[0].start / RATE,
        a_end=shared[0].stop / RATE,
        b_start=shared[1].start / RATE,
        b_end=shared[1].stop / RATE,
        coverage_a=coverage[0],
        coverage_b=coverage[1],
        loudness_db=_loudness_db((a, b), aligned, found),
        accepted=whole or is_copy(likeness, found),
    )


def _align_frames(
    sounds: tuple[Sound, Sound], first: tuple[int, int], white: tuple[Samples, Samples]
) -> tuple[float, extent.Aligned]:
    """What two sounds have at the same time, and -1 where polarity is inverted."""
    agreement = extent.agreement(*white)
    overlaps = [slice(at // FRAME, at // FRAME + len(agreement)) for at in first]
    active = [sound.active[overlap] for sound, overlap in zip(sounds, overlaps, strict=True)]
    power = [sound.levels[overlap] for sound, overlap in zip(sounds, overlaps, strict=True)]
    sign = -1.0 if agreement[active[0] | active[1]].sum() < 0 else 1.0
    return sign, extent.Aligned(sign * agreement, active[0], active[1], power[0], power[1])


def _stretch_bounds(found: extent.Stretch, white: tuple[Samples, Samples]) -> tuple[int, int]:
    """Where the stretch begins and ends in the overlap, which ends within a frame."""
    length = min(map(len, white))
    return found.start * FRAME, length if found.end == length // FRAME else found.end * FRAME


def _gain_db(aligned: extent.Aligned, found: extent.Stretch) -> float:
    """Level of b over that of a where they agree."""
    a, b = (power[found.shared].sum() + 1e-12 for power in (aligned.power_a, aligned.power_b))
    return float(10 * np.log10(b / a))


def _loudness_db(
    sounds: tuple[Sound, Sound], aligned: extent.Aligned, found: extent.Stretch
) -> float:
    """Level of the stretch relative to what is loud, of the side where it is louder."""
    if found.start == found.end:
        return 0.0
    shared = slice(found.start, found.end)
    levels = [
        power[shared].mean() / (sound.loud + 1e-12)
        for sound, power in zip(sounds, (aligned.power_a, aligned.power_b), strict=True)
    ]
    return float(10 * np.log10(max(levels) + 1e-12))


def _coverage(whole: extent.Mask, overlap: extent.Mask, shared: extent.Mask) -> float:
    """Share of the active frames of the whole that are shared ones of the overlap."""
    return float((overlap & shared).sum() / max(1, whole.sum()))
