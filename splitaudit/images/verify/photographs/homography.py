"""The map on which the local features of two photographs agree."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.engine.compiled import compiled, popcount

MAX_DISTANCE = 64  # <= bits of 256 in which two features differ that are taken for one
MAX_DISTANCE_RATIO = 0.9  # <= of the distance of the next best
TOLERANCE = 4.0  # pixels of 256, of features from their place under a map
# >= features that agree on a map, or it is not looked at; unlike pictures have 2 to 4
MIN_INLIERS = 5
MIN_HOMOGRAPHY_INLIERS = 12  # >= of them, or the map keeps parallels
# How far features may be off a map that only turns, moves and scales: of their distance, and of how
# they are turned and sized themselves.
MAX_OFFSET, MAX_TURN, MAX_LOG_SCALE = 0.1, math.radians(25), math.log(1.5)
MAX_SEEDS = 80  # of the best pairs of features, by two of which such maps are made
MIN_SEPARATION = 8.0  # >= pixels of two features that make one
ENOUGH_INLIERS = 0.6  # > of the features that agree: no better map is tried

Codes = npt.NDArray[np.uint64]
Points = npt.NDArray[np.float64]


@compiled
def match_descriptors(a: Any, b: Any) -> Any:
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
        if (
            j >= 0
            and of_b[j] == i
            and first[i] <= MAX_DISTANCE
            and first[i] <= MAX_DISTANCE_RATIO * second[i]
        ):
            found[n, 0], found[n, 1] = i, j
            n += 1
    return found[:n]


def estimate_homography(a: Points, b: Points, shape: Points, mirrored: bool) -> tuple[Any, int]:
    """Return the map (3, 3) from points of a to those of b on which most agree, and how many do.

    Parameters
    ----------
    a, b
        Points that belong together, shape (m, 2), those first that are most alike.
    shape
        How each feature of b, as it is seen, is turned against that of a, in radians, and the
        logarithm of how many times larger it is, shape (m, 2).
    mirrored
        Whether b is seen mirrored.
    """
    seen = b * np.array([-1.0, 1.0]) if mirrored else b
    inside = _similarity_inliers(a, seen, shape)
    count = int(inside.sum())
    return (_fit_homography(a[inside], b[inside]), count) if count >= MIN_INLIERS else (None, count)


def _fit_homography(a: Points, b: Points) -> Any:
    """The map that meets most points, one that keeps parallels where another is not much better."""
    import cv2

    affine, inliers = cv2.estimateAffine2D(
        a, b, method=cv2.USAC_MAGSAC, ransacReprojThreshold=TOLERANCE, maxIters=200
    )
    count = 0 if affine is None else int(inliers.sum())
    if len(a) >= MIN_HOMOGRAPHY_INLIERS:
        free, inliers = cv2.findHomography(a, b, cv2.USAC_MAGSAC, TOLERANCE, maxIters=200)
        if free is not None and inliers.sum() > 1.1 * count:
            return free
    return None if affine is None else np.vstack([affine, [0, 0, 1]])


@compiled
def _similarity_inliers(a: Any, b: Any, shape: Any) -> Any:
    """Which features agree with the map that turns, moves and scales as most of them do."""
    best, kept = 0, np.zeros(len(a), np.bool_)
    for i in range(1, min(len(a), MAX_SEEDS)):
        for j in range(i):
            turn, ratio = _similarity_from_pair(a, b, shape, i, j)
            if ratio == 0:
                continue
            inside = _find_inliers(a, b, shape, i, (turn, ratio))
            count = inside.sum()
            if count > best:
                best, kept = count, inside
        if best > ENOUGH_INLIERS * len(a):
            break
    return kept


@compiled
def _similarity_from_pair(a: Any, b: Any, shape: Any, i: int, j: int) -> tuple[float, float]:
    """By how much two features say that a is turned and sized; a size of 0 where they disagree."""
    ax, ay = a[i, 0] - a[j, 0], a[i, 1] - a[j, 1]
    bx, by = b[i, 0] - b[j, 0], b[i, 1] - b[j, 1]
    near, far = ax * ax + ay * ay, bx * bx + by * by
    if min(near, far) < MIN_SEPARATION * MIN_SEPARATION or not _has_same_pose(shape[i], shape[j]):
        return 0.0, 0.0
    turn = math.atan2(ax * by - ay * bx, ax * bx + ay * by)
    size = 0.5 * math.log(far / near)
    agree = (
        abs(size - shape[i, 1]) <= MAX_LOG_SCALE and _angle_between(turn, shape[i, 0]) <= MAX_TURN
    )
    return turn, math.exp(size) if agree else 0.0


@compiled
def _find_inliers(a: Any, b: Any, shape: Any, i: int, way: tuple[float, float]) -> Any:
    """Which features lie where a map through one of them has them, and are turned as that is."""
    turn, ratio = way
    c, s = ratio * math.cos(turn), ratio * math.sin(turn)
    inside = np.zeros(len(a), np.bool_)
    for k in range(len(a)):
        x, y = a[k, 0] - a[i, 0], a[k, 1] - a[i, 1]
        right, down = c * x - s * y - b[k, 0] + b[i, 0], s * x + c * y - b[k, 1] + b[i, 1]
        most = TOLERANCE * TOLERANCE + MAX_OFFSET * MAX_OFFSET * ratio * ratio * (x * x + y * y)
        inside[k] = right * right + down * down <= most and _has_same_pose(shape[k], shape[i])
    return inside


@compiled
def _has_same_pose(one: Any, other: Any) -> bool:
    """Whether two features are turned and sized alike."""
    return bool(
        abs(one[1] - other[1]) <= MAX_LOG_SCALE and _angle_between(one[0], other[0]) <= MAX_TURN
    )


@compiled
def _angle_between(one: float, other: float) -> float:
    """The angle between two directions."""
    turn = abs(one - other) % (2 * math.pi)
    return min(turn, 2 * math.pi - turn)
