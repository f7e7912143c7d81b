"""What is said of two pictures that are drawings: they are read at their own size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from splitaudit.engine.jobs import File
from splitaudit.engine.proving import refuse_changed
from splitaudit.images.decode import pictures
from splitaudit.images.verify import placement
from splitaudit.images.verify.drawings import overlay
from splitaudit.images.verify.drawings.overlay import Pixels
from splitaudit.images.verify.drawings.verdict import CERTAIN, DIFFERENT, SIZES, confirms
from splitaudit.images.verify.photographs import exposure
from splitaudit.images.verify.photographs.exposure import Photograph, Proof
from splitaudit.images.verify.photographs.overlay import Map

CACHE_SIZE = 24  # drawings, of at most 7.7 MB each; see `engine.pair_order`
UPRIGHT = 0  # tried first, whatever the hashes say: of what is symmetric they may say anything
SMALL = 16  # pixels, to each side, at which it is seen whether all of two pictures may be the same
# <= grey levels by which they may differ there, on average: another light, or a line of words.
MAX_DIFFERENCE = 24.0

Sides = tuple[Photograph, Photograph]


def examine(
    files: tuple[File, File], sides: Sides, orientations: Sequence[int], proof: Proof | None
) -> Proof | None:
    """Return what is said of two drawings.

    All of the one upon all of the other is tried first, then what was found in small.

    Parameters
    ----------
    files, sides
        Where they lie, and as they are compared in small.
    orientations
        How all of b may be all of a: positions in `image_hash.Hashes.codes`.
    proof
        What was found in small.
    """
    for homography, is_whole in _maps(sides, orientations, proof):
        a, b = map(_load, files)
        if confirms(a, b, homography, is_whole):
            return exposure.confirm(*sides, homography, max(CERTAIN, proof.score if proof else 0))
    return proof and replace(proof, score=min(proof.score, DIFFERENT))


def _maps(
    sides: Sides, orientations: Sequence[int], proof: Proof | None
) -> Iterator[tuple[Map, bool]]:
    """Maps to look at, each with whether it lays all of one picture upon all of the other."""
    a, b = (side.size for side in sides)
    for orientation in dict.fromkeys((UPRIGHT, *orientations)):
        to = placement.orientation_homography(orientation % exposure.ORIENTATIONS, a, b)
        if orientation < exposure.ORIENTATIONS and _looks_alike(sides, orientation):
            yield placement.normalise(to, a, b), True
    if proof is not None and proof.accepted:
        yield proof.homography, False


def _looks_alike(sides: Sides, orientation: int) -> bool:
    """Whether all of two pictures may be the same."""
    import cv2

    size, area = (SMALL, SMALL), cv2.INTER_AREA
    a, b = (cv2.resize(side.levels[0], size, interpolation=area) for side in sides)
    to = placement.orientation_homography(orientation, size, size)
    seen = cv2.warpPerspective(b, to, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return float(np.abs(a - seen).mean()) <= MAX_DIFFERENCE


@lru_cache(maxsize=CACHE_SIZE)
def _load(file: File) -> Pixels:
    pixels = pictures.load(file.path).pixels
    refuse_changed(file)
    return overlay.shrink(pixels, SIZES[-1])
