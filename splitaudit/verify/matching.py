"""The map on which the local features of two photographs agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.compiled import compiled, popcount

FARTHEST = 64  # <= bits of 256 in which two features differ that are taken for one
DISTINCT = 0.9  # <= of the distance of the next best
TOLERANCE = 4.0  # pixels of 256, of features from their place under a map

Codes = npt.NDArray[np.uint64]
Points = npt.NDArray[np.float64]


@compiled
def matches(a: Any, b: Any) -> Any:
    """Return pairs of features that are each other's nearest, shape (m, 2), best first.

    Parameters
    ----------
    a, b
        Descriptors, uint64, shapes (n, 4).
    """
    far = np.int64(257)
    best_b, of_b = np.full(len(b), far), np.full(len(b), -1)
    first, second, of_a = np.full(len(a), far), np.full(len(a), far), np.full(len(a), -1)
    for i in range(len(a)):
        for j in range(len(b)):
            d = popcount(a[i, 0] ^ b[j, 0]) + popcount(a[i, 1] ^ b[j, 1])
            d += popcount(a[i, 2] ^ b[j, 2]) + popcount(a[i, 3] ^ b[j, 3])
            if d < first[i]:
                second[i], first[i], of_a[i] = first[i], d, j
            elif d < second[i]:
                second[i] = d
            if d < best_b[j]:
                best_b[j], of_b[j] = d, i
    found = np.empty((len(a), 2), np.int64)
    n = 0
    for i in np.argsort(first):
        j = of_a[i]
        if j >= 0 and of_b[j] == i and first[i] <= FARTHEST and first[i] <= DISTINCT * second[i]:
            found[n, 0], found[n, 1] = i, j
            n += 1
    return found[:n]


def agreed(a: Points, b: Points) -> tuple[Any, int]:
    """Return the map (3, 3) from points of a to those of b on which most agree, and how many do."""
    import cv2

    if len(a) < 4:
        return None, 0
    affine, inside = cv2.estimateAffine2D(
        a, b, method=cv2.USAC_MAGSAC, ransacReprojThreshold=TOLERANCE, maxIters=1000
    )
    count = 0 if affine is None else int(inside.sum())
    found = None if affine is None else np.vstack([affine, [0, 0, 1]])
    if len(a) >= 12:
        free, inside = cv2.findHomography(a, b, cv2.USAC_MAGSAC, TOLERANCE)
        if free is not None and inside.sum() > 1.1 * count:
            return free, int(inside.sum())
    return found, count
