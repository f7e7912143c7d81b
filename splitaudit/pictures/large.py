"""The comparing of photographs as a function that a process can be handed: facts about pairs."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from splitaudit.errors import MediaError
from splitaudit.features import Features
from splitaudit.jobs import File, write
from splitaudit.media import image
from splitaudit.pictures.proofs import PROOFS
from splitaudit.verify import photographs, placement
from splitaudit.verify.photographs import Photograph, Proof
from splitaudit.verify.placement import Box

SCALED = 0.03  # >: change of size that is told, as a share
HELD = 128  # photographs, of about 0.7 MB each


@dataclass(frozen=True)
class Side:
    """A photograph of a pair: where to read it, its size in pixels, and its local features."""

    file: File
    size: tuple[int, int]
    features: Features


@dataclass(frozen=True)
class Pair:
    """Two photographs to be compared.

    Parameters
    ----------
    key
        Of the fact: both contents and what is below.
    a, b
        The photographs.
    readings, orientations, boxes
        How b may show a, see `photographs.compare`.
    """

    key: str
    a: Side
    b: Side
    readings: tuple[int, ...]
    orientations: tuple[int, ...]
    boxes: tuple[Box, Box]

    @property
    def size(self) -> int:
        """Bytes."""
        return self.a.file.size + self.b.file.size


def verify(pairs: Sequence[Pair], folder: Path) -> int:
    """Compare pairs of photographs."""
    rows = []
    for pair in pairs:
        with contextlib.suppress(MediaError):  # gone since it was fingerprinted
            sides = _photograph(pair.a), _photograph(pair.b)
            proof = photographs.compare(*sides, pair.readings, pair.orientations, pair.boxes)
            row = _row(pair, sides, proof) if proof else {"found": False, "accepted": False}
            if not (pair.a.file.changed or pair.b.file.changed):
                rows.append({"key": pair.key, **row})
    return write(rows, PROOFS, [pair.key for pair in pairs], folder)


def _row(pair: Pair, sides: tuple[Photograph, Photograph], proof: Proof) -> dict[str, Any]:
    sizes = sides[0].size, sides[1].size
    back = placement.in_pixels(placement.inverse(proof.homography), sizes[1], sizes[0])
    gain = proof.gain if abs(proof.gain) > 1e-3 else 1.0
    words, coverage = (
        placement.words(back, sizes[1], sizes[0]),
        (proof.coverage_b, proof.coverage_a),
    )
    undone = photographs.worded(words, coverage, (1 / gain, -proof.bias / gain))
    larger = placement.larger(proof.homography, pair.a.size, pair.b.size)
    return {
        "found": True,
        "score": proof.score,
        "accepted": proof.accepted,
        "coverage_a": proof.coverage_a,
        "coverage_b": proof.coverage_b,
        "homography": proof.homography.ravel().tolist(),
        "transform": _scaled(proof.transform, larger),
        "undone": _scaled(undone, 1 / larger),
    }


def _scaled(words: str, larger: float) -> str:
    """The words, and by how much the picture was scaled."""
    if abs(larger - 1) <= SCALED:
        return words
    scaled = f"scaled {larger:.2f}"
    return scaled if words == photographs.SAME else f"{scaled}, {words}"


_HELD: OrderedDict[File, Photograph] = OrderedDict()  # of this process; see `splitaudit.route`


def _photograph(side: Side) -> Photograph:
    if side.file not in _HELD:
        pixels = image.load(side.file.path, short_side=photographs.SHORT).pixels
        _HELD[side.file] = photographs.ready(pixels, side.features)
        if len(_HELD) > HELD:
            _HELD.popitem(last=False)
    _HELD.move_to_end(side.file)
    return _HELD[side.file]
