"""The comparing of small pictures as a function that a process can be handed: facts about pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from splitaudit.fingerprints.image_hash import (
    NEGATIVE,
    ORIENTATIONS,
    oriented,
    undoing,
    whence,
)
from splitaudit.jobs import write
from splitaudit.media.thumbnail import SIDE
from splitaudit.pictures.proofs import PROOFS
from splitaudit.verify import thumbnails

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """Two small pictures to be compared.

    Parameters
    ----------
    key
        Of the fact: both contents and the variant.
    a, b
        Their thumbnails.
    variant
        What is to be done to b to see a, as the codes of `ImageHash` are ordered.
    """

    key: str
    a: bytes
    b: bytes
    variant: int

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.a) + len(self.b)


def verify(pairs: Sequence[Pair], folder: Path) -> int:
    """Compare pairs of small pictures."""
    places: dict[tuple[bytes, int], int] = {}
    at = [
        [places.setdefault(side, len(places)) for side in ((pair.a, 0), (pair.b, pair.variant))]
        for pair in pairs
    ]
    pictures = np.stack([oriented(_pixels(held), variant) for held, variant in places])
    proofs = thumbnails.compare(thumbnails.ready(pictures), np.array(at))
    table = {
        "key": [pair.key for pair in pairs],
        "found": proofs.score > 0,
        "score": proofs.score,
        "accepted": proofs.accepted,
        "coverage_a": proofs.coverage_a,
        "coverage_b": proofs.coverage_b,
        "homography": list(_maps(pairs, proofs.affine)),
        "transform": _worded(proofs, [undoing(pair.variant) for pair in pairs]),
        "undone": _worded(proofs.turned(), [pair.variant for pair in pairs]),
    }
    return write(pa.table(table), PROOFS, [pair.key for pair in pairs], folder)


def _pixels(held: bytes) -> Pixels:
    return np.frombuffer(held, np.uint8).reshape(SIDE, SIDE, 3)


def _maps(pairs: Sequence[Pair], affine: thumbnails.Wide) -> thumbnails.Wide:
    """From a to b as it lies on the disk, shape (n, 9)."""
    whole = np.concatenate([affine, np.tile([[[0.0, 0.0, 1.0]]], (len(affine), 1, 1))], axis=1)
    maps: thumbnails.Wide = np.stack([whence(pair.variant) for pair in pairs]) @ whole
    return maps.reshape(-1, 9)


def _worded(proofs: thumbnails.Proofs, variants: Sequence[int]) -> list[str]:
    """What was done in words: how it was turned, and how it differs then."""
    return [
        ", ".join([*_turned(variant), *([words] if words else [])]) or "same picture"
        for variant, words in zip(variants, proofs.transforms(), strict=True)
    ]


def _turned(variant: int) -> list[str]:
    words = [ORIENTATIONS[variant % NEGATIVE]] if variant % NEGATIVE else []
    return words + (["negative"] if variant >= NEGATIVE else [])
