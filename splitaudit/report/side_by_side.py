"""Two pictures beside each other: the second as it lies on the first, and what differs."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt

LONGER_SIDE = 224  # pixels of the longer side
OUTSIDE_GREY = 128  # grey, where the other picture does not reach
DIFFERENCE_GAIN = 3.0  # times the difference is shown
JPEG_QUALITY = 85

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


def encode_comparison(one: Pixels, other: Pixels, homography: Floats) -> dict[str, dict[str, Any]]:
    """Return what the report holds of a pair of pictures: JPEG files of one size, as addresses.

    Parameters
    ----------
    one, other
        Shape (height, width, 3).
    homography
        Shape (3, 3): where a point of one lies in the other; edges at -1 and 1.

    Returns
    -------
    dict
        `one`; `other` as it lies on it; their `difference` apart from brightness and contrast,
        black where they are equal.
    """
    here = _grid(*one.shape[:2])
    ours, _ = _sample_colours(one, here)
    theirs, inside = _sample_colours(other, here @ homography.T)
    pictures = {
        "one": ours,
        "other": np.where(inside[..., None], theirs, OUTSIDE_GREY),
        "difference": np.where(inside[..., None], _difference(ours, theirs, inside), OUTSIDE_GREY),
    }
    return {name: {"src": _data_url(picture)} for name, picture in pictures.items()}


def _grid(height: int, width: int) -> Floats:
    """Points (x, y, 1) of a picture of these proportions, shape (rows, columns, 3)."""
    longer = max(height, width)
    rows, columns = (max(1, round(LONGER_SIDE * side / longer)) for side in (height, width))
    y, x = ((2 * np.arange(n) + 1) / n - 1 for n in (rows, columns))
    return np.stack(np.broadcast_arrays(x[None, :], y[:, None], 1.0), axis=-1)


def _sample_colours(picture: Pixels, points: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Colours of a picture at points, and which of them lie in it."""
    from scipy.ndimage import map_coordinates

    x, y = points[..., 0] / points[..., 2], points[..., 1] / points[..., 2]
    inside = (np.abs(x) <= 1) & (np.abs(y) <= 1) & (points[..., 2] > 0)
    height, width = picture.shape[:2]
    at = [(y + 1) * height / 2 - 0.5, (x + 1) * width / 2 - 0.5]
    channels = picture.transpose(2, 0, 1).astype(np.float64)
    colours = [map_coordinates(channel, at, order=1, mode="nearest") for channel in channels]
    return np.stack(colours, axis=-1), inside


def _difference(ours: Floats, theirs: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
    """How far colours differ once each channel of the second has the levels of the first."""
    fitted = np.empty_like(theirs)
    for channel in range(3):
        x, y = theirs[inside, channel], ours[inside, channel]
        spread = x.var() if len(x) else 0.0
        gain = ((x - x.mean()) * (y - y.mean())).mean() / spread if spread > 0 else 0.0
        fitted[..., channel] = gain * (theirs[..., channel] - x.mean()) + y.mean() if len(x) else 0
    return DIFFERENCE_GAIN * np.abs(ours - fitted)


def _data_url(picture: Floats) -> str:
    """A picture as the address of a JPEG file in itself."""
    from PIL import Image

    buffer = io.BytesIO()
    levels = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    Image.fromarray(levels).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
