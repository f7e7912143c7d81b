"""Lay one small picture over another: every shift at a few scales, then an affine Gauss-Newton.

The second step is that of Lucas and Kanade (Baker and Matthews, "Lucas-Kanade 20 years on",
International Journal of Computer Vision 56, 2004) with a gain and a bias of the grey levels.

An affine map is an array of shape (2, 3): where a point (x, y) of picture a lies in picture b. Both
pictures reach from -1 to 1 in both directions, whatever their number of pixels; a map with a
negative determinant mirrors.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from splitaudit.compiled import compiled

SIZES = (12, 14, 16, 18, 21)  # pixels that the 16 of the other become: scales 0.75 to 1.33
REACH = 5  # pixels of 16 that two pictures are shifted at most, beside what a scale does
SHARED = 0.45  # >= of the smaller picture: two that share less are not compared
NOISE = 64.0  # variance (of grey levels times 4) that is added on both sides: JPEG's
STEPS = 10  # of Gauss-Newton at each resolution
STEP = 0.12  # at most, in each of the six numbers of a map
SETTLED = 1e-4  # <: change of the correlation at which the steps end
DAMPING = 2.0  # a pixel, of the map: holds the directions that nothing in a flat picture tells
FAINT = 0.05  # <: gain at which nothing of the one is left in the other


@compiled
def places(a: Any, b: Any, keep: int) -> tuple[Any, Any]:
    """Return the best places of one picture in another, and their correlation.

    Parameters
    ----------
    a, b
        int16, shape (16, 16): grey levels times 4, less their surroundings.
    keep
        Places for each of plain and mirrored.

    Returns
    -------
    (correlation, maps)
        Shapes (2 * keep,) and (2 * keep, 2, 3), plain first; of unused rows, correlation is -1.
    """
    best, maps = np.full(2 * keep, -1.0), np.zeros((2 * keep, 2, 3))
    mirrored = a[:, ::-1].copy()
    for size in SIZES:
        scaled = _resized(b, size)
        _shifted(a, scaled, 1.0, (best[:keep], maps[:keep]))
        _shifted(mirrored, scaled, -1.0, (best[keep:], maps[keep:]))
    return best, maps


@compiled
def _resized(picture: Any, size: int) -> Any:
    """A square picture at another size, by bilinear interpolation."""
    n = len(picture)
    out = np.empty((size, size), np.int16)
    for i in range(size):
        y, v = _between((i + 0.5) * n / size - 0.5, n)
        for j in range(size):
            x, u = _between((j + 0.5) * n / size - 0.5, n)
            above = (1 - u) * picture[y, x] + u * picture[y, x + 1]
            below = (1 - u) * picture[y + 1, x] + u * picture[y + 1, x + 1]
            out[i, j] = np.int16(round((1 - v) * above + v * below))
    return out


@compiled
def _between(at: float, n: int) -> tuple[int, float]:
    """The pixel before a place and the share of the next one; places outside are moved in."""
    at = min(max(at, 0.0), n - 1.0)
    before = min(int(at), n - 2)
    return before, at - before


@compiled
def _shifted(a: Any, b: Any, sign: float, best: Any) -> None:
    """Enter the shifts of b against a that correlate most into `best`."""
    n, m = len(a), len(b)
    sums, middle = (_summed(a), _summed(b)), (m - n) // 2
    for dy in range(middle - REACH, middle + REACH + 1):
        for dx in range(middle - REACH, middle + REACH + 1):
            rows, columns = min(n, m - dy) - max(0, -dy), min(n, m - dx) - max(0, -dx)
            if rows * columns < SHARED * min(n * n, m * m):
                continue
            place = max(0, -dy), max(0, -dx), rows, columns
            # Of two that correlate alike, that of the larger overlap is less likely chance.
            found = _correlation(a, b, sums, place, (dy, dx)) * (rows * columns / (n * n)) ** 0.25
            if found > best[0][-1]:
                _enter(found, sign, (n / m, (n + 2 * dx) / m - 1, (n + 2 * dy) / m - 1), best)


@compiled
def _summed(picture: Any) -> Any:
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
def _correlation(a: Any, b: Any, sums: Any, place: Any, shift: Any) -> float:
    """Correlation of the rectangle of a at `place` with what lies there of b, shifted."""
    y, x, rows, columns = place
    dy, dx = shift
    total_a, square_a = _within(sums[0], y, x, rows, columns)
    total_b, square_b = _within(sums[1], y + dy, x + dx, rows, columns)
    product = 0
    for i in range(y, y + rows):
        # Counted from 0, and integers, so that it vectorises.
        row_a, row_b = a[i, x : x + columns], b[i + dy, x + dx : x + dx + columns]
        row = np.int32(0)
        for j in range(columns):
            row += np.int32(row_a[j]) * np.int32(row_b[j])
        product += int(row)
    k = rows * columns
    power_a, power_b = square_a - total_a**2 / k, square_b - total_b**2 / k
    power = (power_a + k * NOISE) * (power_b + k * NOISE)
    return float((product - total_a * total_b / k) / math.sqrt(power))


@compiled
def _within(sums: Any, y: int, x: int, rows: int, columns: int) -> tuple[float, float]:
    """Sum and sum of squares of a rectangle."""
    bottom, right = y + rows, x + columns
    level = sums[bottom, right, 0] - sums[y, right, 0] - sums[bottom, x, 0] + sums[y, x, 0]
    square = sums[bottom, right, 1] - sums[y, right, 1] - sums[bottom, x, 1] + sums[y, x, 1]
    return level, square


@compiled
def _enter(found: float, sign: float, place: Any, best: Any) -> None:
    """Put a place among the best; of places beside each other the better one stays."""
    values, maps = best
    scale, x, y = place
    at = len(values) - 1
    for k in range(len(values)):
        near = abs(maps[k, 0, 2] - x) < 0.2 and abs(maps[k, 1, 2] - y) < 0.2
        if values[k] > -1 and near and abs(maps[k, 1, 1] - scale) < 0.2:
            at = k
            break
    if found <= values[at]:
        return
    while at > 0 and found > values[at - 1]:
        values[at], maps[at] = values[at - 1], maps[at - 1]
        at -= 1
    values[at] = found
    maps[at] = np.array([[sign * scale, 0.0, x], [0.0, scale, y]])


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
