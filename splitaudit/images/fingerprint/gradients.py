"""Oriented gradients of a small picture: 512 numbers that brightness and recoding hardly change.

After Dalal and Triggs, "Histograms of oriented gradients for human detection" (CVPR 2005): cells
of four by four pixels, eight directions, shared linearly among the nearest cells and directions.
Square roots instead of their normalisation of blocks (as in RootSIFT; Arandjelovic and Zisserman,
CVPR 2012) keep one strong edge from speaking for the whole picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from splitaudit.images.decode.thumbnail import SIDE, Grey, Pixels, grey
from splitaudit.images.fingerprint.contract import COSINE, Codes, PictureFingerprint
from splitaudit.images.fingerprint.views import View

SMALL = 96  # pixels of the shorter side, <=: such pictures are searched by their gradients
CELLS, DIRECTIONS = 8, 8  # cells along a side; directions of a full turn
DIMENSIONS = CELLS * CELLS * DIRECTIONS
SCALE = 256  # of the numbers stored; of a unit vector in 512 dimensions hardly one exceeds 0.49
FLAT = 1.0  # <: mean change from pixel to pixel, of 255; there is nothing in it to find it by
BLOCK = 2_048  # pictures described at once
# Side of the middle that is looked at more closely, as a share: crops and frames are found by it.
MIDDLE = 0.8

Vectors = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Gradients:
    """The gradients of many pictures.

    Parameters
    ----------
    vectors
        int8, shape (n, `DIMENSIONS`): unit vectors times `SCALE`.
    degenerate
        Shape (n,): the picture is flat, and its vector zero.
    """

    vectors: Vectors
    degenerate: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Gradient(PictureFingerprint):
    """The fingerprint."""

    name: ClassVar[str] = "gradients"
    version: ClassVar[int] = 2
    metric: ClassVar[str] = COSINE
    radius: ClassVar[float] = 0.6  # 198 of 201 copies in CIFAR are nearer
    scale: ClassVar[int] = SCALE
    short_sides: ClassVar[tuple[int, int]] = (1, SMALL)

    def load(self, device: str = "cpu") -> Callable[[Sequence[View]], Codes]:
        """Return what describes views."""
        return self._of_views

    def queries(self, vectors: Vectors) -> Vectors:
        """Return pictures as they are looked up, see `query_vectors`."""
        return query_vectors(vectors)

    def _of_views(self, seen: Sequence[View]) -> Codes:
        thumbnails = np.array([view.thumbnail for view in seen], np.uint8)
        found = self.fingerprint(thumbnails.reshape(-1, SIDE, SIDE, 3))
        return Codes(found.vectors, found.degenerate)

    def fingerprint(self, pictures: Pixels) -> Gradients:
        """Return the gradients of pictures.

        Parameters
        ----------
        pictures
            uint8, shape (n, `SIDE`, `SIDE`, 3), see `splitaudit.images.decode.thumbnail`.
        """
        vectors = np.zeros((len(pictures), DIMENSIONS), np.int8)
        degenerate = np.zeros(len(pictures), bool)
        for begin in range(0, len(pictures), BLOCK):
            some = slice(begin, begin + BLOCK)
            across, down = _central_differences(grey(pictures[some]))
            strength = np.hypot(across, down)
            degenerate[some] = strength.mean(axis=(1, 2)) < FLAT
            cells = _orientation_histograms(strength, np.arctan2(down, across))
            vectors[some] = _quantise(cells, ~degenerate[some])
        return Gradients(vectors, degenerate)


def mirror(vectors: Vectors) -> Vectors:
    """Return the gradients of the same pictures as seen in a mirror, shape (n, `DIMENSIONS`)."""
    cells = vectors.reshape(-1, CELLS, CELLS, DIRECTIONS)
    # What points along angle t points along half a turn less t in the mirror.
    facing = (DIRECTIONS // 2 - np.arange(DIRECTIONS)) % DIRECTIONS
    return np.ascontiguousarray(cells[:, :, ::-1, facing].reshape(-1, DIMENSIONS))


def zoom_in(vectors: Vectors) -> Vectors:
    """Return about the gradients of the middle of the same pictures, shape (n, `DIMENSIONS`).

    The cells are interpolated; cosine 0.89 with what the middle itself would give.
    """
    at = (np.arange(CELLS) + 0.5 - CELLS / 2) * MIDDLE + CELLS / 2 - 0.5
    away = np.abs(at[:, None] - np.arange(CELLS))
    share = np.maximum(0, 1 - away).astype(np.float32)
    found = np.empty_like(vectors)
    for begin in range(0, len(vectors), BLOCK):
        cells = vectors[begin : begin + BLOCK].reshape(-1, CELLS, CELLS, DIRECTIONS)
        rows = np.einsum("ih,nhwd->niwd", share, cells.astype(np.float32))
        middle = np.einsum("jw,niwd->nijd", share, rows)
        found[begin : begin + BLOCK] = _normalise(middle.reshape(-1, DIMENSIONS))
    return found


def query_vectors(vectors: Vectors) -> Vectors:
    """Return pictures as they are looked up, shape (2, 2, n, `DIMENSIONS`).

    As they are, and closer; of each, plain and mirrored.
    """
    return np.stack([[seen, mirror(seen)] for seen in (vectors, zoom_in(vectors))])


def _central_differences(levels: Grey) -> tuple[Grey, Grey]:
    """Central differences, a pixel, to the right and downwards; edges go on level."""
    padded = np.pad(levels, ((0, 0), (1, 1), (1, 1)), "edge")
    across = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    half = np.float32(0.5)
    return across * half, down * half


def _orientation_histograms(strength: Grey, angle: Grey) -> Grey:
    """Strength by cell and direction, shape (n, `CELLS`, `CELLS`, `DIRECTIONS`)."""
    turn = (angle / (2 * np.pi) * DIRECTIONS) % DIRECTIONS
    share, cells = _cell_weights(), []
    for direction in range(DIRECTIONS):
        away = np.abs((turn - direction + DIRECTIONS / 2) % DIRECTIONS - DIRECTIONS / 2)
        part = strength * np.maximum(0, 1 - away)
        cells.append(share @ part @ share.T)
    return np.stack(cells, axis=-1)


def _cell_weights() -> Grey:
    """Share of each row of pixels in each row of cells, shape (`CELLS`, `SIDE`)."""
    wide = SIDE / CELLS
    centres = (np.arange(CELLS) + 0.5) * wide
    away = np.abs(np.arange(SIDE) + 0.5 - centres[:, None])
    return np.maximum(0, 1 - away / wide).astype(np.float32)


def _quantise(cells: Grey, told: npt.NDArray[np.bool_]) -> Vectors:
    """Unit vectors times `SCALE`, zero where not told."""
    return _normalise(np.sqrt(cells.reshape(-1, DIMENSIONS))) * told[:, None]


def _normalise(values: Grey) -> Vectors:
    """Vectors at length `SCALE` less their mean, zero where they are level.

    Square roots are never negative; without their mean, pictures that share nothing but texture
    everywhere have a cosine near 0 and not near 0.9.
    """
    values = values - values.mean(axis=1, keepdims=True)
    unit = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-6)
    return np.asarray(np.clip(np.rint(unit * SCALE), -127, 127), np.int8)


FINGERPRINT = Gradient
