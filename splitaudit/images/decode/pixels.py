"""Arrays of pixels: turned upright, made opaque, brought to 8 bits."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[Any]  # of more than 8 bits
Number = TypeVar("Number", bound=np.generic)

# < of the deviation on black: on white, nearly nothing is left of what is visible. A flat shape
# lighter than 240 is such a one.
HIDDEN = 1 / 16
# Bits of whole numbers that are used: 8 in a wider type, 12 of cameras and scanners, 16.
DEPTHS = (8, 12, 16)
# Between which shares of the values most of a picture lies; and how much is added to each side, of
# what lies between them, so that what is lighter or darker is still seen.
QUANTILES, BESIDE = (0.005, 0.995), 0.25
SAMPLE = 1 << 20  # values, about, that tell where most lie
USED = 0.25  # >= of a range that most of a picture fills, or what it fills is stretched
MAX_STRETCH = 256  # times: finer steps than these of 16 bits are noise
EXACT = 1e-3  # <= levels that real numbers are off whole ones by rounding


def apply_orientation(pixels: npt.NDArray[Number], orientation: int) -> npt.NDArray[Number]:
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


def to_eight_bits(values: Values) -> Pixels:
    """Scale a picture of more than 8 bits, or of real numbers, to 8 bits.

    Whole numbers keep their 8 highest bits of 8, 12 or 16, as many as the largest needs. Real
    numbers count from 0 to 1, or to 255 where their largest lies in the upper half of that. Where
    most of a picture fills little of such a range, and of all other ranges (heights, radiances),
    that little is stretched: one pixel that is saturated, or an edge that is none, darkens nothing.
    """
    plain = _plain_levels(values)
    if plain is not None and (_loses_nothing(values, plain) or _fills_range(values)):
        return plain
    lowest, highest = _usual_range(values)
    if values.dtype.kind != "f":
        highest = max(highest, lowest + 255)  # no step of one becomes more than one level
    elif plain is not None:
        highest = max(highest, lowest + _full_range(values)[1] / MAX_STRETCH)
    return _stretch(values, lowest, highest)


def holds_more(values: Values) -> bool:
    """Whether a picture holds more than its 8 bits tell, see `to_eight_bits`."""
    plain = _plain_levels(values)
    return plain is None or not _loses_nothing(values, plain)


def _plain_levels(values: Values) -> Pixels | None:
    """Values as levels of the range in which such are usually kept; None of an odd range."""
    bits = _depth(values)
    if bits is not None:
        return np.asarray(values >> (bits - 8), np.uint8)
    full = _full_range(values) if values.dtype.kind == "f" else (0.0, 0.0)
    return _stretch(values, *full) if full[1] else None


def _depth(values: Values) -> int | None:
    """Bits that whole numbers use; None where they are real or below zero, or more than 16."""
    if values.dtype.kind == "f" or values.min() < 0:
        return None
    return next((bits for bits in DEPTHS if values.max() < 1 << bits), None)


def _full_range(values: Values) -> tuple[float, float]:
    """From 0 to where the values of a picture may reach; to 0 of an odd range."""
    bits = _depth(values)
    if bits is not None:
        return 0.0, float(1 << bits)
    known = values[np.isfinite(values)]
    lowest, highest = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if lowest < 0 or 1 < highest < 128 or highest > 255:
        return 0.0, 0.0
    return 0.0, 1.0 if highest <= 1 else 255.0


def _loses_nothing(values: Values, plain: Pixels) -> bool:
    """Whether values are levels of 8 bits that were only written otherwise."""
    bits = _depth(values)
    if bits is None:
        levels = values * (255 / _full_range(values)[1])
        return bool((np.abs(levels - plain) <= EXACT).all())
    left = values & ((1 << (bits - 8)) - 1)
    return not left.any() or bool((left == plain >> (16 - bits)).all())


def _fills_range(values: Values) -> bool:
    lowest, highest = _usual_range(values, 0.0)
    return highest - lowest >= USED * _full_range(values)[1]


def _usual_range(values: Values, beside: float = BESIDE) -> tuple[float, float]:
    """Between which values most of a picture lies.

    The smallest and the largest are not counted: no data, padding and saturation are often half of
    a picture.
    """
    some = values.ravel()[:: max(1, values.size // SAMPLE)]
    known = some[np.isfinite(some)]
    if not known.size:
        return 0.0, 1.0
    within = known[(known > known.min()) & (known < known.max())]
    if not within.size:
        return float(known.min()), float(known.max())
    lowest, highest = np.quantile(within.astype(np.float64), QUANTILES)
    more = beside * (highest - lowest)
    return max(float(known.min()), lowest - more), min(float(known.max()), highest + more)


def _stretch(values: Values, lowest: float, highest: float) -> Pixels:
    held = np.nan_to_num(values.astype(np.float64), nan=lowest, posinf=highest, neginf=lowest)
    scale = 255 / max(highest - lowest, 1e-30)
    return np.asarray(np.rint(np.clip((held - lowest) * scale, 0, 255)), np.uint8)
