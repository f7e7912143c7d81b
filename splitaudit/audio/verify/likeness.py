"""Whether two sounds are more alike than two takes, two hits or two notes would be.

A stretch that holds hundreds of cells (see `information`) agrees with no other by chance. The fewer
there are, the better it must agree: two takes of a vowel, two hits of one drum or a note of one
synthesiser in two songs lie on each other, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from splitaudit.audio.verify import extent, filtering, information
from splitaudit.audio.verify.alignment import PEAK_WIDTH
from splitaudit.audio.verify.extent import FRAME
from splitaudit.audio.verify.sound import Sound
from splitaudit.audio.verify.whitening import RATE, Samples

REPEAT_SAMPLES = 20 * RATE  # looked through for repeats

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
TAKE_S = 1.0  # <: sound in the stretch: a word, a hit, a note. Another take of it may be as alike
# <: cells in it. With so few, what is alike takes a good score for a copy, or
FEW_CELLS = 150.0
SAME_SCORE = 0.96  # <= a score that no other take reaches, or
SAME_SHARE = 0.99  # <= what a short filter makes of the one, as a share of the other's energy, or
CLOSE_SCORE = 0.9  # <= both a score and
CLOSE_CORRELATION = 0.85  # <= a correlation, of which takes reach one at most
MIN_CELLS = 10.0  # <: so few that any other of its pitch is the same to a filter; a copy must have
WHOLE_COVERAGE = 0.8  # <= of both sounds and
EQUAL_CORRELATION = 0.9  # <= of correlation: the same to the noise; or that score
SMALL_COVERAGE = 0.5  # < on both sides: a note of one synthesiser may be in two songs; a copy has
PART_CELLS = 250.0  # <= cells, or that score
LOOP_SHARE = 0.9  # <= of the energy, of sounds that agree from their first to their last sample
LOOP_CELLS = 50.0  # <=: of a hum there is no such copy


@dataclass(frozen=True)
class Likeness:
    """In what two sounds are alike, and how much of it any other of their kind would be.

    Parameters
    ----------
    score, agreement, coverage
        As in `Proof`, without a sign.
    active_s
        Sound in the stretch, silence apart.
    sounds, shared
        The sounds, and the stretch of each, in samples.
    """

    score: float
    agreement: float
    coverage: tuple[float, float]
    active_s: float
    sounds: tuple[Sound, Sound]
    shared: tuple[slice, ...]

    def stretches(self, whitened: bool = False) -> list[Samples]:
        """Return what each has in the stretch."""
        return [
            (sound.white if whitened else sound.samples)[part]
            for sound, part in zip(self.sounds, self.shared, strict=True)
        ]

    @cached_property
    def cells(self) -> float:
        """How much there is in the stretch, see `information.count`."""
        return min(map(information.count, self.stretches()))

    @cached_property
    def explained(self) -> float:
        """How much of one a short filter makes of the other, see `filtering`."""
        return filtering.explained_share(*self.stretches())

    @property
    def spans_both(self) -> bool:
        """Whether it goes from the first to the last sample of both."""
        return all(
            part.start < FRAME and part.stop > len(sound.samples) - FRAME
            for sound, part in zip(self.sounds, self.shared, strict=True)
        )


def is_told_apart(likeness: Likeness) -> bool:
    """Whether two takes, two hits or two notes, or a part of a loop, would be less alike."""
    if likeness.score < SAME_SCORE and not _has_enough_cells(likeness):
        return False
    if likeness.cells < MIN_CELLS and not _is_identical(likeness):
        return False
    white = likeness.stretches(whitened=True)
    return _is_whole_loop(likeness) or not _is_repetitive(white[0], white[1], likeness.sounds)


def _has_enough_cells(likeness: Likeness) -> bool:
    """Whether so much agrees that another take would not: the less, the better it must."""
    if likeness.active_s >= TAKE_S:
        return True
    if max(likeness.coverage) < SMALL_COVERAGE and likeness.cells < PART_CELLS:
        return False
    if likeness.cells >= information.MAX_CELLS or likeness.explained >= SAME_SHARE:
        return True
    if likeness.cells >= FEW_CELLS:
        return likeness.score >= CLEAR_SCORE
    return likeness.score >= CLOSE_SCORE and likeness.agreement >= CLOSE_CORRELATION


def _is_identical(likeness: Likeness) -> bool:
    """Whether the whole of two sounds is the same to the noise in it, or to its very ends."""
    return min(likeness.coverage) >= WHOLE_COVERAGE and (
        likeness.agreement >= EQUAL_CORRELATION or likeness.score >= SAME_SCORE
    )


def _is_whole_loop(likeness: Likeness) -> bool:
    """Whether a loop agrees from end to end: then it does not matter that its bars agree too."""
    return (
        likeness.spans_both
        and likeness.score >= SAME_SCORE
        and likeness.cells >= LOOP_CELLS
        and likeness.explained >= LOOP_SHARE
    )


def has_enough_evidence(score: float, found: extent.Stretch) -> bool:
    """Whether enough sound agrees, well enough, at one lag only."""
    return (
        found.active_s >= MIN_ACTIVE_S
        and found.agreement**2 * found.active_s >= MIN_CERTAINTY_S
        and score >= (CLEAR_SCORE if found.active_s < SHORT_S else MIN_SCORE)
    )


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
