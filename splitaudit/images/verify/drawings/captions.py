"""Whether all that differs between two drawings is a caption that was written on one of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from splitaudit.images.verify.drawings.differences import WINDOW, Differences
from splitaudit.images.verify.drawings.overlay import Mask

# Of what both show: <= of its height, and >= of its width, that a caption takes. The
# arms on two flags are as high as they are wide.
MAX_HEIGHT, MIN_WIDTH = 0.25, 0.35
ONE_SIDED = 0.6  # >= of the windows that differ, in which the detail of one of both is stronger
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
    changed = found.detail | _to_windows(found.recoloured, found.detail.shape)
    rows, columns = np.nonzero(changed)
    if not len(rows):
        return False
    box = np.zeros_like(changed)
    box[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    seen = _to_windows(found.over.both, changed.shape)
    if _reach(rows, seen, 1) > MAX_HEIGHT or _reach(columns, seen, 0) < MIN_WIDTH:
        return False
    one, other = sorted(float((side & found.detail).sum()) for side in found.stronger)[::-1]
    windows = max(1, found.changed_windows)
    if one < ONE_SIDED * windows or other > OTHER_SIDED * windows:
        return False
    return int((found.corners & ~box).sum()) >= MIN_CORNERS


def _reach(places: npt.NDArray[np.int64], seen: Mask, axis: int) -> float:
    """Which share of what is seen some rows (axis 1) or columns (axis 0) reach over."""
    return float((places.max() - places.min()) / max(1, int(np.any(seen, axis=axis).sum())))


def _to_windows(pixels: Mask, shape: tuple[int, ...]) -> Mask:
    """Which windows have a pixel that is marked."""
    step = WINDOW // 2
    down, right = ((side + 1) * step for side in shape)
    parts = np.zeros((down, right), bool)
    high, wide = min(down, pixels.shape[0]), min(right, pixels.shape[1])
    parts[:high, :wide] = pixels[:high, :wide]
    cells = np.any(parts.reshape(shape[0] + 1, step, shape[1] + 1, step), axis=(1, 3))
    return np.asarray(np.asarray(cells)[1:, 1:], bool)
