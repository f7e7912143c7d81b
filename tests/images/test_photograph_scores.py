"""What a score of two photographs decides, on both sides of the number that accepts."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.images.verify.photographs import background, evidence, exposure, overlay
from splitaudit.images.verify.photographs.evidence import NO_EVIDENCE, Evidence

Array = np.ndarray
NO_BLOCKS = np.zeros((0, 8))


@pytest.mark.parametrize(("score", "accepted"), [(0.51, True), (0.49, False)])
def test_a_proof_is_accepted_from_a_half_on(score: float, accepted: bool) -> None:
    proof = exposure.Proof(score, np.eye(3), 1.0, 0.0, 1.0, 1.0, "recompressed", 1.0)
    assert proof.accepted == accepted
    assert proof.similar == (not accepted)


@pytest.mark.parametrize(("score", "asked"), [(0.51, []), (0.49, [1, 0])])
def test_pixels_are_aligned_where_a_map_proves_no_copy(
    score: float, asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    levels: list[int] = []

    def align(mine: Array, its: Array, homography: Array, level: int) -> Array:
        levels.append(level)
        return homography

    seen = exposure._MapEvidence(Evidence(score, 0.9), NO_BLOCKS)
    monkeypatch.setattr(exposure, "_examine_map", lambda *_: seen)
    monkeypatch.setattr(overlay, "align_ecc", align)
    sizes = [NO_BLOCKS] * 3
    assert exposure._align_map(sizes, sizes, np.eye(3)) == (pytest.approx(np.eye(3)), seen)
    assert levels == asked


@pytest.mark.parametrize(("score", "asked"), [(0.51, True), (0.49, False)])
def test_plain_light_speaks_against_what_would_be_accepted(
    score: float, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Evidence(score, 0.9)
    monkeypatch.setattr(evidence, "weigh", lambda *_: found)
    monkeypatch.setattr(background, "contradicts", lambda *_: True)
    grey = np.random.default_rng(0).integers(0, 256, (128, 128)).astype(np.float32)
    levels = overlay.levels(grey)
    seen = exposure._examine_map(levels, levels, np.eye(3)).evidence
    assert seen == (NO_EVIDENCE if asked else found)


def test_a_block_is_told_by_where_its_middle_is() -> None:
    """A patch of detail on plain ground, which is one block and a little of those around it."""
    first = np.array([overlay.MARGIN_A + 3 * overlay.BLOCK, overlay.MARGIN_A + 5 * overlay.BLOCK])
    grey = np.full((160, 192), 128, np.float32)
    (x, y), side = first[::-1], overlay.BLOCK
    grey[y : y + side, x : x + side] += np.random.default_rng(0).normal(0, 40, (side, side))
    levels = overlay.levels(grey)
    found = overlay.match_blocks(overlay.warp_over(levels, levels, np.eye(3), 0), 2)
    strongest = found[found[:, 4].argmax()]
    assert strongest[:2].tolist() == [x + (side - 1) / 2, y + (side - 1) / 2]
