"""The comparing of small pictures as a function that a process can be handed: facts about pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from splitaudit import schema
from splitaudit.engine.jobs import File
from splitaudit.engine.proving import (
    Row,
    are_finite,
    explain,
    failure,
    refuse_changed,
    write_decided,
)
from splitaudit.images.decode import pictures
from splitaudit.images.decode.boxes import Box, area, box_matrix, crop
from splitaudit.images.decode.thumbnail import SIDE, thumbnail
from splitaudit.images.fingerprint.hash import (
    NEGATIVE,
    ORIENTATIONS,
    inverse_variant,
    orient,
    orientation_matrix,
)
from splitaudit.images.verify import placement
from splitaudit.images.verify.drawings.verdict import DIFFERENT
from splitaudit.images.verify.proofs import PROOFS, PictureVerifier
from splitaudit.images.verify.thumbnails import exposure
from splitaudit.images.verify.thumbnails.drawings import are_small_drawings, confirms_small

SIMILAR = 0.1  # >=: score of what is listed, where it is not accepted
MIN_FINER = 40  # >= pixels that both have a side, or thumbnails show as much
WHOLE = 0.9  # >= of either picture: all of the one lies upon all of the other
CACHE_SIZE = 1_024  # pictures, of at most 28 kB each; pairs of a picture stand together

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """Two small pictures to be compared.

    Parameters
    ----------
    key
        Of the fact: both contents and what is below.
    a, b
        The thumbnails of a part of each.
    variant
        What is to be done to b to see a, as the codes of `ImageHash` are ordered.
    boxes
        Which part.
    files
        Where to read them, where that part of both has more pixels than a thumbnail.
    finest
        Pixels of a side that both have.
    """

    key: str
    a: bytes
    b: bytes
    variant: int
    boxes: tuple[Box, Box]
    files: tuple[File, ...] = ()
    finest: int = SIDE

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.a) + len(self.b)


class Thumbnails(PictureVerifier):
    """The verifier of pairs of which either picture is small."""

    name: ClassVar[str] = exposure.NAME

    def verify(self, pairs: Sequence[Pair], folder: Path) -> int:
        """Compare pairs of small pictures."""
        found, failed = _prove(pairs)
        return write_decided(found, failed, [pair.key for pair in pairs], (PROOFS, folder))


def _prove(pairs: Sequence[Pair]) -> tuple[pa.Table, list[Row]]:
    """The facts of pairs, and why there is none; those that fail together are asked in halves."""
    try:
        proofs = schema.conform(_compare_pairs(pairs), PROOFS)
    except Exception as error:  # of some pairs: these are rows, not the end
        if len(pairs) > 1:
            half = len(pairs) // 2
            (one, these), (other, those) = _prove(pairs[:half]), _prove(pairs[half:])
            return pa.concat_tables([one, other]), these + those
        return PROOFS.empty_table(), [{"key": pair.key, **explain(pair, error)} for pair in pairs]
    sound = are_finite(proofs)
    odd = proofs["key"].filter(pa.array(~sound)).to_pylist()
    reason = failure(ValueError("the score, the map or a share is no number"))
    return proofs.filter(pa.array(sound)), [{"key": key, **reason} for key in odd]


def _compare_pairs(pairs: Sequence[Pair]) -> pa.Table:
    """The facts of pairs."""
    places: dict[tuple[bytes, int], int] = {}
    at = [
        [places.setdefault(side, len(places)) for side in ((pair.a, 0), (pair.b, pair.variant))]
        for pair in pairs
    ]
    seen = np.stack([orient(_pixels(held), variant) for held, variant in places])
    proofs = _look_closer(pairs, exposure.compare(exposure.prepare(seen), np.array(at)))
    coverage_a, coverage_b = _coverages(pairs, proofs)
    columns = {
        "key": [pair.key for pair in pairs],
        "found": proofs.score > 0,
        "score": proofs.score,
        "accepted": proofs.accepted,
        "similar": ~proofs.accepted & (proofs.score >= SIMILAR),
        "coverage_a": coverage_a,
        "coverage_b": coverage_b,
        "homography": list(_maps(pairs, proofs.affine)),
        "transform": _describe_transforms(
            proofs, [(inverse_variant(p.variant), *p.boxes) for p in pairs]
        ),
        "undone": _describe_transforms(
            proofs.turned(), [(p.variant, *p.boxes[::-1]) for p in pairs]
        ),
    }
    return pa.table(columns)


def _look_closer(pairs: Sequence[Pair], proofs: exposure.Proofs) -> exposure.Proofs:
    """The same, where pairs that are accepted are compared at the finest size that both have."""
    score, affine = proofs.score.copy(), proofs.affine.copy()
    for row in np.flatnonzero(proofs.accepted).tolist():
        pair = pairs[row]
        a, b = _finest(pair)
        if len(a) > SIDE:
            left, affine[row] = exposure.look_closer(a, b, affine[row])
            score[row] *= left
        if are_small_drawings(a, b):
            whole = min(proofs.coverage_a[row], proofs.coverage_b[row]) >= WHOLE
            if not confirms_small(a, b, affine[row], pair.variant, bool(whole)):
                score[row] = min(score[row], DIFFERENT)
    return replace(proofs, score=score, affine=affine)


def _finest(pair: Pair) -> tuple[Pixels, Pixels]:
    """Both pictures at the finest size that both have, the second as `variant` turns it."""
    if not pair.files or pair.finest < MIN_FINER:
        return _pixels(pair.a), orient(_pixels(pair.b), pair.variant)
    sides = zip(pair.files, pair.boxes, (0, pair.variant), strict=True)
    a, b = (_read_finer(*side, pair.finest // 2 * 2) for side in sides)
    return a, b


@lru_cache(maxsize=CACHE_SIZE)
def _read_finer(file: File, box: Box, variant: int, side: int) -> Pixels:
    """A part of a picture, square, as `orient` turns it."""
    left, top, right, bottom = box
    whole = side / min(right - left, bottom - top) * 2
    pixels = pictures.load(file.path, short_side=round(2 * whole)).pixels
    refuse_changed(file)
    return orient(thumbnail(crop(pixels, box), side), variant)


def select_thumbnail(held: bytes, view: int) -> bytes:
    """Return one of the thumbnails of a picture, which lie one behind the other."""
    size = 3 * SIDE * SIDE
    return held[view * size : (view + 1) * size]


def _pixels(held: bytes) -> Pixels:
    return np.frombuffer(held, np.uint8).reshape(SIDE, SIDE, 3)


def _coverages(pairs: Sequence[Pair], proofs: exposure.Proofs) -> exposure.Wide:
    """Shares of the whole pictures, shape (2, n)."""
    shares = np.array([[area(box) for box in pair.boxes] for pair in pairs])
    both: exposure.Wide = shares.T * [proofs.coverage_a, proofs.coverage_b]
    return both


def _maps(pairs: Sequence[Pair], affine: exposure.Wide) -> exposure.Wide:
    """From a to b as it lies on the disk, shape (n, 9)."""
    whole = np.concatenate([affine, np.tile([[[0.0, 0.0, 1.0]]], (len(affine), 1, 1))], axis=1)
    within, there = (np.stack([box_matrix(p.boxes[k]) for p in pairs]) for k in (0, 1))
    turned = np.stack([orientation_matrix(pair.variant) for pair in pairs])
    maps: exposure.Wide = there @ turned @ whole @ np.linalg.inv(within)
    return maps.reshape(-1, 9)


def _describe_transforms(proofs: exposure.Proofs, how: Sequence[tuple[int, Box, Box]]) -> list[str]:
    """What was done in words: how it was turned, what border it lost or got, how it differs."""
    return [
        ", ".join(
            [
                *_describe_orientation(variant),
                *_describe_coverage(boxes),
                *([words] if words else []),
            ]
        )
        or "same picture"
        for (variant, *boxes), words in zip(how, proofs.transforms(), strict=True)
    ]


def _describe_coverage(boxes: Sequence[Box]) -> list[str]:
    return placement.describe_coverage(*map(area, boxes))


def _describe_orientation(variant: int) -> list[str]:
    words = [ORIENTATIONS[variant % NEGATIVE]] if variant % NEGATIVE else []
    return words + (["negative"] if variant >= NEGATIVE else [])
