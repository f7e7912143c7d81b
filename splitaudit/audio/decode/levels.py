"""How loud the channels of a file are, held against the steps in which the file can tell levels.

What is silent is not a matter of decibels: a file of floats tells a sensor's volts from nothing at
a ten thousandth of full scale, and one of 8 bits cannot tell a whisper from its own rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

FULL_SCALE = 1 << 23  # steps of the 24-bit scale
# <=: between the highest and the lowest sample of a silent channel. Dither (two triangular steps)
# covers four, wherever an offset of the converter puts them.
SILENT_STEPS = 4
QUIET = 0.01  # <: the peak of a sound that is made louder before it is compared
LOUDEST = 8.0  # >: of one that is made quieter: floats may hold anything


@dataclass
class Levels:
    """What is known of the samples that have passed by.

    Parameters
    ----------
    coarsest
        Bits of the coarsest step near zero that the coding may have: 16, unless it has fewer.
    lowest, highest
        Of each channel, shape (channels,).
    bits
        All samples on the 24-bit scale, joined by `or`: the last bit in use is the step.
    between
        Whether some samples lie between the steps of that scale, as floats may.
    """

    coarsest: int = 16
    lowest: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    highest: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    bits: int = 0
    between: bool = False

    def add(self, block: Samples, whole: Ints, exact: bool) -> None:
        """Take note of a block.

        Parameters
        ----------
        block
            Shape (frames, channels), frames > 0.
        whole
            The same on the 24-bit scale.
        exact
            Whether its samples lie on the steps of that scale.
        """
        channels = range(block.shape[1])  # one by one: numpy is slow along the long axis
        low = np.array([block[:, channel].min() for channel in channels])
        high = np.array([block[:, channel].max() for channel in channels])
        first = not len(self.lowest)
        self.lowest = low if first else np.minimum(self.lowest, low)
        self.highest = high if first else np.maximum(self.highest, high)
        self.bits |= int(np.bitwise_or.reduce(whole, axis=None))
        self.between |= not exact

    @property
    def peak(self) -> float:
        """The largest amplitude of any channel."""
        return float(np.abs([self.lowest, self.highest]).max(initial=0.0))

    @property
    def step(self) -> float:
        """By how much samples differ at least: 16 bits padded to 24 are still 16."""
        if self.between:
            return float(np.spacing(np.float32(self.peak)))
        widest = FULL_SCALE >> (self.coarsest - 1)
        return min(self.bits & -self.bits or widest, widest) / FULL_SCALE

    @property
    def silent(self) -> bool:
        """Whether each channel stays within what rounding and dither make of nothing."""
        spread = np.subtract(self.highest, self.lowest, dtype=np.float64)
        return float(spread.max(initial=0.0)) <= SILENT_STEPS * self.step

    @property
    def nothing(self) -> bool:
        """Whether each sample is about zero."""
        return self.peak <= SILENT_STEPS * self.step


@dataclass
class Moments:
    """Of samples that have passed by: how many, their sum, their energy, the largest of them."""

    samples: int = 0
    total: float = 0.0
    energy: float = 0.0
    peak: float = 0.0

    def add(self, piece: Samples) -> None:
        """Take note of samples, shape (n,)."""
        self.samples += len(piece)
        self.total += float(piece.sum(dtype=np.float64))
        self.energy += float(np.einsum("i,i->", piece, piece, dtype=np.float64))
        self.peak = max(
            self.peak, *(abs(float(x)) for x in (piece.max(initial=0), piece.min(initial=0)))
        )

    @property
    def power(self) -> float:
        """Mean power about the mean, which is the offset of a converter and no sound."""
        mean = self.total / max(1, self.samples)
        return max(0.0, self.energy / max(1, self.samples) - mean**2)


def fitting_gain(peak: float) -> float:
    """Return the power of two that brings a peak to between 1/4 and 1/2; 1 where it is loud enough.

    A sound that never exceeds `QUIET` is as good as any other, once it is as loud: what tells sound
    from silence and from the rounding of 16 bits takes it to be.
    """
    if peak == 0.0 or QUIET <= peak <= LOUDEST:
        return 1.0
    return float(2.0 ** np.clip(-np.ceil(np.log2(peak)) - 1, -130, 126))
