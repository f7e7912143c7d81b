"""What the mix of several channels hides: each channel, and their mean, held beside the mix."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

MIX = 0  # the view that is compared of each sound; channels count from 1, the mean follows them
# <: the share of the power of a view that the mix explains. Of two channels that have nothing in
# common, each explains half of their mean; ordinary stereo has far more in common.
EXPLAINED = 0.6
# >=: power of a channel, of the loudest, and of the mean: what is 20 dB lower is background, but
# a mean that is heard by itself was made louder.
HEARD, HEARD_MEAN = 0.01, 1e-4
MOST = 64  # views of one sound


@dataclass
class Hidden:
    """How much of each view the mix explains, of the windows that have passed by.

    Parameters
    ----------
    power, explained
        Of the channels and of their mean, shape (channels + 1,).
    """

    power: Floats = field(default_factory=lambda: np.zeros(0))
    explained: Floats = field(default_factory=lambda: np.zeros(0))

    def add(self, windows: Samples, mixed: Samples, mean: Samples) -> None:
        """Take note of windows, shape (windows, frames, channels), and of two mixes of them."""
        views = [*np.moveaxis(windows, 2, 0), mean]
        level = np.maximum(_products(mixed, mixed), 1e-30)
        power = np.array([_products(view, view).sum() for view in views])
        explained = np.array([(_products(view, mixed) ** 2 / level).sum() for view in views])
        if not len(self.power):
            self.power, self.explained = np.zeros_like(power), np.zeros_like(power)
        self.power += power
        self.explained += explained

    @property
    def views(self) -> list[int]:
        """The views that are heard, and of which the mix says too little."""
        heard = np.full(len(self.power), HEARD)
        heard[-1:] = HEARD_MEAN
        loud = self.power >= heard * self.power[:-1].max(initial=1e-30)
        apart = loud & (self.explained < EXPLAINED * self.power)
        return [int(view) + 1 for view in np.flatnonzero(apart)[:MOST]]


def take(block: Samples, view: int) -> Samples:
    """Return one view of a block of shape (frames, channels); not the mix. Shape (frames,)."""
    channels = block.shape[1]
    return block[:, view - 1] if view <= channels else block.mean(axis=1, dtype=np.float32)


def _products(one: Samples, other: Samples) -> Floats:
    found: Floats = np.einsum("wf,wf->w", one, other, dtype=np.float64)
    return found
