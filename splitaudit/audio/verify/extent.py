"""From where to where two aligned sounds agree: a change-point estimate on frames of 20 ms.

The stretch is that in which the frames agree as well as frames of their loudness do. Noise drowns
the quiet ones first: of those no agreement is expected, and they speak neither for the stretch nor
against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from splitaudit.audio.verify.whitening import RATE, Samples, chunks

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

FRAME = 320  # 20 ms; the resolution of the intervals
SMOOTHING_FRAMES = 51  # frames (1 s) that must agree on the whole to count as shared
DYNAMIC_RANGE_DB = 45.0  # below the loud parts lies silence
SILENCE = 10 ** (-75 / 20)  # amplitude; silence wherever it is
MIN_PEAK = 0.10  # <=: the whitened correlation of a stretch, 1 for equal waveforms
LOUDNESS_BINS = 8  # groups of frames, each with an agreement of its own to be expected
ITERATIONS = 3  # of looking for the stretch and for what to expect in it; it has converged by then
# frames of the best agreement missed are no evidence that a stretch ends there
TOLERATED_FRAMES = 3


@dataclass(frozen=True)
class Aligned:
    """What two sounds have at the same time, by frames of their overlap.

    Parameters
    ----------
    agreement
        Whitened correlation, in [-1, 1], shape (n,).
    active_a, active_b
        Whether each is heard, shape (n,).
    power_a, power_b
        Mean power of each, shape (n,).
    """

    agreement: Floats
    active_a: Mask
    active_b: Mask
    power_a: Floats
    power_b: Floats

    @property
    def either_active(self) -> Mask:
        """Whether either is heard."""
        return self.active_a | self.active_b


@dataclass(frozen=True)
class Stretch:
    """Where two sounds agree.

    Parameters
    ----------
    start, end
        First and last (exclusive) frame.
    agreement
        Mean of the frames that are `sure` to be shared.
    sure
        Frames that are heard, before silence and noise at either end are added. Shape (n,).
    shared
        Frames in whose surroundings of `SMOOTHING_FRAMES` they agree: a patched-in second does not.
        Shape (n,).
    """

    start: int
    end: int
    agreement: float
    sure: Mask
    shared: Mask

    @property
    def active_s(self) -> float:
        """Seconds of sound that agree, as opposed to silence."""
        return float((self.shared & self.sure).sum() * FRAME / RATE)


def frame_power(samples: Samples) -> Floats:
    """Return the mean power of each `FRAME`, shape (n // FRAME,)."""
    whole = samples[: len(samples) // FRAME * FRAME]
    frames = (piece.reshape(-1, FRAME) for piece in chunks(whole))
    power = [np.einsum("ij,ij->i", piece, piece, dtype=np.float64) for piece in frames]
    return np.concatenate([np.zeros(0), *power]) / FRAME


def active_frames(levels: Floats) -> Mask:
    """Return which frames are not silence: within `DYNAMIC_RANGE_DB` of the loud ones."""
    loud = float(np.percentile(levels, 95)) if len(levels) else 0.0
    return np.asarray(levels > max(loud * 10 ** (-DYNAMIC_RANGE_DB / 10), SILENCE**2))


def agreement(a: Samples, b: Samples) -> Floats:
    """Return the whitened correlation of each `FRAME` of two aligned waveforms, in [-1, 1]."""
    cross, power_a, power_b = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
    whole = min(len(a), len(b)) // FRAME * FRAME
    for piece_a, piece_b in zip(chunks(a[:whole]), chunks(b[:whole]), strict=True):
        x, y = piece_a.reshape(-1, FRAME), piece_b.reshape(-1, FRAME)
        cross.append(np.einsum("ij,ij->i", x, y))
        power_a.append(np.einsum("ij,ij->i", x, x))
        power_b.append(np.einsum("ij,ij->i", y, y))
    energy = np.sqrt(np.concatenate(power_a) * np.concatenate(power_b))
    # a silent frame, in which whitening has nothing to lift, counts as much as its energy
    least = 0.1 * np.median(energy) + 1e-9 if len(energy) else 1.0
    return np.asarray(np.concatenate(cross) / np.maximum(energy, least))


def find(aligned: Aligned) -> Stretch:
    """Return the stretch that two aligned sounds share, empty where they agree nowhere.

    Its ends are where the likelihood of a change from agreeing to not agreeing is largest: a frame
    of which an agreement `e` is expected adds `e * (agreement - e / 2)`, silence adds nothing.
    """
    expected = np.full(len(aligned.agreement), MIN_PEAK)
    for _ in range(ITERATIONS):
        evidence = _evidence(aligned, expected, 1 / 2)
        total = np.concatenate([[0.0], np.cumsum(evidence)])
        end = int(np.argmax(total - np.minimum.accumulate(total)))
        start = int(np.argmin(total[: end + 1]))
        inside = np.zeros(len(evidence), bool)
        inside[start:end] = aligned.either_active[start:end]
        if not inside.any():
            return Stretch(0, 0, 0.0, inside, inside)
        doubt = TOLERATED_FRAMES * expected.max() ** 2 / 2
        expected = _expected_agreement(aligned, inside)
    mean = float(aligned.agreement[inside].mean())
    # Up to the end of a sound, unless something speaks against it: copies are cut there.
    start = 0 if total[0] - total[start] <= doubt else start
    end = len(evidence) if total[end] - total[-1] <= doubt else end
    return Stretch(start, end, mean, inside, _shared_frames(aligned, expected, slice(start, end)))


def whole(aligned: Aligned) -> Stretch:
    """Return all that two aligned sounds have at the same time as what they share."""
    heard = aligned.either_active
    mean = float(aligned.agreement[heard].mean()) if heard.any() else 0.0
    return Stretch(0, len(heard), mean, heard, np.ones_like(heard))


def _evidence(aligned: Aligned, expected: Floats, share: float) -> Floats:
    """By how much each frame agrees better than a share of what is expected of it, weighted."""
    better = expected * (aligned.agreement - share * expected)
    return np.where(aligned.either_active, better, 0.0)


def _expected_agreement(aligned: Aligned, inside: Mask) -> Floats:
    """The agreement to be expected of each frame, from that of frames `inside` as loud as it."""
    gain = aligned.power_b[inside].sum() / max(aligned.power_a[inside].sum(), 1e-20)
    loudness = 10 * np.log10(np.maximum(aligned.power_a * gain, aligned.power_b) + 1e-12)
    ours, agreement = loudness[inside], aligned.agreement[inside]
    order, bins = np.argsort(ours), min(LOUDNESS_BINS, len(ours))
    # as `np.array_split` has them: the first few are larger by one
    many = len(ours) // bins + (np.arange(bins) < len(ours) % bins)
    starts = np.cumsum(many) - many
    means, at = (np.add.reduceat(of[order], starts) / many for of in (agreement, ours))
    return np.asarray(np.interp(loudness, at, np.maximum.accumulate(np.maximum(means, 0.0))))


def _shared_frames(aligned: Aligned, expected: Floats, stretch: slice) -> Mask:
    """Frames of the stretch in whose surroundings nothing speaks against an agreement."""
    from scipy.ndimage import uniform_filter1d

    around = uniform_filter1d(
        _evidence(aligned, expected, 1 / 4), SMOOTHING_FRAMES, mode="constant"
    )
    shared = np.zeros(len(around), bool)
    shared[stretch] = (
        around[stretch] >= -TOLERATED_FRAMES * expected.max() ** 2 / 4 / SMOOTHING_FRAMES
    )
    return shared
