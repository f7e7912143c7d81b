"""How sure two small pictures are one exposure, and what that decides, beside each threshold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from splitaudit.images.decode.boxes import WHOLE
from splitaudit.images.decode.thumbnail import SIDE
from splitaudit.images.verify.thumbnails import exposure
from splitaudit.images.verify.thumbnails.compare import Pair, Thumbnails

PLAIN = np.eye(2, 3)[None]  # a map that leaves all where it is
TWO = 1 - np.exp(-2)  # a correlation that is as certain as 2


def found(correlation: float = TWO, gain: float = 1.0, coverage: float = 1.0) -> exposure.Wide:
    """A row: correlation of detail and of colour, gain, bias, coverage of either."""
    return np.array([[correlation, correlation, gain, 0.0, coverage, 1.0]])


def proofs(*scores: float) -> exposure.Proofs:
    each = np.ones(len(scores))
    affine = np.repeat(PLAIN, len(scores), axis=0)
    return exposure.Proofs(np.array(scores), affine, each, 0 * each, each, each)


def test_a_proof_is_accepted_from_a_half_on() -> None:
    assert proofs(0.51, 0.49).accepted.tolist() == [True, False]


# 3.45 and 2.25 times 2, and 1.1 times the logarithm of the spread, against 14.3.
@pytest.mark.parametrize(("spread", "probability"), [(2.67, 0.509), (2.60, 0.490)])
def test_the_evidence_must_outweigh_what_is_held_against_it(
    spread: float, probability: float
) -> None:
    over = np.exp([spread], dtype=np.float32)
    got = exposure._same_exposure_probability(found(), PLAIN, over)
    assert got == pytest.approx([probability], abs=0.001)
    assert proofs(*got).accepted.tolist() == [probability > 0.5]


# 5.5 times the logarithm of the gain, or 10.5 times that of what both share, against 2.35; what is
# left of the certainty lies between 0.55 and 1, which an equal picture has.
@pytest.mark.parametrize(("against", "likeness"), [(2.31, 0.8014), (2.39, 0.7915), (0.0, 1.0)])
def test_what_was_done_is_weighed_against_an_equal_picture(against: float, likeness: float) -> None:
    lighter, darker = (found(gain=np.exp(sign * against / 5.5)) for sign in (-1, 1))
    cropped = found(coverage=np.exp(-against / 10.5))
    for row in (lighter, darker, cropped):
        assert exposure._likeness(row, PLAIN) == pytest.approx([likeness], abs=0.0005)


LISTED = {0.51: (True, False), 0.49: (False, True), 0.11: (False, True), 0.09: (False, False)}


@pytest.mark.parametrize("score", LISTED)
def test_a_pair_is_listed_as_similar_from_a_tenth_on(
    score: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposure, "compare", lambda *_: proofs(score))
    noise = np.random.default_rng(0).integers(0, 256, 3 * SIDE * SIDE, np.uint8).tobytes()
    assert Thumbnails().verify([Pair("key", noise, noise, 0, (WHOLE, WHOLE))], tmp_path) == 1
    (row,) = pq.read_table(tmp_path).to_pylist()
    assert (row["accepted"], row["similar"]) == LISTED[score]
    assert row["score"] == score
