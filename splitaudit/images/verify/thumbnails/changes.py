"""What has changed between two small pictures that lie upon each other, and no copying explains.

Noise, compression and blur are spread over a picture, and grow with the detail that is there.
Between two moments, and between two drawings of one kind, most is the same, and what is not is
entirely different at a few places, or lies beside its place: a hand, a mouth, a digit, a field of
another colour. So the worst places are asked, and not the mean. How much noise is taken for granted
is not learned from the pair: two pictures that differ everywhere would excuse each other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from splitaudit.images.decode.thumbnail import SIDE, Pixels, grey

SOFT, SOFT_TINT = 1.0, 1.5  # pixels: deviations by which grey and colour of both are blurred
WINDOW, FLOW_WINDOW = 1.5, 2.5  # pixels: deviations of the windows that are looked at
# Variance in a window that is taken for granted: JPEG at quality 30 and noise of 9 levels leave it.
NOISE, TINT_NOISE = 8.0, 24.0
# Share of the windows that are no worse than what counts: most dates and logos cover fewer of them.
WORST = 0.95
EDGE = 1.0  # pixels at the edges of both pictures, into which what lies beyond was not blurred
MIN_GAIN = 0.05
TRIMMED, MIN_TRIM = 3.0, 6.0  # > times the typical difference, and levels: tells nothing of light
WHITE = 255.0
MIN_TINT = 6.0  # < variance of colour in the windows: it says nothing, as of a picture made grey
# Shares of what counts against a pair; 1 in all is as likely a copy as not.
UNLIKE, TINTED, MOVED = 1.5, 1.0, 1.2
STEEPNESS, LEFT = 12.0, 0.2  # of what is left of a score as that grows; and what is left at least

Wide = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Changes(NamedTuple):
    """What differs at the worst places.

    Parameters
    ----------
    unlike, tinted
        Share of the power of grey detail, and of colour, that is not common; 2 where both have
        something else.
    moved
        Pixels by which detail lies beside its place.
    """

    unlike: float
    tinted: float
    moved: float

    @property
    def left(self) -> float:
        """What is left of the score of a pair, at most 1."""
        against = UNLIKE * self.unlike + TINTED * self.tinted + MOVED * self.moved
        return float(LEFT + (1 - LEFT) / (1 + np.exp(STEEPNESS * (against - 1))))


class _Place(NamedTuple):
    """Where pixels of a lie in b, those of which both are known, and pixels of b in one of a."""

    u: Wide
    v: Wide
    both: Mask
    scale: float

    def lay_over(self, a: Any, b: Any, deviation: float) -> tuple[Wide, Wide]:
        """A plane of a and of b, as soft as each other, over each other."""
        soft = deviation * max(1.0, 1 / self.scale)
        return _blur(a, soft), _sample(_blur(b, soft * self.scale), self.u, self.v)


def measure(a: Pixels, b: Pixels, affine: Wide) -> Changes:
    """Return what differs between two pictures.

    Parameters
    ----------
    a, b
        RGB, uint8, shape (n, n, 3).
    affine
        Where a point of a lies in b, see `registration`.
    """
    place = _locate(len(a), affine)
    if not place.both.any():
        return Changes(0.0, 0.0, 0.0)
    levels = grey(a).astype(np.float64), grey(b).astype(np.float64)
    gain, bias = _fit_light(*(plane[place.both] for plane in place.lay_over(*levels, SOFT)))
    mine, its = place.lay_over(*_show_alike(*levels, gain, bias), SOFT)
    tints = zip(_tints(a, levels[0], 1 / gain), _tints(b, levels[1], gain), strict=True)
    laid = [_powers(*place.lay_over(*planes, SOFT_TINT), place.both) for planes in tints]
    return Changes(
        _worst_share(_powers(mine, its, place.both), place.both, NOISE),
        _worst_tint(np.sum(laid, axis=0), place.both),
        _displacement(mine, its, place.both),
    )


def measure_finer(a: Pixels, b: Pixels, affine: Wide) -> Changes:
    """Return what differs between two pictures, at their size and at half of it, whichever is more.

    What differs in its outlines differs at half the size as well, where noise is averaged.
    """
    found = [measure(a, b, affine)]
    if len(a) >= 2 * SIDE:
        found.append(measure(_halve(a), _halve(b), affine))
    return min(found, key=lambda changes: changes.left)


def _locate(n: int, affine: Wide) -> _Place:
    y, x = (2.0 * np.mgrid[:n, :n] + 1) / n - 1
    u, v = (((row[0] * x + row[1] * y + row[2] + 1) * n - 1) / 2 for row in affine)
    within = np.zeros((n, n), bool)
    first = int(EDGE)
    within[first : n - first, first : n - first] = True
    last = n - 1 - EDGE
    both = within & (u >= EDGE) & (v >= EDGE) & (u <= last) & (v <= last)
    return _Place(u, v, both, float(np.sqrt(abs(np.linalg.det(affine[:, :2])))))


def _fit_light(mine: Wide, its: Wide) -> tuple[float, float]:
    """Gain and bias that make the one as light as the other, but for the pixels that differ."""
    kept = np.ones(len(mine), bool)
    for _ in range(3):
        x, y = mine[kept], its[kept]
        gain = ((x - x.mean()) * (y - y.mean())).mean() / (y.var() + 1)
        bias = x.mean() - gain * y.mean()
        off = np.abs(mine - gain * its - bias)
        kept = off <= max(TRIMMED * float(np.median(off)), MIN_TRIM)
    return max(float(gain), MIN_GAIN), float(bias)


def _show_alike(a: Wide, b: Wide, gain: float, bias: float) -> tuple[Wide, Wide]:
    """Both in the light between theirs, and only the levels that either can show."""
    low, high = max(0.0, bias), min(WHITE, gain * WHITE + bias)
    light = np.sqrt(gain)
    return np.clip(a, low, high) / light, np.clip(gain * b + bias, low, high) / light


def _tints(picture: Pixels, levels: Wide, gain: float) -> list[Wide]:
    """Blue and red against grey, in the light between that of both."""
    return [(picture[..., channel] - levels) * np.sqrt(gain) for channel in (2, 0)]


def _powers(mine: Wide, its: Wide, both: Mask) -> Wide:
    """Variance of a, of b and of their difference in the window around each pixel; (3, n, n)."""
    share = both.astype(np.float64)
    whole = np.maximum(_window(share, WINDOW), 1e-6)
    found = []
    for plane in (mine, its, mine - its):
        mean, square = (_window(of * share, WINDOW) / whole for of in (plane, plane * plane))
        found.append(np.maximum(square - mean * mean, 0))
    return np.stack(found)


def _shares(powers: Wide, noise: float) -> Wide:
    """Share of the power that is not common."""
    left = np.maximum(powers[2] - noise, 0) / (np.maximum(powers[0], powers[1]) + noise)
    return np.asarray(left, np.float64)


def _worst_share(powers: Wide, both: Mask, noise: float) -> float:
    return float(np.quantile(_shares(powers, noise)[both], WORST))


def _worst_tint(powers: Wide, both: Mask) -> float:
    """The same of colour, where both pictures have any."""
    if min(float(power[both].mean()) for power in powers[:2]) < MIN_TINT:
        return 0.0
    return _worst_share(powers, both, TINT_NOISE)


def _displacement(mine: Wide, its: Wide, both: Mask) -> float:
    """Pixels by which detail lies beside its place in most windows, after Lucas and Kanade."""
    down, across = np.gradient((mine + its) / 2)
    off = mine - its
    xx, xy, yy, x, y = (
        _window(np.where(both, of, 0.0), FLOW_WINDOW)
        for of in (across**2, across * down, down**2, across * off, down * off)
    )
    xx, yy = xx + NOISE, yy + NOISE
    moved = np.hypot(yy * x - xy * y, xx * y - xy * x) / (xx * yy - xy**2)
    return float(np.quantile(moved[both], WORST))


def _halve(picture: Pixels) -> Pixels:
    n = len(picture) // 2
    cells = picture[: 2 * n, : 2 * n].reshape(n, 2, n, 2, 3)
    return np.asarray(np.rint(cells.mean(axis=(1, 3))), np.uint8)


def _blur(plane: Wide, deviation: float) -> Wide:
    import scipy.ndimage

    return np.asarray(scipy.ndimage.gaussian_filter(plane, deviation, mode="nearest"))


def _window(plane: Wide, deviation: float) -> Wide:
    import scipy.ndimage

    return np.asarray(scipy.ndimage.gaussian_filter(plane, deviation, mode="constant"))


def _sample(plane: Wide, u: Wide, v: Wide) -> Wide:
    import scipy.ndimage

    return np.asarray(scipy.ndimage.map_coordinates(plane, [v, u], order=1, mode="nearest"))
