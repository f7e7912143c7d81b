"""Which pictures are drawn, written, plotted or captured from a screen, and not photographed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BITS = 5  # of each channel that a colour is told by
COLOURS = 8  # the commonest colours, of which
# >= of the pixels of either picture, and of one of them, have one. Of 12 photographs and 10 changes
# of each, the highest share is 0.78, of one with few colours; pages, charts, flags and clocks have
# 0.84 and more, as JPEG too.
LEAST_SHARE, CLEAR_SHARE = 0.55, 0.75
SAMPLES = 50_000  # pixels that are counted, about

Pixels = npt.NDArray[np.uint8]


def common_share(pixels: Pixels) -> float:
    """Return which share of the pixels has one of the `COLOURS` commonest colours.

    Parameters
    ----------
    pixels
        RGB, uint8, shape (height, width, 3), of whatever size.
    """
    step = max(1, round((pixels.shape[0] * pixels.shape[1] / SAMPLES) ** 0.5))
    some = pixels[::step, ::step] >> (8 - BITS)
    red, green, blue = some.astype(np.int32).transpose(2, 0, 1)
    of = (red << 2 * BITS | green << BITS | blue).ravel()
    counts = np.bincount(of, minlength=1 << 3 * BITS)
    return float(np.sort(counts)[-COLOURS:].sum() / max(1, len(of)))


def are_drawn(a: float, b: float) -> bool:
    """Return whether two pictures are drawings, by what `common_share` returns of each."""
    return min(a, b) >= LEAST_SHARE and max(a, b) >= CLEAR_SHARE
