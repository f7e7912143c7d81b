"""Arrays of pixels: turned upright, made opaque, brought to 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

# < of the deviation on black: on white, nearly nothing is left of what is visible. A flat shape
# lighter than 240 is such a one.
HIDDEN = 1 / 16
# Largest value -> bits of whole numbers: 8 in a wider type, 12 of cameras and scanners, 16.
DEPTHS = ((1 << 8, 8), (1 << 12, 12), (1 << 16, 16))


def apply_orientation(pixels: Pixels, orientation: int) -> Pixels:
    """Turn pixels as the orientation tag of EXIF (1 to 8) says that they are to be shown."""
    if orientation > 4:  # 5 to 8: rows and columns are exchanged
        pixels = pixels.swapaxes(0, 1)
    mirrored = orientation in (2, 3, 6, 7)
    flipped = orientation in (3, 4, 7, 8)
    rows, columns = (
        slice(None, None, -1 if flipped else 1),
        slice(None, None, -1 if mirrored else 1),
    )
    return np.ascontiguousarray(pixels[rows, columns])


def flatness(pixels: Pixels) -> float:
    """Return the share of pixels whose value, in the first channel, is the most frequent one."""
    first = pixels if pixels.ndim == 2 else pixels[..., 0]
    return float(np.bincount(first.ravel()).max() / first.size)


def composite(layer: Pixels) -> Pixels:
    """Lay a transparent picture on white, or on black where nothing could be seen on white.

    Parameters
    ----------
    layer
        RGB multiplied by alpha, and alpha: shape (height, width, 4).

    Returns
    -------
    ndarray
        Shape (height, width, 3).
    """
    on_black = layer[..., :3]
    on_white = on_black + (255 - layer[..., 3:])
    return on_black if on_white.std() < HIDDEN * on_black.std() else on_white


def to_eight_bits(values: npt.NDArray[Any]) -> Pixels:
    """Scale a grey picture of more than 8 bits, or of real numbers, to 8 bits.

    Whole numbers keep their 8 highest bits of 8, 12 or 16, as many as the largest needs. Real
    numbers count from 0 to 1, or to 255 where their largest lies in the upper half of that. Other
    ranges (heights, radiances) are stretched.
    """
    if values.dtype.kind == "f":
        return _stretch_real(values)
    lowest, highest = int(values.min()), int(values.max())
    bits = next((bits for limit, bits in DEPTHS if highest < limit), None)
    if lowest < 0 or bits is None:
        return _stretch_real(values.astype(np.float64))
    return np.asarray(values >> (bits - 8), np.uint8)


def _stretch_real(values: npt.NDArray[np.floating]) -> Pixels:
    known = values[np.isfinite(values)]
    lowest, highest = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if lowest >= 0 and highest <= 1:
        lowest, highest = 0.0, 1.0
    elif lowest >= 0 and 128 <= highest <= 255:
        lowest, highest = 0.0, 255.0
    held = np.nan_to_num(values, nan=lowest, posinf=highest, neginf=lowest)
    scale = 255 / max(highest - lowest, 1e-30)
    return np.asarray(np.rint((held - lowest) * scale), np.uint8)
