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

REPEAT_SAMPLES = 20 * RATE  # looked through for repeats, of another moment to each side

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
CLOSE_SCORE = 0.9  # <= both a score and
CLOSE_CORRELATION = 0.85  # <= a correlation, of which takes reach one at most
MIN_CELLS = 10.0  # <: so few that any other of its pitch is the same to a filter; a copy must have
GAIN_BITS = 24.0  # <=: that two sounds agree in when only their level may differ, or
FILTER_BITS = 150.0  # <= when a filter may lie between them; two plucks of a string agree in 90
NOISE_SLOPE = 0.2  # <= either way: of the rest with the sound, and
STEADY = 0.7  # <= nepers: the deviation of that rest; of other takes it is 0.79 and more. Or
ROOM_SLOPE = (
    0.5  # <= of a sound that holds most cells; of a bell that is hit anew 0.44, of takes 0.9
)
LEAST_EXPLAINED = 0.4  # <: of a word; its breath, made by one synthesiser, may be in another
LONG_EXPLAINED = 0.9  # <=: of what is longer than a word; a cymbal that is hit anew has less
WHOLE_COVERAGE = 0.8  # <= of both sounds and
EQUAL_CORRELATION = 0.9  # <= of correlation: the same to the noise; or that score
SMALL_COVERAGE = 0.5  # < on both sides: a note of one synthesiser may be in two songs; a copy has
LONG_PART_CELLS = 50.0  # <= where it is longer than `TAKE_S`: a held note has fewer. Else most
LOOP_SHARE = 0.9  # <= of the energy, of sounds that agree from their first to their last sample
LOOP_CELLS = 50.0  # <=: of a hum there is no such copy; or
LOOP_BITS = 40.0  # <= that two notes agree in, with
LOOP_LEFT = 10**-1.5  # <= share of the energy that a gain leaves


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

    def stretches(self, whitened: bool = False) -> tuple[Samples, Samples]:
        """Return what each has in the stretch."""
        a, b = (
            (sound.white if whitened else sound.samples)[part]
            for sound, part in zip(self.sounds, self.shared, strict=True)
        )
        return a, b

    @cached_property
    def cells(self) -> float:
        """How much there is in the stretch, see `information.count`."""
        return min(map(information.count, self.stretches()))

    @cached_property
    def _between(self) -> filtering.Between:
        return filtering.Between(*self.stretches())

    @cached_property
    def explained(self) -> float:
        """How much of one a short filter makes of the other, see `filtering`."""
        return self._between.explained

    @cached_property
    def gain_bits(self) -> float:
        """In how many bits they agree when only their level may differ."""
        return self._between.agreeing_bits(filtering.GAIN_REACH)

    @cached_property
    def loop_bits(self) -> float:
        """The same, where more may be left over, as of a loop that was recoded."""
        return self._between.agreeing_bits(filtering.GAIN_REACH, LOOP_LEFT)

    @cached_property
    def filter_bits(self) -> float:
        """In how many bits they agree when a filter may lie between them."""
        return self._between.agreeing_bits(filtering.REACH)

    @cached_property
    def rest_slope(self) -> float:
        """How what a filter leaves over follows the sound, see `filtering`."""
        return self._between.rest_slope

    @cached_property
    def rest_deviation(self) -> float:
        """How much the levels of that vary, see `filtering`."""
        return self._between.rest_deviation

    @cached_property
    def fits_once(self) -> bool:
        """Whether they fit at no other lag: they are no alarm, no clock and no loop."""
        white = self.stretches(whitened=True)
        return not _is_repetitive(white[0], white[1], self.sounds)

    @property
    def length(self) -> int:
        """Samples of the stretch."""
        return min(map(len, self.stretches()))

    @property
    def spans_both(self) -> bool:
        """Whether it goes from the first to the last sample of both."""
        return all(
            part.start < FRAME and part.stop > len(sound.samples) - FRAME
            for sound, part in zip(self.sounds, self.shared, strict=True)
        )


def is_copy(likeness: Likeness, found: extent.Stretch) -> bool:
    """Whether two sounds are the same but for a gain or a filter, or are told apart from others."""
    if _is_unchanged(likeness):
        return True
    if has_enough_evidence(likeness.score, found) and is_told_apart(likeness):
        return True
    if has_enough_evidence(likeness.score, found, MIN_SCORE) and _is_covered(likeness):
        return likeness.fits_once
    return found.active_s >= MIN_ACTIVE_S and _is_filtered(likeness) and likeness.fits_once


def _is_covered(likeness: Likeness) -> bool:
    """Whether all that differs lies over one of two sounds: noise, a room, another sound.

    Takes, hits and notes differ where they are loud.
    """
    if likeness.explained < LEAST_EXPLAINED or max(likeness.coverage) < SMALL_COVERAGE:
        return False
    if likeness.cells >= information.MAX_CELLS:
        return -NOISE_SLOPE <= likeness.rest_slope <= ROOM_SLOPE
    steady = abs(likeness.rest_slope) <= NOISE_SLOPE and likeness.rest_deviation <= STEADY
    return likeness.cells >= MIN_CELLS and steady


def _is_unchanged(likeness: Likeness) -> bool:
    """Whether a gain makes all of one sound from the other, and from no other moment of it.

    That is seen without whitening, of which the ends of a sound of a tenth of a second are made.
    """
    if not MIN_ACTIVE_S * RATE <= likeness.length <= filtering.LONGEST:
        return False  # next to nothing; or so much that whitening tells
    if max(likeness.coverage) < WHOLE_COVERAGE or likeness.gain_bits < GAIN_BITS:
        return False
    return _is_only_moment(likeness, PEAK_WIDTH)


def _is_only_moment(likeness: Likeness, near: int) -> bool:
    """Whether the shorter sound leaves more of every moment of the longer one that is not near."""
    shorter, longer = sorted(
        zip(likeness.stretches(), likeness.sounds, likeness.shared, strict=True),
        key=lambda side: len(side[1].samples),
    )
    first = max(0, longer[2].start - REPEAT_SAMPLES)
    around = longer[1].samples[first : longer[2].stop + REPEAT_SAMPLES]
    return filtering.fits_once(shorter[0], around, longer[2].start - first, near)


def is_told_apart(likeness: Likeness) -> bool:
    """Whether two takes, two hits or two notes, or a part of a loop, would be less alike."""
    if likeness.active_s < TAKE_S and likeness.explained < LEAST_EXPLAINED:
        return False
    if likeness.score < SAME_SCORE and not _has_enough_cells(likeness):
        return False
    if likeness.cells < MIN_CELLS and not _is_identical(likeness):
        return False
    return _is_whole_loop(likeness) or likeness.fits_once


def _is_filtered(likeness: Likeness) -> bool:
    """Whether a filter makes all of one sound from the other, which holds more than it."""
    return max(likeness.coverage) >= WHOLE_COVERAGE and likeness.filter_bits >= FILTER_BITS


def _has_enough_cells(likeness: Likeness) -> bool:
    """Whether so much agrees that another take would not: the less, the better it must."""
    long = likeness.active_s >= TAKE_S
    part = LONG_PART_CELLS if long else information.MAX_CELLS
    if max(likeness.coverage) < SMALL_COVERAGE and likeness.cells < part:
        return False
    if long and (likeness.cells >= FEW_CELLS or likeness.explained >= LONG_EXPLAINED):
        return True
    return _agrees_well(likeness)


def _agrees_well(likeness: Likeness) -> bool:
    if likeness.cells >= information.MAX_CELLS:
        return True
    if likeness.cells >= FEW_CELLS:
        clear = likeness.score >= CLOSE_SCORE or likeness.rest_slope <= ROOM_SLOPE
        return likeness.score >= CLEAR_SCORE and clear
    return likeness.score >= CLOSE_SCORE and likeness.agreement >= CLOSE_CORRELATION


def _is_identical(likeness: Likeness) -> bool:
    """Whether the whole of two sounds is the same to the noise in it, or to its very ends."""
    return min(likeness.coverage) >= WHOLE_COVERAGE and (
        likeness.agreement >= EQUAL_CORRELATION or likeness.score >= SAME_SCORE
    )


def _is_whole_loop(likeness: Likeness) -> bool:
    """Whether a loop agrees from end to end: then it does not matter that its bars agree too."""
    if not likeness.spans_both or likeness.score < SAME_SCORE or likeness.explained < LOOP_SHARE:
        return False
    return likeness.cells >= LOOP_CELLS or _is_one_note(likeness)


def _is_one_note(likeness: Likeness) -> bool:
    """Whether a gain makes one from the other, and a quarter of it later from no other moment.

    A plucked string repeats in each period; a train of clicks, an alarm or a hum does so anywhere.
    """
    return likeness.loop_bits >= LOOP_BITS and _is_only_moment(likeness, likeness.length // 4)


def has_enough_evidence(
    score: float, found: extent.Stretch, short_score: float = CLEAR_SCORE
) -> bool:
    """Whether enough sound agrees, well enough, at one lag only."""
    return (
        found.active_s >= MIN_ACTIVE_S
        and found.agreement**2 * found.active_s >= MIN_CERTAINTY_S
        and score >= (short_score if found.active_s < SHORT_S else MIN_SCORE)
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
