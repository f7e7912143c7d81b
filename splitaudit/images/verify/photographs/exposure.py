"""Are two photographs the same exposure? Also of a part, framed, turned, mirrored, as a negative.

Local features, or the orientation in which the hashes agree, say how the one may lie upon the
other. That map is refined block by block (`overlay`), and then the blocks are
asked. Two frames of a film and two shots of a scene can be aligned as well; but what
has moved is missing at one place and too much at another, where a logo or a text is only too much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from splitaudit.images.fingerprint.feature_sets import (
    READINGS,
    Features,
    transform_angles,
    transform_descriptors,
)
from splitaudit.images.verify import placement
from splitaudit.images.verify.drawings import drawn
from splitaudit.images.verify.photographs import background, changes, colours, evidence, overlay
from splitaudit.images.verify.photographs import homography as matching
from splitaudit.images.verify.photographs.evidence import Evidence
from splitaudit.images.verify.photographs.overlay import Blocks, Grey, Map

NAME = "photographs-v8"
NO_CHANGE = "recompressed"  # what is said where no change is seen
MIN_SCORE = 0.5  # <= of an accepted match
SIMILAR = 0.5  # <= of what two shots of a scene have in common
SHORT = 256  # pixels of the shorter side, at which pictures are compared
FEATURES_SHORT = 300  # and those in which the scales of features are told; see `Features`
ORIENTATIONS = 8  # of hashes; those of negatives come behind
# (level, reach) of each refinement: from a map on which features agree, and from an orientation.
FROM_FEATURES = ((1, 3), (0, 2))
FROM_ORIENTATION = ((2, 3), (1, 3), (0, 2))
WHOLE_COVERAGE = 0.9  # >= of one picture lies in the other: not only parts of both are the same
# >= of one of the pictures is in the other; less of both is a logo or a stamp on each
MIN_COVERAGE = 0.2
# <= gain either way: of light that says nothing of the other, fewer levels are left
MIN_GAIN = 0.05
MAX_MAGNIFICATION = 12.0  # <= times that one picture shows the scene larger than the other
SEARCH_REACH = (1, 0)  # pixels around its place where a block is matched, at each level
ALIGNMENT_LEVELS = (1, 0)  # levels whose pixels are aligned where a map does not prove a copy
RECOLOURED = 0.4  # <= score of pictures in other colours that have little detail
MIN_IN_PLACE = 0.1  # >= of the score if no block lay beside its place, or that is not tried

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Photograph:
    """A picture made ready to be compared.

    Parameters
    ----------
    levels
        Grey, float32, with a shorter side of at most `SHORT` pixels, then halved again and again.
    features
        Of the same picture.
    common_share
        Of its pixels, see `drawings.drawn`.
    chroma
        See `colours.mean_chroma`; None where it is not known.
    """

    levels: tuple[Grey, ...]
    features: Features
    common_share: float = 0.0
    chroma: colours.Colours | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the first level."""
        return _size(self.levels[0])

    @property
    def feature_scale(self) -> float:
        """Pixels of the first level in a pixel by which the scale of features is told."""
        return SHORT / FEATURES_SHORT if min(self.size) == SHORT else 1.0


@dataclass(frozen=True)
class Proof:
    """What a comparison found.

    Parameters
    ----------
    score
        In [0, 1]: how sure it is that both are one exposure.
    homography
        Shape (3, 3): where a point (x, y, 1) of a lies in b, up to a factor; both reach from -1 to
        1 in both directions. Where its determinant is negative, one is mirrored.
    gain, bias
        Grey level of a = gain * grey level of b + bias; a negative has a negative gain.
    coverage_a, coverage_b
        Share of each picture that the other shows.
    transform
        In words: how b differs from a.
    common
        Share of what lies upon each other that is alike, there or a pixel beside.
    """

    score: float
    homography: Map
    gain: float
    bias: float
    coverage_a: float
    coverage_b: float
    transform: str
    common: float

    @property
    def accepted(self) -> bool:
        """Whether score >= `MIN_SCORE`."""
        return self.score >= MIN_SCORE

    @property
    def similar(self) -> bool:
        """Whether both show one scene and are not known to be one exposure."""
        return self.common >= SIMILAR and not self.accepted


def prepare(pixels: Pixels, features: Features) -> Photograph:
    """Make a picture ready to be compared.

    Parameters
    ----------
    pixels
        RGB, uint8, shape (height, width, 3), upright; a shorter side of `SHORT` is enough.
    features
        Of the same picture, at whatever size.
    """
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    by = SHORT / min(grey.shape)
    if by < 1:
        size = round(grey.shape[1] * by), round(grey.shape[0] * by)
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    levels = overlay.levels(np.asarray(grey, np.float32))
    share, chroma = drawn.common_share(pixels), colours.mean_chroma(pixels)
    return Photograph(levels, features, share, chroma)


def compare(
    a: Photograph,
    b: Photograph,
    readings: Sequence[int] = range(len(READINGS)),
    orientations: Sequence[int] = (),
) -> Proof | None:
    """Compare two pictures; one thread. Returns None where nothing of the one is in the other.

    Parameters
    ----------
    a, b
        What `prepare` returns.
    readings
        How b may show what a shows, by local features: positions in `feature_sets.READINGS`.
    orientations
        And by hash: which codes of a were near the first of b, positions in
        `image_hash.Hashes.codes`.
    """
    import cv2

    cv2.setNumThreads(1)
    best = None
    for homography, negative, steps in _map_hypotheses(a, b, readings, orientations):
        proof = _verify_map(a, b, homography, negative, steps)
        if proof is not None and (best is None or proof.score > best.score):
            best = proof
        if best is not None and best.accepted:
            break
    return best


def confirm(a: Photograph, b: Photograph, homography: Map, score: float) -> Proof:
    """Return the proof of a map that was seen to hold at the size of the pictures.

    Parameters
    ----------
    a, b, homography
        Two pictures, and where a lies in b; both reach from -1 to 1.
    score
        In [0, 1].
    """
    homography = placement.denormalise(homography, a.size, b.size)
    return _build_proof(a, b, homography, (score, 1.0))


def _map_hypotheses(
    a: Photograph, b: Photograph, readings: Sequence[int], orientations: Sequence[int]
) -> Iterator[tuple[Map, bool, Any]]:
    """Maps of pixels to look at, whether b is a negative, and how to refine them."""
    for reading in readings:
        homography = _homography_from_features(a, b, reading)
        if homography is not None:
            yield homography, reading >= 2, FROM_FEATURES
    for orientation in orientations:
        homography = placement.orientation_homography(orientation % ORIENTATIONS, a.size, b.size)
        yield homography, orientation >= ORIENTATIONS, FROM_ORIENTATION


def _homography_from_features(a: Photograph, b: Photograph, reading: int) -> Map | None:
    """The map on which features agree, where b shows a in a certain way."""
    mine, its = a.features, b.features
    pairs = matching.match_descriptors(
        mine.descriptors, transform_descriptors(its.descriptors, reading)
    )
    one, other = pairs[:, 0], pairs[:, 1]
    turn = transform_angles(its.angle[other], reading) - mine.angle[one]
    size = np.log(its.scale[other] / mine.scale[one]) + np.log(b.feature_scale / a.feature_scale)
    homography, _ = matching.estimate_homography(
        placement.to_pixels(mine.points[one], a.size),
        placement.to_pixels(its.points[other], b.size),
        np.column_stack([turn, size]).astype(np.float64),
        reading % 2 == 1,
    )
    return None if homography is None else np.asarray(homography, np.float64)


def _verify_map(
    a: Photograph, b: Photograph, homography: Map, negative: bool, steps: Any
) -> Proof | None:
    larger = overlay.scale(homography, a.levels[0].shape)
    if not 1 / MAX_MAGNIFICATION <= larger <= MAX_MAGNIFICATION:
        return None
    mine, its = a.levels, tuple(255 - level for level in b.levels) if negative else b.levels
    # Always the finer picture is mapped onto the coarser one.
    if larger < 1:
        mine, its, homography = its, mine, placement.inverse(homography)
    refined = overlay.refine_homography(mine, its, homography, steps)
    if refined is None:
        return None
    refined, seen = _align_map(mine, its, refined)
    alike = seen.fine[seen.fine[:, 3] >= overlay.MIN_CORRELATION]
    refined = placement.simplify(refined, alike[:, :2])
    refined = placement.inverse(refined) if larger < 1 else refined
    common = len(alike) / len(seen.fine) if len(seen.fine) >= evidence.MIN_BLOCKS else 0.0
    proof = _build_proof(a, b, refined, (seen.evidence.score, common))
    if _is_recoloured(a, b, proof.homography):
        return replace(proof, score=min(proof.score, RECOLOURED))
    return proof


class _MapEvidence(NamedTuple):
    """What is seen at a map, and the blocks of the first level that no ink accounts for."""

    evidence: Evidence
    fine: Blocks


def _align_map(mine: Any, its: Any, homography: Map) -> tuple[Map, _MapEvidence]:
    """A map, or one near it where the pixels say so, and what is seen there."""
    best = _examine_map(mine, its, homography)
    for level in (level for level in ALIGNMENT_LEVELS if level < len(mine)):
        if best.evidence.score >= MIN_SCORE or best.evidence.in_place < MIN_IN_PLACE:
            break
        nearer = overlay.align_ecc(mine, its, homography, level)
        found = _examine_map(mine, its, nearer)
        if found.evidence.score > best.evidence.score:
            best, homography = found, nearer
    return homography, best


def _examine_map(mine: Any, its: Any, homography: Map) -> _MapEvidence:
    reaches = SEARCH_REACH[: len(mine)]
    over = [overlay.warp_over(mine, its, homography, level) for level in range(len(reaches))]
    matched = [overlay.match_blocks(*each) for each in zip(over, reaches, strict=True)]
    matched += [overlay.no_blocks()] * (len(SEARCH_REACH) - len(reaches))
    ink = changes.find_ink(over[0], matched[0])
    fine, coarse = (
        changes.unexplained_blocks(blocks, level, ink) for level, blocks in enumerate(matched)
    )
    found = evidence.weigh(fine, coarse)
    if found.score >= MIN_SCORE:
        whole = (
            max(placement.coverages(homography, _size(mine[0]), _size(its[0]))) >= WHOLE_COVERAGE
        )
        if background.contradicts(over[0], fine, ink, whole):
            found = evidence.NO_EVIDENCE
    return _MapEvidence(found, fine)


def _size(grey: Grey) -> placement.Size:
    height, width = grey.shape
    return width, height


def _build_proof(
    a: Photograph, b: Photograph, homography: Map, certain: tuple[float, float]
) -> Proof:
    gain, bias = placement.estimate_light(a.levels, b.levels, homography)
    coverage_a, coverage_b = placement.coverages(homography, a.size, b.size)
    normal = placement.normalise(homography, a.size, b.size)
    words = placement.describe_map(homography, a.size, b.size)
    transform = describe_transform(words, (coverage_a, coverage_b), (gain, bias))
    score, common = certain
    if max(coverage_a, coverage_b) < MIN_COVERAGE or not MIN_GAIN <= abs(gain) <= 1 / MIN_GAIN:
        score = 0.0
    return Proof(score, normal, gain, bias, coverage_a, coverage_b, transform, common)


def _is_recoloured(a: Photograph, b: Photograph, homography: Map) -> bool:
    """Whether colours differ, and too little else is there that proves one exposure."""
    if min(len(a.features), len(b.features)) >= colours.MIN_FEATURES:
        return False
    if a.chroma is None or b.chroma is None:
        return False
    return colours.are_recoloured(a.chroma, b.chroma, homography)


def describe_transform(
    words: list[str], coverage: tuple[float, float], light: tuple[float, float]
) -> str:
    """Return how b differs from a: how it was turned, what is missing or added, how light it is."""
    return (
        ", ".join(
            [*words, *placement.describe_coverage(*coverage), *placement.describe_light(*light)]
        )
        or NO_CHANGE
    )
