"""A sound made ready to be compared with many."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from splitaudit.audio.decode.levels import fitting_gain
from splitaudit.audio.decode.sounds import gather
from splitaudit.audio.verify import extent, information
from splitaudit.audio.verify.alignment import WeightedWaveform
from splitaudit.audio.verify.whitening import Samples, chunks, whiten

LOUD_PERCENTILE = 95  # of the levels of frames: what is loud in a sound
NOISE_LEVEL = 0.1  # of the power of the loudest moment: as loud as noise is taken to be


@dataclass(frozen=True)
class Sound:
    """A sound made ready to be compared with many.

    Parameters
    ----------
    samples
        Waveform at 16 kHz times `gain`, shape (n,); may be a memory map.
    white
        The same whitened.
    levels
        Mean power of the waveform in each `FRAME`, shape (n // FRAME,).
    cells
        How much there is in it, see `information.count`.
    gain
        By what the waveform was multiplied, so that its loudest moment is as loud as usual.
    """

    samples: Samples
    white: Samples
    levels: npt.NDArray[np.float64]
    cells: float
    gain: float = 1.0

    @cached_property
    def active(self) -> extent.Mask:
        """Frames that are not silence."""
        return extent.active_frames(self.levels)

    @cached_property
    def loud(self) -> float:
        """The level of what is loud in it."""
        return float(np.percentile(self.levels, LOUD_PERCENTILE))

    @property
    def nbytes(self) -> int:
        """What it takes of memory."""
        return self.samples.nbytes + self.white.nbytes

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
    return Sound(samples, white, extent.frame_power(samples), information.count(samples), gain)
