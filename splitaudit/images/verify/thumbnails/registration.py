"""Lay one small picture over another: every shift at a few scales, then an affine Gauss-Newton.

The second step is that of Lucas and Kanade (Baker and Matthews, "Lucas-Kanade 20 years on",
International Journal of Computer Vision 56, 2004) with a gain and a bias of the grey levels.

An affine map is an array of shape (2, 3): where a point (x, y) of picture a lies in picture b. Both
pictures reach from -1 to 1 in both directions, whatever their number of pixels; a map with a
negative determinant mirrors.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from splitaudit.engine.compiled import compiled

SIDE = 16  # pixels, of the pictures in which places are compared
SIZES = (12, 14, 16, 18, 21)  # pixels that the 16 of one become: scales 0.75 to 1.33
REACH = 5  # pixels of 16 that two pictures are shifted at most, beside what a scale does
MIN_OVERLAP = 0.45  # >= of the smaller picture: two that share less are not compared
SAME_PLACE = 0.2  # <: of shift and scale, in which two places are one
NOISE = 4.0  # variance that is added on both sides: JPEG's
STEPS = 6  # of Gauss-Newton at each resolution
STEP = 0.12  # at most, in each of the six numbers of a map
CONVERGENCE = 1e-4  # <: change of the correlation at which the steps end
DAMPING = 2.0  # a pixel, of the map: holds the directions that nothing in a flat picture tells
MIN_GAIN = 0.05  # <: gain at which nothing of the one is left in the other

Whole = npt.NDArray[np.int64]


class Grid(NamedTuple):
    """The m shifts and scales that are tried.

    Parameters
    ----------
    tried
        Shape (m, 3): size of the one picture, and the pixel of it (row, column) that lies under the
        first of the other.
    shared
        Shape (m, 4): rows (first, beyond the last) and columns of the other that the one covers.
    pixels
        Shape (m,): how many these are.
    places
        Shape (m, 3): scale and shift (x, y) of the map from the other picture to the one.
    """

    tried: Whole
    shared: Whole
    pixels: npt.NDArray[np.float64]
    places: npt.NDArray[np.float64]


@cache
def grid() -> Grid:
    """Return the shifts and scales that are tried."""
    reach = range(-REACH, REACH + 1)
    tried = np.array([[size, y, x] for size in SIZES for y in reach for x in reach])
    sizes = tried[:, :1]
    tried[:, 1:] += (sizes - SIDE) // 2
    first, beyond = np.maximum(0, -tried[:, 1:]), np.minimum(SIDE, sizes - tried[:, 1:])
    shared = np.stack([first, beyond], axis=-1).reshape(-1, 4)
    pixels = (beyond - first).prod(axis=1).astype(np.float64)
    enough = pixels >= MIN_OVERLAP * np.minimum(SIDE, sizes[:, 0]) ** 2
    shift = (SIDE + 2 * tried[:, :0:-1]) / sizes - 1
    places = np.concatenate([SIDE / sizes, shift], axis=1)
    return Grid(tried[enough], shared[enough], pixels[enough], places[enough])


@compiled
def places(a: Any, others: Any, keep: int, grid: Any) -> tuple[Any, Any]:
    """Return the best places of a picture in others, and their correlation.

    What is shifted over the others is the same for all of them, so many at once are cheaper.

    Parameters
    ----------
    a
        float32, shape (`SIDE`, `SIDE`): grey levels less their surroundings.
    others
        The same of k pictures, shape (k, `SIDE`, `SIDE`).
    keep
        Places for each of plain and mirrored.
    grid
        See `grid`.

    Returns
    -------
    (correlation, maps)
        Shapes (k, 2 * keep) and (k, 2 * keep, 2, 3), from a to the others, plain first.
    """
    k = len(others)
    values, maps = np.empty((k, 2 * keep)), np.empty((k, 2 * keep, 2, 3))
    best, shifted = 0, _shifted_copies(a, grid)
    moments = _moments(shifted, grid)
    for other in range(k):
        for side in range(2):
            seen = others[other] if side == 0 else others[other, :, ::-1]
            found = _correlations((shifted, moments), seen, grid)
            for at in range(side * keep, (side + 1) * keep):
                if at > side * keep:
                    _suppress_neighbours(found, grid.places, best)
                best = found.argmax()
                values[other, at] = found[best]
                maps[other, at] = _invert_place(1.0 - 2 * side, grid.places[best])
    return values, maps


@compiled
def _shifted_copies(picture: Any, grid: Any) -> Any:
    """What of a picture covers each pixel of another, shape (`SIDE`, `SIDE`, m); else 0."""
    shifted = np.zeros((SIDE, SIDE, len(grid.tried)), np.float32)
    scaled = picture
    for row in range(len(grid.tried)):
        size, top, left = grid.tried[row]
        if row == 0 or size != grid.tried[row - 1, 0]:
            scaled = _resize(picture, size)
        up, down, first, beyond = grid.shared[row]
        for i in range(up, down):
            for j in range(first, beyond):
                shifted[i, j, row] = scaled[i + top, j + left]
    return shifted


@compiled
def _moments(shifted: Any, grid: Any) -> Any:
    """Mean of what is shifted over another, and what its products are weighed by, shape (2, m)."""
    total, square = np.zeros(shifted.shape[2]), np.zeros(shifted.shape[2])
    for i in range(SIDE):
        for j in range(SIDE):
            total += shifted[i, j]
            square += shifted[i, j] * shifted[i, j]
    moments = np.empty((2, len(total)))
    for row in range(len(total)):
        pixels = grid.pixels[row]
        power = square[row] - total[row] ** 2 / pixels + pixels * NOISE
        # Of two that correlate alike, that of the larger overlap is less likely chance.
        weight = (pixels / (SIDE * SIDE)) ** 0.25 / math.sqrt(power)
        moments[0, row], moments[1, row] = total[row] / pixels, weight
    return moments


@compiled
def _resize(picture: Any, size: int) -> Any:
    """A square picture at another size, by bilinear interpolation."""
    n = len(picture)
    out = np.empty((size, size), np.float32)
    for i in range(size):
        y, v = _interpolation_weight((i + 0.5) * n / size - 0.5, n)
        for j in range(size):
            x, u = _interpolation_weight((j + 0.5) * n / size - 0.5, n)
            above = (1 - u) * picture[y, x] + u * picture[y, x + 1]
            below = (1 - u) * picture[y + 1, x] + u * picture[y + 1, x + 1]
            out[i, j] = (1 - v) * above + v * below
    return out


@compiled
def _interpolation_weight(at: float, n: int) -> tuple[int, float]:
    """The pixel before a place and the share of the next one; places outside are moved in."""
    at = min(max(at, 0.0), n - 1.0)
    before = min(int(at), n - 2)
    return before, at - before


@compiled
def _correlations(one: Any, other: Any, grid: Any) -> Any:
    """Correlation of another picture with what is shifted over it, shape (m,)."""
    shifted, moments = one
    product, summed = _product(shifted, other), _integral_image(other)
    for row in range(len(product)):
        total, square = _rectangle_sums(summed, grid.shared[row])
        pixels = grid.pixels[row]
        power = square - total * total / pixels + pixels * NOISE
        alike = product[row] - moments[0, row] * total
        product[row] = moments[1, row] * alike / math.sqrt(power)
    return product


@compiled
def _product(shifted: Any, other: Any) -> Any:
    """Sum of products; shift by shift in the inner loop, which so vectorises."""
    product = np.zeros(shifted.shape[2], np.float32)
    for i in range(SIDE):
        for j in range(SIDE):
            level, over = other[i, j], shifted[i, j]
            for row in range(len(product)):
                product[row] += level * over[row]
    return product


@compiled
def _integral_image(picture: Any) -> Any:
    """Sums of levels and of their squares above and left of each corner of a pixel."""
    n = len(picture)
    sums = np.zeros((n + 1, n + 1, 2))
    for y in range(n):
        level = square = 0.0
        for x in range(n):
            level += picture[y, x]
            square += float(picture[y, x]) ** 2
            sums[y + 1, x + 1, 0] = sums[y, x + 1, 0] + level
            sums[y + 1, x + 1, 1] = sums[y, x + 1, 1] + square
    return sums


@compiled
def _rectangle_sums(sums: Any, shared: Any) -> tuple[float, float]:
    """Sum and sum of squares of a rectangle."""
    up, down, first, beyond = shared
    level = sums[down, beyond, 0] - sums[up, beyond, 0] - sums[down, first, 0] + sums[up, first, 0]
    square = sums[down, beyond, 1] - sums[up, beyond, 1] - sums[down, first, 1] + sums[up, first, 1]
    return level, square


@compiled
def _invert_place(sign: float, place: Any) -> Any:
    """The map of a place, which leads to a, the other way round."""
    scale, x, y = place
    return np.array([[sign / scale, 0.0, -sign * x / scale], [0.0, 1 / scale, -y / scale]])


@compiled
def _suppress_neighbours(found: Any, places: Any, best: int) -> None:
    """Take a place, and those beside it, out of the correlations of a picture."""
    scale, x, y = places[best]
    for at in range(len(found)):
        beside = abs(places[at, 1] - x) < SAME_PLACE and abs(places[at, 2] - y) < SAME_PLACE
        if beside and abs(places[at, 0] - scale) < SAME_PLACE:
            found[at] = -1


@compiled
def refine(a: Any, b: Any, affine: Any) -> tuple[float, float, float]:
    """Improve a map, in place, so that b is aligned with a with the smallest squared difference.

    Parameters
    ----------
    a, b
        Grey pictures, float32, of shape (n, n), smoothed.
    affine
        The map to begin with, shape (2, 3).

    Returns
    -------
    (correlation, gain, bias)
        Of the overlap, grey level of a = gain * grey level of b + bias; correlation is -1 where
        the two do not overlap, or nothing of the one is in the other.
    """
    n = len(a)
    rows, residual = np.empty((8, n * n), np.float32), np.empty(n * n, np.float32)
    gain, bias, before = 0.0, 0.0, -1.0
    for step in range(STEPS + 1):
        moments = _linearise(a, b, affine, (rows, residual))
        correlation, fitted, level = _fit_gain_bias(moments)
        if step == 0:
            gain, bias = fitted, level
        if moments[0] < MIN_OVERLAP / 2 * n * n or gain < MIN_GAIN:
            return -1.0, gain, bias
        if step == STEPS or abs(correlation - before) < CONVERGENCE:
            return correlation, fitted, level
        before = correlation
        residual -= np.float32(gain) * rows[6] + np.float32(bias) * rows[7]
        change = _gauss_newton_step(rows, residual, gain, moments[0])
        for k in range(6):
            affine[k // 3, k % 3] += min(max(change[k], -STEP), STEP)
        gain, bias = gain + change[6], bias + change[7]
    return -1.0, gain, bias


@compiled
def _linearise(a: Any, b: Any, affine: Any, out: Any) -> Any:
    """How b changes over a with the map, its grey and one (rows); a itself (residual); sums."""
    rows, residual = out
    n = len(a)
    sums = np.zeros(6)
    for i in range(n):
        y = (2 * i + 1) / n - 1
        for j in range(n):
            x, at = (2 * j + 1) / n - 1, i * n + j
            u = (affine[0, 0] * x + affine[0, 1] * y + affine[0, 2] + 1) * n / 2 - 0.5
            v = (affine[1, 0] * x + affine[1, 1] * y + affine[1, 2] + 1) * n / 2 - 0.5
            if u < 0 or v < 0 or u > n - 1 or v > n - 1:
                rows[:, at] = 0
                residual[at] = 0
                continue
            grey, across, down = _sample_bilinear(b, u, v)
            across, down, level = across * n / 2, down * n / 2, a[i, j]
            rows[0, at], rows[1, at], rows[2, at] = across * x, across * y, across
            rows[3, at], rows[4, at], rows[5, at] = down * x, down * y, down
            rows[6, at], rows[7, at], residual[at] = grey, 1, level
            sums[0] += 1
            sums[1] += level
            sums[2] += grey
            sums[3] += level * level
            sums[4] += grey * grey
            sums[5] += level * grey
    return sums


@compiled
def _sample_bilinear(picture: Any, u: float, v: float) -> tuple[float, float, float]:
    """Grey level between pixels, and its change to the right and downwards, a pixel."""
    n = len(picture)
    x, y = min(int(u), n - 2), min(int(v), n - 2)
    u, v = u - x, v - y
    top = picture[y, x + 1] - picture[y, x]
    bottom = picture[y + 1, x + 1] - picture[y + 1, x]
    above, below = picture[y, x] + u * top, picture[y + 1, x] + u * bottom
    return above + v * (below - above), top + v * (bottom - top), below - above


@compiled
def _fit_gain_bias(sums: Any) -> tuple[float, float, float]:
    """Correlation, gain and bias from count, sums, squares and product."""
    k = max(sums[0], 1.0)
    power_a = sums[3] - sums[1] * sums[1] / k + k
    power_b = sums[4] - sums[2] * sums[2] / k + k
    product = sums[5] - sums[1] * sums[2] / k
    gain = product / power_b
    return product / math.sqrt(power_a * power_b), gain, (sums[1] - gain * sums[2]) / k


@compiled
def _gauss_newton_step(rows: Any, residual: Any, gain: float, pixels: float) -> Any:
    """The step of Gauss-Newton in six numbers of the map, gain and bias."""
    rows[:6] *= np.float32(gain)
    normal = (rows @ rows.T).astype(np.float64)
    for k in range(6):
        normal[k, k] += 1e-3 * normal[k, k] + DAMPING * pixels
    normal[6, 6] += 1e-3
    normal[7, 7] += 1e-3
    return np.linalg.solve(normal, (rows @ residual).astype(np.float64))
