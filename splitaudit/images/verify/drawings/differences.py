"""In what two drawings that lie over each other differ, beyond what resampling and coding do.

A drawing has no noise and no second shot. So what a copy may change is known: edges are a little
softer or sharper, and codecs ring around them. A changed digit, stroke or hand is far beyond that
within a window as large as a letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from splitaudit.images.verify.drawings.overlay import Mask, Overlay, blur
from splitaudit.images.verify.photographs.overlay import Grey

WINDOW = 12  # pixels, side: about a letter of small print
DETAIL = 4.0  # pixels: deviation of the Gaussian that is taken off; what is left is detail
NOISE = 12.0  # grey levels of detail that codecs make up or take away
MIN_DETAIL = 10.0  # > grey levels in either picture, or a window tells nothing
# >= of the detail of both that differs in a window. Copies of pages, clocks and flags, scaled by
# 0.5 to 1 and coded as JPEG of quality 25 and more, have 0.08 at most; half of all pairs of digits
# have 0.3 and more where they are 10 pixels high.
CHANGED_SHARE = 0.12
MOST_SHARE = 0.3  # <=: more is not excused, however
EXCUSED = 3.0  # times what three quarters of the windows differ by
SMOOTH = 1.5  # pixels: deviation of a Gaussian; levels and colours of that are compared
# > grey levels, and levels of chroma, beyond all within as many pixels
MAX_LEVEL, LEVEL_REACH = 24.0, 1
MAX_CHROMA, CHROMA_REACH = 28.0, 2
STRONGER = 1.5  # > times the power of the detail of the other
# pixels beside its place at which a window is compared: its place first
SHIFTS = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
CORNER = 2e-3  # >=: least eigenvalue of the gradients in a window that places it in both directions


@dataclass(frozen=True)
class Differences:
    """In what two drawings differ.

    Parameters
    ----------
    over
        The drawings.
    detail
        Shape (rows, columns): windows in which detail differs.
    telling
        The same shape: windows with detail in either picture, seen whole in both.
    powers
        Shape (2, rows, columns): of the detail in windows.
    """

    over: Overlay
    detail: Mask
    telling: Mask
    powers: Grey

    @property
    def changed_windows(self) -> int:
        """How many windows differ in detail."""
        return int(self.detail.sum())

    @property
    def changed_share(self) -> float:
        """Which share that is of those that tell anything."""
        return self.changed_windows / max(1, int(self.telling.sum()))

    @property
    def stronger(self) -> Mask:
        """Shape (2, rows, columns): windows in which the detail of either is far the stronger."""
        return np.asarray(self.powers > STRONGER * self.powers[::-1] + WINDOW**2 * NOISE**2)

    @property
    def contrast_ratio(self) -> float:
        """How many times the detail of the first is as strong as that of the second."""
        one, other = np.sqrt(self.powers.sum(axis=(1, 2), dtype=np.float64) + 1.0)
        return float(one / other)

    @cached_property
    def corners(self) -> Mask:
        """Windows with detail in both directions in both pictures, that agree."""
        placed = [_are_corners(np.ascontiguousarray(side[..., 0])) for side in self.over[:2]]
        return np.asarray(self.telling & ~self.detail & placed[0] & placed[1])

    @cached_property
    def recoloured(self) -> Mask:
        """Shape (height, width): pixels of another light or another colour."""
        mine, its, both = self.over
        level = _differs(mine[..., :1], its[..., :1], LEVEL_REACH, MAX_LEVEL)
        chroma = _differs(mine[..., 1:], its[..., 1:], CHROMA_REACH, MAX_CHROMA)
        return np.asarray((level | chroma) & both)

    @cached_property
    def contrast(self) -> float:
        """Deviation of the light or of a chroma in what both show, in levels, the larger one."""
        seen = self.over.mine[self.over.both]
        return float(seen.std(axis=0).max()) if len(seen) else 0.0


def compare(over: Overlay) -> Differences:
    """Return in what two drawings differ."""
    import cv2

    mine = np.ascontiguousarray(over.mine[..., 0])
    its = np.where(over.both, over.its[..., 0], mine)
    inner = cv2.erode(over.both.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=0)
    seen = inner.astype(np.float32)
    one, other = _detail(mine) * seen, _detail(its) * seen
    powers = np.stack([_window_sums(one * one), _window_sums(other * other)])
    telling = powers.max(axis=0) > WINDOW**2 * MIN_DETAIL**2
    telling &= _window_sums(seen) >= 0.999 * WINDOW**2
    differ = _difference_shares(one, other)
    changed = telling & (differ >= _limit(differ[telling]))
    return Differences(over, changed, telling, powers)


def _difference_shares(one: Grey, other: Grey) -> Grey:
    """By which share of their detail windows differ, at best a pixel beside."""
    power = _window_sums(one * one)
    least = np.full(power.shape, np.inf, np.float32)
    for by in SHIFTS:
        moved = np.roll(other, by, (0, 1))
        both = power + _window_sums(moved * moved)
        left = (both - 2 * _window_sums(one * moved)) / (both + WINDOW**2 * NOISE**2)
        least = np.minimum(least, left)
        if least.max(initial=0.0) < CHANGED_SHARE:
            break  # as of most copies: there is no need to look beside
    return least


def _limit(differences: Grey) -> float:
    """How much windows must differ, where many do a little."""
    usual = float(np.quantile(differences, 0.75)) if len(differences) else 0.0
    return float(np.clip(EXCUSED * usual, CHANGED_SHARE, MOST_SHARE))


def _detail(grey: Grey) -> Grey:
    return np.asarray(grey - blur(grey, DETAIL), np.float32)


def _window_sums(values: Grey) -> Grey:
    """Sums over windows, each half a window from the next."""
    import cv2

    step = WINDOW // 2
    sums = cv2.boxFilter(values, -1, (WINDOW, WINDOW), normalize=False)
    return np.asarray(sums[step::step, step::step], np.float32)


def _are_corners(grey: Grey) -> Mask:
    """Windows that are placed in both directions by what is in them."""
    import cv2

    least = cv2.cornerMinEigenVal(grey / np.float32(255), WINDOW)
    step = WINDOW // 2
    return np.asarray(least[step::step, step::step] >= CORNER)


def _differs(mine: Grey, its: Grey, reach: int, most: float) -> Mask:
    """Pixels of either that lie beyond all that the other has around them."""
    one, other = blur(np.ascontiguousarray(mine), SMOOTH), blur(np.ascontiguousarray(its), SMOOTH)
    beyond = np.maximum(_excess(one, other, reach), _excess(other, one, reach))
    return np.asarray(beyond.max(axis=2) > most)


def _excess(values: Grey, around: Grey, reach: int) -> Grey:
    import cv2

    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    high, low = (f(around, square).reshape(around.shape) for f in (cv2.dilate, cv2.erode))
    return np.asarray(np.maximum(values - high, low - values), np.float32)
