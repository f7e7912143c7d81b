"""What the proofs of pictures say, as matches between items."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit import schema
from splitaudit.engine import matches
from splitaudit.engine.matches import Row

PART = "image"
NEAR_COVERAGE = 0.8  # >= on both sides: the same picture, not a part of it


def expand(
    members: pd.DataFrame,
    proofs: pd.DataFrame,
    labels: Mapping[str, frozenset[str]],
    fingerprint: str,
) -> pa.Table:
    """Return the matches between items.

    Parameters
    ----------
    members
        Columns item_id, split, same_id, content_id, status: items with a picture.
    proofs
        One row a pair of pictures, a and b: score, accepted, similar, coverage_a, coverage_b,
        homography, transform, undone, verifier.
    labels
        Of items that have any.
    fingerprint
        For the column of that name.
    """
    proofs = proofs[proofs["accepted"] | proofs["similar"]]
    words = matches.MatchColumns(PART, _equal_row, partial(_proof_rows, fingerprint=fingerprint))
    return matches.expand(members, proofs, labels, words)


def _equal_row(fact: Row) -> Row:
    return {
        "verifier": "pixels",
        "transform": "same pixels",
        "homography": np.eye(3).ravel().tolist(),
        # Two pictures of one colour have equal pixels and nothing in common.
        "accepted": fact["status"] != schema.DEGENERATE,
    }


def _proof_rows(proof: Row, fingerprint: str) -> tuple[Row, Row]:
    there = np.reshape(proof["homography"], (3, 3))
    back = np.linalg.inv(there)
    common = {
        "relation": _relation(proof),
        "score": proof["score"],
        "accepted": proof["accepted"],
        "fingerprint": fingerprint,
        "verifier": proof["verifier"],
    }
    forward = {
        "coverage_a": proof["coverage_a"],
        "coverage_b": proof["coverage_b"],
        "homography": there.ravel().tolist(),
        "transform": proof["transform"],
    }
    backward = {
        "coverage_a": proof["coverage_b"],
        "coverage_b": proof["coverage_a"],
        "homography": (back / back[2, 2]).ravel().tolist(),
        "transform": proof["undone"],
    }
    return common | forward, common | backward


def _relation(proof: Row) -> str:
    if not proof["accepted"]:
        return schema.SIMILAR
    both = min(proof["coverage_a"], proof["coverage_b"]) >= NEAR_COVERAGE
    return schema.NEAR_DUPLICATE if both else schema.OVERLAP
