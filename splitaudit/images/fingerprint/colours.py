"""Where a picture has which colours: for pictures whose shapes say little, such as flags."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from splitaudit.images.fingerprint.contract import COSINE, Codes, PictureFingerprint
from splitaudit.images.fingerprint.gradients import SMALL
from splitaudit.images.fingerprint.hash import ImageHash, downscale
from splitaudit.images.fingerprint.views import View

GRID = 8  # cells to each side, of which the mean colours are taken
# < grey levels, see `hash.quality`: shapes that say so little are searched by colours as well.
# Photographs have 5 and more, pages and charts 10 and more, bands of three colours none.
POOR_SHAPES = 5.0
MEAN_WEIGHT = 2.0  # of the mean colour, as of so many cells
MIN_CONTRAST = 1.0  # >= deviation of a channel, or there is only one colour

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ColourLayout(PictureFingerprint):
    """The fingerprint, of pictures that are not small."""

    name: ClassVar[str] = "colours"
    version: ClassVar[int] = 1
    metric: ClassVar[str] = COSINE
    radius: ClassVar[float] = 0.02
    short_sides: ClassVar[tuple[int, int]] = (SMALL + 1, sys.maxsize)
    inside_borders: ClassVar[bool] = False

    def load(self, device: str = "cpu") -> Callable[[Sequence[View]], Codes]:
        """Return what takes the colours of views."""
        return _of_views


def _of_views(views: Sequence[View]) -> Codes:
    hashes = ImageHash()
    small = np.array([downscale(view.luma, hashes.side) for view in views], np.uint8)
    rich = hashes.fingerprint(small.reshape(-1, hashes.side, hashes.side)).quality >= POOR_SHAPES
    flat = np.array([view.thumbnail.std(axis=(0, 1)).max() < MIN_CONTRAST for view in views], bool)
    return Codes([layout(view.thumbnail) for view in views], rich | flat)


def layout(thumbnail: npt.NDArray[np.uint8]) -> Vector:
    """Return the colours of a picture as one vector: of cells beside their mean, and that.

    Parameters
    ----------
    thumbnail
        RGB, uint8, shape (side, side, 3); the side is so many times `GRID`.
    """
    each = len(thumbnail) // GRID
    parts = thumbnail.reshape(GRID, each, GRID, each, 3).astype(np.float32)
    cells = parts.mean(axis=(1, 3)).reshape(-1, 3)
    mean = cells.mean(axis=0)
    return np.append((cells - mean).ravel(), MEAN_WEIGHT * (mean - 128)).astype(np.float32)


FINGERPRINT = ColourLayout
