"""The comparing of photographs as a function that a process can be handed: facts about pairs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from splitaudit.engine.jobs import File
from splitaudit.engine.proving import refuse_changed, write_proofs
from splitaudit.images.decode import pictures
from splitaudit.images.decode.boxes import (
    WHOLE,
    Box,
    Pixels,
    area,
    box_matrix,
    crop,
    replicate_edges,
)
from splitaudit.images.fingerprint.feature_sets import NO_FEATURES, Features
from splitaudit.images.verify import placement
from splitaudit.images.verify.drawings import compare as drawings
from splitaudit.images.verify.drawings.drawn import are_drawn
from splitaudit.images.verify.photographs import exposure
from splitaudit.images.verify.photographs.exposure import Photograph, Proof
from splitaudit.images.verify.proofs import NO_PROOF, PROOFS, PictureVerifier

MIN_SCALING = 0.03  # >: change of size that is told, as a share
CACHE_SIZE = 128  # photographs, of about 0.7 MB each


@dataclass(frozen=True)
class Side:
    """A photograph of a pair.

    Parameters
    ----------
    file
        Where to read it.
    size
        Width and height in pixels.
    inner
        What lies within its border; the whole where it has none that is no part of it.
    features
        Its local features.
    """

    file: File
    size: tuple[int, int]
    inner: Box
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
    readings, orientations
        How b may show a, see `photographs.compare`.
    boxes
        And of which part of each the orientations are: what lies within its border, or all of it.
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

    @property
    def files(self) -> tuple[File, File]:
        """What is read to compare them."""
        return self.a.file, self.b.file


class Photographs(PictureVerifier):
    """The verifier of pairs of pictures that are not small."""

    name: ClassVar[str] = exposure.NAME

    def verify(self, pairs: Sequence[Pair], folder: Path) -> int:
        """Compare pairs of photographs."""
        return write_proofs(pairs, _prove, PROOFS, folder)


def _prove(pair: Pair) -> dict[str, Any]:
    sides = _load_sides(pair)
    proof = _compare_pair(pair, sides)
    if are_drawn(*(side.common_share for side in sides)):
        whole = pair.orientations if pair.boxes == (WHOLE, WHOLE) else ()
        proof = drawings.examine((pair.a.file, pair.b.file), sides, whole, proof)
    return _row(pair, sides, proof) if proof else NO_PROOF


def _load_sides(pair: Pair) -> tuple[Photograph, Photograph]:
    """Both photographs. Where both have a border, it is painted over: it may be all they share."""
    see = replicate_edges if WHOLE not in (pair.a.inner, pair.b.inner) else _keep_pixels
    a, b = (_load_photograph(side, see, side.inner, side.features) for side in (pair.a, pair.b))
    return a, b


def _keep_pixels(pixels: Pixels, _: Box) -> Pixels:
    return pixels


def _compare_pair(pair: Pair, sides: tuple[Photograph, Photograph]) -> Proof | None:
    """Compare two photographs, or what lies within their borders where the hashes are of that."""
    if pair.boxes == (WHOLE, WHOLE):
        return exposure.compare(*sides, pair.readings, pair.orientations)
    whole = exposure.compare(*sides, pair.readings) if pair.readings else None
    if whole is not None and whole.accepted:
        return whole
    parts = zip((pair.a, pair.b), pair.boxes, strict=True)
    a, b = (_load_photograph(side, crop, box, NO_FEATURES) for side, box in parts)
    found = exposure.compare(a, b, (), pair.orientations)
    if found is None or (whole is not None and whole.score > found.score):
        return whole
    return _extend_proof(pair.boxes, sides, found)


def _extend_proof(
    boxes: tuple[Box, Box], sides: tuple[Photograph, Photograph], proof: Proof
) -> Proof:
    """What a proof of parts of two photographs says of the whole ones."""
    here, there = map(box_matrix, boxes)
    homography = there @ proof.homography @ placement.inverse(here)
    coverage = proof.coverage_a * area(boxes[0]), proof.coverage_b * area(boxes[1])
    sizes = sides[0].size, sides[1].size
    words = placement.describe_map(placement.denormalise(homography, *sizes), *sizes)
    return replace(
        proof,
        homography=homography / homography[2, 2],
        coverage_a=coverage[0],
        coverage_b=coverage[1],
        transform=exposure.describe_transform(words, coverage, (proof.gain, proof.bias)),
    )


def _row(pair: Pair, sides: tuple[Photograph, Photograph], proof: Proof) -> dict[str, Any]:
    sizes = sides[0].size, sides[1].size
    back = placement.denormalise(placement.inverse(proof.homography), sizes[1], sizes[0])
    gain = proof.gain if abs(proof.gain) > 1e-3 else 1.0
    words, coverage = (
        placement.describe_map(back, sizes[1], sizes[0]),
        (proof.coverage_b, proof.coverage_a),
    )
    undone = exposure.describe_transform(words, coverage, (1 / gain, -proof.bias / gain))
    larger = placement.magnification(proof.homography, pair.a.size, pair.b.size)
    return {
        "found": True,
        "score": proof.score,
        "accepted": proof.accepted,
        "similar": proof.similar,
        "coverage_a": proof.coverage_a,
        "coverage_b": proof.coverage_b,
        "homography": proof.homography.ravel().tolist(),
        "transform": _describe_scale(proof.transform, larger),
        "undone": _describe_scale(undone, 1 / larger),
    }


def _describe_scale(words: str, larger: float) -> str:
    """The words, and by how much the picture was scaled."""
    if abs(larger - 1) <= MIN_SCALING:
        return words
    scaled = f"scaled {larger:.2f}"
    return scaled if words == exposure.NO_CHANGE else f"{scaled}, {words}"


See = Callable[[Pixels, Box], Pixels]
_CACHE: OrderedDict[tuple[File, See, Box, int], Photograph] = (
    OrderedDict()
)  # see `engine.pair_order`


def _load_photograph(side: Side, see: See, box: Box, features: Features) -> Photograph:
    of = side.file, see, box, len(features)  # another scan may have taken none
    if of not in _CACHE:
        pixels = pictures.load(side.file.path, short_side=exposure.SHORT).pixels
        refuse_changed(side.file)
        _CACHE[of] = exposure.prepare(see(pixels, box), features)
        if len(_CACHE) > CACHE_SIZE:
            _CACHE.popitem(last=False)
    _CACHE.move_to_end(of)
    return _CACHE[of]
