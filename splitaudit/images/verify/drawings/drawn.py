"""Which pictures are drawn, written, plotted or captured from a screen, and not photographed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BITS = 5  # of each channel that a colour is told by
# Of a grey picture: there are fewer greys than colours, and half of a photograph has 8 of 32.
GREY_BITS = 6
MAX_TINT = 8  # <= levels between the channels of what is grey, on average
COLOURS = 8  # the commonest colours, of which
# >= of the pixels of either picture, and of one of them, have one. Of 12 photographs and 10 changes
# of each, the highest share is 0.78, of one with few colours; pages, charts, flags and clocks have
# 0.84 and more, as JPEG 0.58. Grey photographs, X-rays and faces have at most 0.54, pages 0.69.
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
    some = np.ascontiguousarray(pixels[::step, ::step]).reshape(-1, 3)
    tint = some.max(axis=1, initial=0) - some.min(axis=1, initial=255)
    if len(some) and tint.mean() <= MAX_TINT:
        of = some[:, 1] >> (8 - GREY_BITS)
    else:
        red, green, blue = (some >> (8 - BITS)).astype(np.int32).T
        of = red << 2 * BITS | green << BITS | blue
    return float(np.sort(np.bincount(of))[-COLOURS:].sum() / max(1, len(of)))


def are_drawn(a: float, b: float) -> bool:
    """Return whether two pictures are drawings, by what `common_share` returns of each."""
    return min(a, b) >= LEAST_SHARE and max(a, b) >= CLEAR_SHARE
