"""Lay one photograph over another: where each block of the one lies in the other, and how alike.

A map is refined by the blocks themselves: each is matched a few pixels around the place where the
map has it, and the map is fitted again to what was found, robustly, so that a logo or a person who
has moved do not pull at it. What is left over at the end is the evidence.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from splitaudit.engine.compiled import compiled

BLOCK = 16  # pixels, side of what is compared
# pixels: a Gaussian's deviation; side of the square whose mean is taken off
DETAIL_SIGMA, MEAN_SIDE = 0.8, 11
DETAIL_SCALE = 8  # detail is kept in whole numbers, as so many a grey level
NOISE = 2.0  # variance of detail, in grey levels: what JPEG makes up or takes away
FLOOR = BLOCK * BLOCK * NOISE * DETAIL_SCALE * DETAIL_SCALE  # of the power of a block
MIN_CORRELATION = 0.6  # >= of correlation: the map is fitted to such blocks
MIN_BLOCKS = 6  # >= blocks, or nothing is fitted
MIN_HOMOGRAPHY_BLOCKS = 16  # >= blocks, or a map is fitted that keeps parallels
# >= of the blocks that a free map meets: one that keeps parallels is preferred
AFFINE_PREFERENCE = 0.95
TOLERANCE = 1.0  # pixels, of a block from the map that is fitted
# of ECC: at most, < gain of a step, pixels of a Gaussian
ECC_STEPS, ECC_EPSILON, ECC_SMOOTHING = 5, 1e-4, 3
# Pixels along the edges that are not looked at: of a, where what lies beyond is mixed in, and of b,
# around which a may show a frame: half of `MEAN_SIDE`.
MARGIN_A, MARGIN_B = 2, 6

Grey = npt.NDArray[np.float32]
Map = npt.NDArray[np.float64]
# Rows (x, y of the middle; correlation, and the largest one within reach; power of the detail in a
# and in b, over the floor; dx, dy: where the largest correlation is).
Blocks = npt.NDArray[np.float64]


def no_blocks() -> Blocks:
    """Return the blocks of a level that a small picture does not have."""
    return np.empty((0, 8))


def levels(grey: Grey) -> tuple[Grey, ...]:
    """Return a picture at its size, at half of it, and so on."""
    import cv2

    found = [grey]
    while min(found[-1].shape) >= 2 * BLOCK:
        found.append(np.asarray(cv2.pyrDown(found[-1]), np.float32))
    return tuple(found)


def refine_homography(a: tuple[Grey, ...], b: tuple[Grey, ...], homography: Map, steps: Any) -> Any:
    """Return the refined map and the blocks of a, which must be no finer than b there.

    Parameters
    ----------
    a, b
        What `levels` returns.
    homography
        Where a pixel of `a[0]` lies in `b[0]`.
    steps
        (level, reach) of each refinement: at which size, and how many pixels around its place a
        block is matched. Levels that a does not have are left out: the reach at the next one is as
        large a share of so small a picture.
    """
    for level, reach in ((level, reach) for level, reach in steps if level < len(a)):
        found = match_blocks(warp_over(a, b, homography, level), reach)
        change = _fit_correction(found)
        if change is None and level > 0 and len(found) < MIN_HOMOGRAPHY_BLOCKS:
            continue  # too little detail to tell at this size
        if change is None:
            return None
        half = _level_matrix(level)
        homography = homography @ np.linalg.inv(half) @ change @ half
    return homography


class Overlay(NamedTuple):
    """One picture over another at a level.

    Parameters
    ----------
    mine, its
        What is seen of a without its edges, and of b at the same places; beyond b, its last pixels.
    to
        Where a pixel of them lies in b at a level of its own.
    shape
        Of b at that level.
    """

    mine: Grey
    its: Grey
    to: Map
    shape: tuple[int, ...]


def warp_over(a: tuple[Grey, ...], b: tuple[Grey, ...], homography: Map, level: int) -> Overlay:
    """Lay b over `a[level]`, smoothed where it is finer."""
    import cv2

    down, its = _match_resolution(a, b, homography, level)
    mine = a[level][MARGIN_A:-MARGIN_A, MARGIN_A:-MARGIN_A]
    to = _level_matrix(down) @ homography @ np.linalg.inv(_level_matrix(level)) @ _margin_shift()
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = mine.shape[1], mine.shape[0]
    warped = cv2.warpPerspective(its, to, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return Overlay(mine, np.asarray(warped, np.float32), to, its.shape)


def _match_resolution(
    a: tuple[Grey, ...], b: tuple[Grey, ...], homography: Map, level: int
) -> tuple[int, Grey]:
    """The level of b that is about as fine as `a[level]`, and the picture, no finer than that."""
    import cv2

    finer = scale(homography, a[level].shape, level)
    down = min(max(level + math.floor(math.log2(max(finer, 1e-3)) + 0.2), 0), len(b) - 1)
    excess = finer * 2.0 ** (level - down)
    if excess <= 1.1:
        return down, b[down]
    smooth = cv2.GaussianBlur(b[down], (0, 0), 0.5 * math.sqrt(excess**2 - 1))
    return down, np.asarray(smooth, np.float32)


def overlap_mask(over: Overlay) -> npt.NDArray[np.bool_]:
    """Return at which pixels b is seen."""
    import cv2

    size = over.mine.shape[1], over.mine.shape[0]
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    whole = np.ones(over.shape, np.uint8)
    return np.asarray(cv2.warpPerspective(whole, over.to, size, flags=flags), bool)


def align_ecc(a: tuple[Grey, ...], b: tuple[Grey, ...], homography: Map, level: int) -> Map:
    """Return a map at which the pixels of a level correlate best, near one that is about right.

    By ECC (Evangelidis and Psarakis, "Parametric image alignment using enhanced correlation
    coefficient maximization", IEEE Trans. Pattern Analysis and Machine Intelligence 30, 2008).
    """
    import cv2

    down, its = _match_resolution(a, b, homography, level)
    to = _level_matrix(down) @ homography @ np.linalg.inv(_level_matrix(level))
    start = np.asarray(to / to[2, 2], np.float32)
    ends = cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, ECC_STEPS, ECC_EPSILON
    whole = np.ones(its.shape, np.uint8)
    try:
        _, found = cv2.findTransformECC(
            a[level], its, start, cv2.MOTION_HOMOGRAPHY, ends, whole, ECC_SMOOTHING
        )
    except cv2.error:  # they do not correlate
        return homography
    there: Map = np.linalg.inv(_level_matrix(down)) @ found @ _level_matrix(level)
    return there


def match_blocks(over: Overlay, reach: int) -> Blocks:
    """Return the blocks that have any detail in one of the pictures, and lie within both."""
    return np.asarray(
        _match_each_block(_detail(over.mine), _detail(over.its), over.to, over.shape, reach)
    )


def scale(homography: Map, shape: tuple[int, ...], level: int = 0) -> float:
    """Pixels of b in a pixel of a, at the middle of a."""
    middle = np.array([shape[1] / 2, shape[0] / 2]) * 2**level
    x, y, w = homography @ [*middle, 1]
    column, row = homography[:2, :2] - np.outer([x / w, y / w], homography[2, :2])
    return float(math.sqrt(abs(np.linalg.det([column, row]))) / abs(w))


def _margin_shift() -> Map:
    """From pixels of a picture without its edges to those of the whole."""
    return np.array([[1.0, 0, MARGIN_A], [0, 1, MARGIN_A], [0, 0, 1]])


def _level_matrix(level: int) -> Map:
    """From pixels of the first level to those of another."""
    by = 0.5**level
    # The first pixel of `pyrDown` lies upon the first of what it halves.
    return np.diag([by, by, 1.0])


def _detail(grey: Grey) -> npt.NDArray[np.int16]:
    import cv2

    smooth, mean = (
        cv2.GaussianBlur(grey, (0, 0), DETAIL_SIGMA),
        cv2.blur(grey, (MEAN_SIDE, MEAN_SIDE)),
    )
    return np.asarray(
        cv2.addWeighted(smooth, DETAIL_SCALE, mean, -DETAIL_SCALE, 0, dtype=cv2.CV_16S), np.int16
    )


def _fit_correction(found: Blocks) -> Map | None:
    """The change of a map that the blocks found elsewhere ask for."""
    import cv2

    near = found[found[:, 3] >= MIN_CORRELATION]
    if len(near) < MIN_BLOCKS:
        return None
    start, end = near[:, :2].copy(), near[:, :2] + near[:, 6:8]  # OpenCV wants no gaps
    affine, _ = cv2.estimateAffine2D(start, end, method=cv2.LMEDS)
    best = None if affine is None else np.array([*affine, [0, 0, 1]], np.float64)
    if len(near) < MIN_HOMOGRAPHY_BLOCKS:
        return best
    free, _ = cv2.findHomography(start, end, cv2.USAC_MAGSAC, TOLERANCE)
    if free is None:
        return best
    bent = np.asarray(free, np.float64)
    enough = AFFINE_PREFERENCE * _count_inliers(bent, start, end)
    return best if best is not None and _count_inliers(best, start, end) >= enough else bent


def _count_inliers(change: Map, start: Map, end: Map) -> int:
    """How many blocks a map brings to where they were found."""
    moved = np.column_stack([start, np.ones(len(start))]) @ change.T
    away = moved[:, :2] / moved[:, 2:] - end
    return int((np.hypot(*away.T) <= TOLERANCE / 2).sum())


@compiled
def _match_each_block(a: Any, b: Any, to: Any, shape: Any, reach: int) -> Any:
    """Blocks of a: where they are found in b, and how alike they are there."""
    height, width = a.shape
    mine, its = a.ravel(), b.ravel()
    found = np.empty((height // BLOCK * (width // BLOCK), 8))
    n = 0
    for y in range(0, height - BLOCK + 1, BLOCK):
        for x in range(0, width - BLOCK + 1, BLOCK):
            if not _is_inside(to, x, y, shape):
                continue
            here = y * width + x
            power, other = (
                _product(mine, mine, here, here, width),
                _product(its, its, here, here, width),
            )
            if max(power, other) < FLOOR:
                continue
            row = found[n]
            n += 1
            row[0], row[1] = x + MARGIN_A + (BLOCK - 1) / 2, y + MARGIN_A + (BLOCK - 1) / 2
            row[4], row[5] = power / FLOOR, other / FLOOR
            _search_block(mine, its, (x, y, width, height), reach, row)
    return found[:n]


@compiled
def _is_inside(to: Any, x: int, y: int, shape: Any) -> bool:
    """Whether all corners of a block lie within the other picture."""
    for corner in range(4):
        px, py = x + (corner % 2) * (BLOCK - 1), y + (corner // 2) * (BLOCK - 1)
        w = to[2, 0] * px + to[2, 1] * py + to[2, 2]
        u = (to[0, 0] * px + to[0, 1] * py + to[0, 2]) / w
        v = (to[1, 0] * px + to[1, 1] * py + to[1, 2]) / w
        if (
            w <= 0
            or u < MARGIN_B
            or v < MARGIN_B
            or u > shape[1] - 1 - MARGIN_B
            or v > shape[0] - 1 - MARGIN_B
        ):
            return False
    return True


@compiled
def _search_block(a: Any, b: Any, place: Any, reach: int, row: Any) -> None:
    """Enter how alike a block is to that of b at its place and at the best one around it."""
    x, y, width, height = place
    side, here = 2 * reach + 1, y * width + x
    alike = np.full((side, side), -1.0)
    power = row[4] * FLOOR + FLOOR
    best, bx, by = -2.0, 0, 0
    for dy in range(max(-reach, -y), min(reach, height - BLOCK - y) + 1):
        for dx in range(max(-reach, -x), min(reach, width - BLOCK - x) + 1):
            there = here + dy * width + dx
            other = _product(b, b, there, there, width) + FLOOR
            value = _product(a, b, here, there, width) / math.sqrt(power * other)
            alike[dy + reach, dx + reach] = value
            if value > best:
                best, bx, by = value, dx, dy
    x_off, x_more = _parabola_peak(alike[by + reach], bx + reach)
    y_off, y_more = _parabola_peak(alike[:, bx + reach], by + reach)
    row[2], row[3] = alike[reach, reach], min(best + x_more + y_more, 1.0)
    row[6], row[7] = bx + x_off, by + y_off


@compiled
def _parabola_peak(values: Any, at: int) -> tuple[float, float]:
    """Where between its neighbours the top of a parabola lies, and how much higher it is."""
    if at == 0 or at == len(values) - 1:
        return 0.0, 0.0
    bend = values[at - 1] - 2 * values[at] + values[at + 1]
    if bend > -1e-9:
        return 0.0, 0.0
    slope = values[at + 1] - values[at - 1]
    off = min(max(-slope / (2 * bend), -0.5), 0.5)
    return off, slope / 2 * off + bend / 2 * off * off


@compiled
def _product(a: Any, b: Any, here: int, there: int, width: int) -> Any:
    """Sum of the products of two blocks that begin at places in flat pictures."""
    total = 0.0
    for i in range(BLOCK):
        # Unsigned, so that no index can count from the end, and the row vectorises.
        p, q = np.uint64(here + i * width), np.uint64(there + i * width)
        row = np.int32(0)
        for j in range(np.uint64(BLOCK)):
            row += np.int32(a[p + j]) * np.int32(b[q + j])
        total += row
    return total
