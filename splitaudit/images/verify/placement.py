"""Where one photograph lies in another: coordinates, what both show, and that in words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from splitaudit.images.verify.photographs.overlay import Grey, Map

LIGHT_LEVEL = 2  # level at which grey levels are compared
SIMPLIFY_TOLERANCE = 0.75  # pixels of the first level, <=: that a map is moved to be simpler
FULL_COVERAGE = 0.97  # <: share of a picture in the other that is told
MIN_ROTATION = 1.0  # degrees, >: told
MIN_STRETCH = 0.03  # >: change of proportions that is told
# >: of the size, by which the corners lie off a map that keeps parallels; told
MIN_PERSPECTIVE = 0.02
FIT_SAMPLES = 2_000  # pixels of which grey levels are fitted
TRIM_ROUNDS, OUTLIER_FACTOR = 4, 3.0  # times that they are; <= typical differences, of those kept
# >: change of contrast, as a share, and of brightness, of 255, that are told
MIN_CONTRAST, MIN_BRIGHTNESS = 0.1, 8.0
# By whether it is mirrored and by quarters of a turn clockwise; as `image_hash.ORIENTATIONS`.
ORIENTATION_NAMES = (
    ("", "rot270", "rot180", "rot90"),
    ("mirror", "transverse", "flip", "transpose"),
)

Size = tuple[int, int]  # width and height in pixels
Points = npt.NDArray[np.float64]


def to_pixels(points: npt.NDArray[np.float32], size: Size) -> Points:
    """Return points of a picture that reaches from -1 to 1 as pixels, shape (n, 2)."""
    from_middle: Points = points.astype(np.float64) * np.array(size) / 2
    return from_middle + (np.array(size) - 1) / 2


def _pixel_matrix(size: Size) -> Map:
    width, height = size
    return np.array([[width / 2, 0, (width - 1) / 2], [0, height / 2, (height - 1) / 2], [0, 0, 1]])


def inverse(homography: Map) -> Map:
    """Return the map of b to a."""
    return np.asarray(np.linalg.inv(homography), np.float64)


def normalise(homography: Map, a: Size, b: Size) -> Map:
    """Return a map of pixels as one of pictures that reach from -1 to 1."""
    found: Map = inverse(_pixel_matrix(b)) @ homography @ _pixel_matrix(a)
    return np.asarray(found / found[2, 2], np.float64)


def denormalise(homography: Map, a: Size, b: Size) -> Map:
    """Return a map of pictures that reach from -1 to 1 as one of pixels."""
    found: Map = _pixel_matrix(b) @ homography @ inverse(_pixel_matrix(a))
    return np.asarray(found / found[2, 2], np.float64)


def magnification(homography: Map, a: Size, b: Size) -> float:
    """Return how many times larger b shows the middle of a; maps as of `normalise`."""
    linear = _middle_jacobian(denormalise(homography, a, b), a)
    return float(np.sqrt(abs(np.linalg.det(linear))))


def orientation_homography(orientation: int, a: Size, b: Size) -> Map:
    """Return the map of pixels by which all of a, in an orientation, is all of b."""
    turn = np.eye(3)
    turn[:2, :2] = _pixel_turn(orientation)
    found: Map = _pixel_matrix(b) @ turn @ np.linalg.inv(_pixel_matrix(a))
    return found


def nearest_orientation(homography: Map, a: Size) -> int:
    """Return the orientation that comes nearest to a map of pixels, see `orientation_homography`.

    Parameters
    ----------
    homography
        Where a pixel of a lies in another picture.
    a
        Size of a.
    """
    linear = _middle_jacobian(homography, a)
    turns = [_pixel_turn(orientation) for orientation in range(8)]
    return int(np.argmax([(turn * linear).sum() for turn in turns]))


def _pixel_turn(orientation: int) -> Map:
    """Turn of an orientation, shape (2, 2)."""
    transposed, flipped, mirrored = orientation & 4, orientation & 2, orientation & 1
    turn = np.array([[0.0, 1.0], [1.0, 0.0]]) if transposed else np.eye(2)
    return np.asarray(np.diag([-1.0 if mirrored else 1.0, -1.0 if flipped else 1.0]) @ turn)


def project(homography: Map, points: Points) -> Points:
    """Return where points, shape (n, 2), lie."""
    moved = np.column_stack([points, np.ones(len(points))]) @ homography.T
    return np.asarray(moved[:, :2] / moved[:, 2:])


def corners(size: Size) -> Points:
    """Return the corners of a picture, clockwise from the first pixel's."""
    width, height = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5


def coverages(homography: Map, a: Size, b: Size) -> tuple[float, float]:
    """Return the share of a that lies in b, and of b that lies in a."""
    return _coverage(inverse(homography), b, a), _coverage(homography, a, b)


def _coverage(homography: Map, a: Size, b: Size) -> float:
    import cv2

    there = project(homography, corners(a)).astype(np.float32)
    area, _ = cv2.intersectConvexConvex(there, corners(b).astype(np.float32))
    return float(min(1.0, area / (b[0] * b[1])))


def estimate_light(
    a: tuple[Grey, ...], b: tuple[Grey, ...], homography: Map
) -> tuple[float, float]:
    """Return gain and bias: grey level of a = gain * grey level of b + bias, where both show it.

    Pixels that differ far more than others, such as those of a text, do not count.
    """
    import cv2

    level = min(LIGHT_LEVEL, len(a) - 1, len(b) - 1)
    by = np.diag([0.5**level, 0.5**level, 1])
    mine, to = a[level], by @ homography @ np.linalg.inv(by)
    flags, size = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, (mine.shape[1], mine.shape[0])
    its = np.asarray(cv2.warpPerspective(b[level], to, size, flags=flags, borderValue=-1e6))
    both = its >= 0
    return fit_gain_bias(np.asarray(mine[both]), np.asarray(its[both], np.float32))


def fit_gain_bias(mine: Grey, its: Grey) -> tuple[float, float]:
    """Return gain and bias by which grey levels follow from others, most of them."""
    step = max(1, len(mine) // FIT_SAMPLES)
    mine, its = mine[::step], its[::step]
    left, right = mine, its
    gain, bias = 1.0, 0.0
    for _ in range(TRIM_ROUNDS):
        if len(right) < 2 or right.var() < 1:
            return 1.0, 0.0
        middle = right.mean()
        away = right - middle
        gain = float(away @ left / (away @ away))
        bias = float(left.mean() - gain * middle)
        off = np.abs(mine - gain * its - bias)
        kept = off <= OUTLIER_FACTOR * np.median(off) + 1
        left, right = mine[kept], its[kept]
    return gain, bias


def simplify(homography: Map, points: Points) -> Map:
    """Return the simplest map within `SIMPLIFY_TOLERANCE` of another at every point.

    One that turns by quarters and scales, one that also stretches, one that turns by any angle, and
    one that keeps parallels are tried in turn; so nothing is told that cannot be seen.

    Parameters
    ----------
    homography, points
        In pixels; the points are where both pictures were seen to be alike, shape (n, 2).
    """
    if len(points) < 4:
        return homography
    there, ones = project(homography, points), np.column_stack([points, np.ones(len(points))])
    for kind in _map_bases(_jacobian(homography, points.mean(axis=0))):
        columns = np.stack([(ones @ part.T).ravel() for part in kind], axis=1)
        weights = np.linalg.lstsq(columns, there.ravel(), rcond=None)[0]
        simple = np.tensordot(weights, kind, 1)
        if np.hypot(*(ones @ simple.T - there).T).max() <= SIMPLIFY_TOLERANCE:
            return np.vstack([simple, [0.0, 0.0, 1.0]])
    return homography


def _map_bases(linear: Map) -> list[npt.NDArray[np.float64]]:
    """Maps (2, 3) of which all simple maps are sums, by the kind of those."""
    upright = np.abs(np.diag(linear)).sum() >= np.abs(np.diag(linear[::-1])).sum()
    turn = np.sign(linear) * (np.eye(2) if upright else np.eye(2)[::-1])
    mirror = np.diag([np.sign(np.linalg.det(linear)), 1.0])
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    rows = np.eye(2)[:, :, None] * turn[:, None, :]
    cells = np.eye(4).reshape(4, 2, 2)
    kinds = [turn[None], rows, np.stack([mirror, quarter @ mirror]), cells]
    shifts = np.zeros((2, 2, 3))
    shifts[[0, 1], [0, 1], 2] = 1
    return [np.concatenate([np.pad(kind, ((0, 0), (0, 0), (0, 1))), shifts]) for kind in kinds]


def describe_map(homography: Map, a: Size, b: Size) -> list[str]:
    """Return in words how a was turned, stretched and bent to lie in b."""
    linear = _middle_jacobian(homography, a)
    mirrored = bool(np.linalg.det(linear) < 0)
    linear = linear @ np.diag([-1, 1]) if mirrored else linear
    angle = np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1]))
    quarters = round(angle / 90)
    said = [ORIENTATION_NAMES[mirrored][quarters % 4]]
    if abs(angle - 90 * quarters) > MIN_ROTATION:
        said.append(f"rotated {angle - 90 * quarters:.0f} degrees")
    wide, high = np.linalg.norm(linear, axis=0)
    if abs(np.log(wide / high)) > MIN_STRETCH:
        said.append(f"stretch {wide / high:.2f}")
    if _perspective(homography, a, b) > MIN_PERSPECTIVE:
        said.append("perspective")
    return [word for word in said if word]


def _middle_jacobian(homography: Map, a: Size) -> Map:
    """How the map moves what is around the middle of a, shape (2, 2)."""
    return _jacobian(homography, np.array(a) / 2)


def _jacobian(homography: Map, middle: Points) -> Map:
    """How the map moves what is around a point, shape (2, 2)."""
    ends = np.array([middle + side for side in _AXES]), np.array([middle - side for side in _AXES])
    return (project(homography, ends[0]) - project(homography, ends[1])).T / 2


_AXES = np.eye(2)


def _perspective(homography: Map, a: Size, b: Size) -> float:
    """How far the corners of a lie off a parallelogram, as a share of b."""
    first, second, third, fourth = project(homography, corners(a))
    return float(np.abs((first + third - second - fourth) / np.array(b)).max() / 2)


def describe_coverage(coverage_a: float, coverage_b: float) -> list[str]:
    """Return in words how much of a is there, and whether there is more than that in b."""
    said = [f"crop {coverage_a:.2f}"] if coverage_a < FULL_COVERAGE else []
    return [*said, f"border, {coverage_b:.2f} of it"] if coverage_b < FULL_COVERAGE else said


def describe_light(gain: float, bias: float) -> list[str]:
    """Return in words how the grey levels of a were changed."""
    if abs(gain) < 1e-3:
        return []
    said = ["negative"] if gain < 0 else []
    if abs(abs(1 / gain) - 1) > MIN_CONTRAST:
        said.append(f"contrast {abs(1 / gain):.2f}")
    brighter = (127.5 - bias) / gain - 127.5  # mid-grey, whatever the contrast
    if abs(brighter) > MIN_BRIGHTNESS:
        said.append(f"brightness {brighter:+.0f}")
    return said
