"""Whether all that differs between two drawings is a caption that was written on one of them."""

from __future__ import annotations

import numpy as np

from splitaudit.images.verify.drawings.differences import WINDOW, Differences
from splitaudit.images.verify.drawings.overlay import Mask

# <= of what both show is the band in which they differ; >= of their width, or height, it reaches
MAX_BAND, MIN_REACH = 0.3, 0.35
ONE_SIDED = 0.6  # >= of the windows that differ, in which the detail of one and the same is stronger
OTHER_SIDED = 0.1  # <= of them, in which that of the other is
MIN_CORNERS = 100  # >= windows outside of the band that are placed in both directions and agree


def is_captioned(found: Differences) -> bool:
    """Return whether what differs is a line that was written on one of two drawings.

    Print is added, and takes nothing away: a hand of a clock that was moved, another digit or
    another bar is missing at one place and too much at another.

    Parameters
    ----------
    found
        In what they differ.
    """
    changed = found.detail | _to_windows(found.level | found.chroma, found.detail.shape)
    rows, columns = np.nonzero(changed)
    if not len(rows):
        return False
    box = np.zeros_like(changed)
    box[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    seen = _to_windows(found.both, changed.shape)
    wide, high = (np.ptp(of) / max(1, np.ptp(np.nonzero(seen)[k])) for k, of in ((1, columns), (0, rows)))
    if box.sum() > MAX_BAND * seen.sum() or max(wide, high) < MIN_REACH:
        return False
    one, other = sorted(float((side & found.detail).sum()) for side in found.stronger)[::-1]
    windows = max(1, found.changed_windows)
    if one < ONE_SIDED * windows or other > OTHER_SIDED * windows:
        return False
    return int((found.corners & ~box).sum()) >= MIN_CORNERS


def _to_windows(pixels: Mask, shape: tuple[int, ...]) -> Mask:
    """Which windows have a pixel that is marked."""
    step = WINDOW // 2
    down, right = shape
    parts = pixels[: (down + 1) * step, : (right + 1) * step]
    padded = np.pad(parts, ((0, (down + 1) * step - parts.shape[0]), (0, (right + 1) * step - parts.shape[1])))
    return np.asarray(padded.reshape(down + 1, step, right + 1, step).any(axis=(1, 3))[1:, 1:])
