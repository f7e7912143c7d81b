"""Local features of a picture, and how those of its mirror image and its negative follow from them.

See `features`, which finds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# How a picture can be seen: word k of a descriptor stands in the place that the reading gives it.
READINGS = ("plain", "mirrored", "negative", "mirrored negative")
_ORDER = ((0, 1, 2, 3), (1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0))

Codes = npt.NDArray[np.uint64]
Reals = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Features:
    """The local features of a picture.

    Parameters
    ----------
    points
        float32, shape (n, 2): x to the right and y downwards; the picture reaches from -1 to 1.
    scale
        float32, shape (n,): pixels of a picture whose shorter side has 300, 1 for the smallest.
    angle
        float32, shape (n,): radians, clockwise as one sees it.
    descriptors
        uint64, shape (n, 4): comparisons of 64 pairs of pixels, of their mirror images, of the
        pairs turned by half a circle, and of both.
    """

    points: Reals
    scale: Reals
    angle: Reals
    descriptors: Codes

    def __len__(self) -> int:
        return len(self.points)


# A feature as it is kept.
FEATURE = np.dtype(
    [("points", "<f4", 2), ("scale", "<f4"), ("angle", "<f4"), ("descriptors", "<u8", 4)]
)


def pack(features: Features) -> npt.NDArray[Any]:
    """Return features as one array of `FEATURE`."""
    rows = np.empty(len(features), FEATURE)
    for name in FEATURE.names or ():
        rows[name] = getattr(features, name)
    return rows


def unpack(codes: bytes) -> Features:
    """Return the features of such an array."""
    rows = np.frombuffer(codes, FEATURE)
    return Features(*(np.ascontiguousarray(rows[name]) for name in FEATURE.names or ()))


# Those of a picture of which none are known.
NO_FEATURES = Features(
    np.zeros((0, 2), np.float32),
    np.zeros(0, np.float32),
    np.zeros(0, np.float32),
    np.zeros((0, 4), np.uint64),
)


def transform_descriptors(descriptors: Codes, reading: int) -> Codes:
    """Return descriptors, shape (n, 4), as the mirror image or negative of their picture has them.

    A negative turns each corner by half a circle and every comparison round.

    Parameters
    ----------
    descriptors
        Of a picture.
    reading
        Position in `READINGS`.
    """
    ordered: Codes = np.ascontiguousarray(descriptors[:, _ORDER[reading]])
    return ~ordered if reading >= 2 else ordered


def transform_angles(angle: Reals, reading: int) -> Reals:
    """Return angles of features as the mirror image or negative of their picture has them."""
    mirrored = np.float32(np.pi) - angle if reading % 2 else angle
    return mirrored + np.float32(np.pi) if reading >= 2 else mirrored
