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

from splitaudit.compiled import compiled

SIDE = 16  # pixels, of the pictures in which places are sought
SIZES = (12, 14, 16, 18, 21)  # pixels that the 16 of one become: scales 0.75 to 1.33
REACH = 5  # pixels of 16 that two pictures are shifted at most, beside what a scale does
SHARED = 0.45  # >= of the smaller picture: two that share less are not compared
BESIDE = 0.2  # <: of shift and scale, in which two places are one
NOISE = 4.0  # variance that is added on both sides: JPEG's
STEPS = 6  # of Gauss-Newton at each resolution
STEP = 0.12  # at most, in each of the six numbers of a map
SETTLED = 1e-4  # <: change of the correlation at which the steps end
DAMPING = 2.0  # a pixel, of the map: holds the directions that nothing in a flat picture tells
FAINT = 0.05  # <: gain at which nothing of the one is left in the other

Grey = npt.NDArray[np.float32]


class Grid(NamedTuple):
    """The shifts and scales that are tried.

    Parameters
    ----------
    tried
        Shape (m, 3): size of the one picture, and the pixel of it (row, column) that lies under the
        first of the other.
    shared
        Shape (m, `SIDE` squared): 1 where both pictures are, else 0.
    places
        Shape (m, 3): scale and shift (x, y) of the map from the other picture to the one.
    """

    tried: npt.NDArray[np.int64]
    shared: Grey
    places: npt.NDArray[np.float64]


@cache
def grid() -> Grid:
    """Return the shifts and scales that are tried."""
    reach = range(-REACH, REACH + 1)
    tried = np.array([[m, y, x] for m in SIZES for y in reach for x in reach])
    sizes = tried[:, 0]
    tried[:, 1:] += (sizes[:, None] - SIDE) // 2
    pixels = np.arange(SIDE)
    at = tried[:, 1:, None] + pixels
    inside = (at >= 0) & (at < sizes[:, None, None])
    shared = (inside[:, 0, :, None] & inside[:, 1, None, :]).reshape(-1, SIDE * SIDE)
    enough = shared.sum(axis=1) >= SHARED * np.minimum(SIDE, sizes) ** 2
    shift = (SIDE + 2 * tried[:, :0:-1]) / sizes[:, None] - 1
    places = np.concatenate([SIDE / sizes[:, None], shift], axis=1)
    return Grid(tried[enough], shared[enough].astype(np.float32), places[enough])


@compiled
def places(a: Any, others: Any, keep: int, grid: Any) -> tuple[Any, Any]:
    """Return the best places of a picture in others, and their correlation.

    One product of matrices has the correlations of a picture, shifted and scaled, with all others.

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
    laid = _laid(a, grid.tried)
    for side in range(2):
        sign = 1.0 - 2 * side
        seen = others if side == 0 else others[:, :, ::-1]
        found = _correlations(laid, np.ascontiguousarray(seen).reshape(k, -1), grid.shared)
        for other in range(k):
            for at in range(side * keep, (side + 1) * keep):
                best = found[other].argmax()
                values[other, at] = found[other, best]
                maps[other, at] = _from_a(sign, grid.places[best])
                _forget(found[other], grid.places, best)
    return values, maps


@compiled
def _laid(picture: Any, tried: Any) -> Any:
    """What of a picture lies over another at each shift and scale; 0 where nothing does."""
    laid = np.zeros((len(tried), SIDE, SIDE), np.float32)
    scaled = picture
    for row in range(len(tried)):
        size, top, left = tried[row]
        if row == 0 or size != tried[row - 1, 0]:
            scaled = _resized(picture, size)
        first, last = max(0, -left), min(SIDE, size - left)
        for i in range(max(0, -top), min(SIDE, size - top)):
            laid[row, i, first:last] = scaled[i + top, first + left : last + left]
    return laid.reshape(len(tried), SIDE * SIDE)


@compiled
def _resized(picture: Any, size: int) -> Any:
    """A square picture at another size, by bilinear interpolation."""
    n = len(picture)
    out = np.empty((size, size), np.float32)
    for i in range(size):
        y, v = _between((i + 0.5) * n / size - 0.5, n)
        for j in range(size):
            x, u = _between((j + 0.5) * n / size - 0.5, n)
            above = (1 - u) * picture[y, x] + u * picture[y, x + 1]
            below = (1 - u) * picture[y + 1, x] + u * picture[y + 1, x + 1]
            out[i, j] = (1 - v) * above + v * below
    return out


@compiled
def _between(at: float, n: int) -> tuple[int, float]:
    """The pixel before a place and the share of the next one; places outside are moved in."""
    at = min(max(at, 0.0), n - 1.0)
    before = min(int(at), n - 2)
    return before, at - before


@compiled
def _correlations(laid: Any, others: Any, shared: Any) -> Any:
    """Correlation of each other picture with what is laid over it, shape (k, m)."""
    product, total = others @ laid.T, others @ shared.T
    square = (others * others) @ shared.T
    out = np.empty(product.shape, np.float32)
    for row in range(len(laid)):
        pixels = shared[row].sum()
        level, power = laid[row].sum() / pixels, (laid[row] * laid[row]).sum()
        power += pixels * (np.float32(NOISE) - level * level)
        # Of two that correlate alike, that of the larger overlap is less likely chance.
        weight = (pixels / (SIDE * SIDE)) ** 0.25 / math.sqrt(power)
        for k in range(len(others)):
            other = square[k, row] - total[k, row] ** 2 / pixels + pixels * NOISE
            alike = product[k, row] - total[k, row] * level
            out[k, row] = weight * alike / math.sqrt(other)
    return out


@compiled
def _from_a(sign: float, place: Any) -> Any:
    """The map of a place, which leads to a, the other way round."""
    scale, x, y = place
    return np.array([[sign / scale, 0.0, -sign * x / scale], [0.0, 1 / scale, -y / scale]])


@compiled
def _forget(found: Any, places: Any, best: int) -> None:
    """Take a place, and those beside it, out of the correlations of a picture."""
    scale, x, y = places[best]
    for at in range(len(found)):
        beside = abs(places[at, 1] - x) < BESIDE and abs(places[at, 2] - y) < BESIDE
        if beside and abs(places[at, 0] - scale) < BESIDE:
            found[at] = -1


@compiled
def refine(a: Any, b: Any, affine: Any) -> tuple[float, float, float]:
    """Improve a map, in place, so that b lies over a with the smallest squared difference.

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
        moments = _linear(a, b, affine, (rows, residual))
        correlation, fitted, level = _fitted(moments)
        if step == 0:
            gain, bias = fitted, level
        if moments[0] < SHARED / 2 * n * n or gain < FAINT:
            return -1.0, gain, bias
        if step == STEPS or abs(correlation - before) < SETTLED:
            return correlation, fitted, level
        before = correlation
        residual -= np.float32(gain) * rows[6] + np.float32(bias) * rows[7]
        change = _change(rows, residual, gain, moments[0])
        for k in range(6):
            affine[k // 3, k % 3] += min(max(change[k], -STEP), STEP)
        gain, bias = gain + change[6], bias + change[7]
    return -1.0, gain, bias


@compiled
def _linear(a: Any, b: Any, affine: Any, out: Any) -> Any:
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
            grey, across, down = _sampled(b, u, v)
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
def _sampled(picture: Any, u: float, v: float) -> tuple[float, float, float]:
    """Grey level between pixels, and its change to the right and downwards, a pixel."""
    n = len(picture)
    x, y = min(int(u), n - 2), min(int(v), n - 2)
    u, v = u - x, v - y
    top = picture[y, x + 1] - picture[y, x]
    bottom = picture[y + 1, x + 1] - picture[y + 1, x]
    above, below = picture[y, x] + u * top, picture[y + 1, x] + u * bottom
    return above + v * (below - above), top + v * (bottom - top), below - above


@compiled
def _fitted(sums: Any) -> tuple[float, float, float]:
    """Correlation, gain and bias from count, sums, squares and product."""
    k = max(sums[0], 1.0)
    power_a = sums[3] - sums[1] * sums[1] / k + k
    power_b = sums[4] - sums[2] * sums[2] / k + k
    product = sums[5] - sums[1] * sums[2] / k
    gain = product / power_b
    return product / math.sqrt(power_a * power_b), gain, (sums[1] - gain * sums[2]) / k


@compiled
def _change(rows: Any, residual: Any, gain: float, pixels: float) -> Any:
    """The step of Gauss-Newton in six numbers of the map, gain and bias."""
    rows[:6] *= np.float32(gain)
    normal = (rows @ rows.T).astype(np.float64)
    for k in range(6):
        normal[k, k] += 1e-3 * normal[k, k] + DAMPING * pixels
    normal[6, 6] += 1e-3
    normal[7, 7] += 1e-3
    return np.linalg.solve(normal, (rows @ residual).astype(np.float64))
