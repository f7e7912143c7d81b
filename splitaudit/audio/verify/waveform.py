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
from functools import cached_property

import numpy as np
import numpy.typing as npt

from splitaudit.audio.decode.levels import fitting_gain
from splitaudit.audio.decode.sounds import gather
from splitaudit.audio.verify import extent
from splitaudit.audio.verify import information as cells
from splitaudit.audio.verify.alignment import PEAK_WIDTH, WeightedWaveform, align, overlap
from splitaudit.audio.verify.extent import FRAME
from splitaudit.audio.verify.whitening import RATE, Samples, chunks, whiten

Wide = npt.NDArray[np.float64]

NAME = "waveform-v3"
REPEAT_SAMPLES = 20 * RATE  # looked through for repeats
NOISE_LEVEL = 0.1  # of the power of the loudest moment: as loud as noise is taken to be

# Chosen on sounds by source that no benchmark reports on; see docs/audio.md.
MIN_SCORE = 0.72  # <=: 1 - rival / peak
MIN_ACTIVE_S = 0.1  # <=: sound that agrees, as opposed to silence, in the shared stretch
# <=: asked of less sound than `SHORT_S`, and where only the loud moments are compared
CLEAR_SCORE = 0.85
SHORT_S = 0.4  # <
# <= in seconds: squared correlation times its duration. Of independent noise, sampled at 16 kHz, it
# is 1 / 16,000 on average; this is twelve standard deviations of the correlation.
MIN_CERTAINTY_S = 0.01
# <: share of the time that holds all the energy: clicks; half as much in a sound
SPARSE_SHARE = 0.02
MANY_CELLS = 50.0  # of so many cells (<=), which holds more than clicks
# >: of the peak, at any other lag, where the sound is sparse: a train of clicks
CLICK_PEAK_RATIO = 0.25
LOOP_PEAK_RATIO = 0.6  # >: of the peak, where it is not: the same three times over
MIN_CELLS = 4.5  # <: cells of a sound that is like any other of its pitch; a copy of it must have
WHOLE_COVERAGE = 0.8  # <= of both sounds and
EQUAL_CORRELATION = 0.9  # <= of correlation: the same to the noise; or
EQUAL_SCORE = 0.94  # <= of score: the same to the very ends


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
    cells
        How much there is in it, see `cells.count`.
    gain
        By what the waveform was multiplied: `levels` are those of the product.
    """

    white: Samples
    levels: npt.NDArray[np.float64]
    cells: float
    gain: float = 1.0

    @cached_property
    def active(self) -> extent.Mask:
        """Frames that are not silence."""
        return extent.active_frames(self.levels)

    @property
    def weighted(self) -> WeightedWaveform:
        """The whitened waveform with each frame as loud as noise would let it through."""
        drowned = NOISE_LEVEL * self.levels.max(initial=1e-12)
        return WeightedWaveform(self.white, np.sqrt(self.levels / (self.levels + drowned)))


def prepare_sound(samples: Samples) -> Sound:
    """Make a sound ready to be compared.

    Parameters
    ----------
    samples
        Waveform at 16 kHz, shape (n,), float32; may be a memory map.
    """
    gain = fitting_gain(max((np.abs(piece).max() for piece in chunks(samples)), default=0.0))
    if gain != 1.0:
        samples = gather(piece * np.float32(gain) for piece in chunks(samples))
    white = gather(map(whiten, chunks(samples)))
    return Sound(white, extent.frame_power(samples), cells.count(samples), gain)


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
    if aligned is None or aligned[1] < CLEAR_SCORE:
        # Where noise drowns all but the loud moments, only those can tell how the sounds lie.
        loud = align(a.weighted, b.weighted, offset)
        aligned = loud if loud and loud[1] >= CLEAR_SCORE else aligned
    if aligned is None or np.subtract(*overlap(a.white, b.white, aligned[0])) > -FRAME:
        return None
    return prove(a, b, *aligned)


def prove(a: Sound, b: Sound, offset: int, score: float) -> Proof:
    """Measure the shared stretch of two sounds aligned to the sample, and decide."""
    first = max(0, -offset), max(0, offset)
    white = a.white[first[0] :], b.white[first[1] :]
    sign, aligned = _align_frames((a, b), first, white)
    found = extent.find(aligned)
    start, end = _stretch_bounds(found, white)
    coverage = (
        _coverage(a.active, aligned.active_a, found.shared),
        _coverage(b.active, aligned.active_b, found.shared),
    )
    return Proof(
        score=float(np.clip(score, 0, 1)),
        correlation=sign * found.agreement,
        gain_db=_gain_db(aligned, found),
        a_start=(first[0] + start) / RATE,
        a_end=(first[0] + end) / RATE,
        b_start=(first[1] + start) / RATE,
        b_end=(first[1] + end) / RATE,
        coverage_a=coverage[0],
        coverage_b=coverage[1],
        accepted=_has_enough_evidence(score, found)
        and (min(a.cells, b.cells) >= MIN_CELLS or _is_identical(score, found, coverage))
        and not _is_repetitive(white[0][start:end], white[1][start:end], (a, b)),
    )


def _is_identical(score: float, found: extent.Stretch, coverage: tuple[float, float]) -> bool:
    """Whether the whole of two sounds is the same to the noise in it, or to its very ends."""
    return min(coverage) >= WHOLE_COVERAGE and (
        found.agreement >= EQUAL_CORRELATION or score >= EQUAL_SCORE
    )


def _has_enough_evidence(score: float, found: extent.Stretch) -> bool:
    """Whether enough sound agrees, well enough, at one lag only."""
    active_s = (found.shared & found.sure).sum() * FRAME / RATE
    return (
        active_s >= MIN_ACTIVE_S
        and found.agreement**2 * active_s >= MIN_CERTAINTY_S
        and score >= (CLEAR_SCORE if active_s < SHORT_S else MIN_SCORE)
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


def _coverage(whole: extent.Mask, overlap: extent.Mask, shared: extent.Mask) -> float:
    """Share of the active frames of the whole that are shared ones of the overlap."""
    return float((overlap & shared).sum() / max(1, whole.sum()))


def _is_repetitive(a: Samples, b: Samples, sounds: tuple[Sound, Sound]) -> bool:
    """Whether a stretch fits at other lags too, however far: an alarm, a clock, a loop.

    What fits nearly as well at another lag does not say which moment is the copy of which. Of short
    events (clicks), which fit each other wherever two of them meet, less is enough, and the whole
    of the other sound is looked through. The ends are left out: whitened, the ends of a short tone
    are all there is of it.
    """
    import scipy.signal

    a, b = a[FRAME:-FRAME][:REPEAT_SAMPLES], b[FRAME:-FRAME][:REPEAT_SAMPLES]
    power = np.square(a, dtype=np.float64)
    share = SPARSE_SHARE if min(sound.cells for sound in sounds) < MANY_CELLS else SPARSE_SHARE / 2
    sparse = power.sum() ** 2 < share * len(power) * np.square(power).sum()
    other = sounds[1].white[:REPEAT_SAMPLES] if sparse else b
    height = np.abs(scipy.signal.correlate(other, a, "full", "fft"))
    at = int(height.argmax())
    rest = np.abs(np.arange(len(height)) - at) > PEAK_WIDTH
    return bool(
        height[rest].max(initial=0.0)
        > (CLICK_PEAK_RATIO if sparse else LOOP_PEAK_RATIO) * height[at]
    )
