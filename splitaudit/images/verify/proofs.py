"""Facts about pairs of pictures, whatever compared them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from splitaudit.engine.proving import write_lost_pairs

PROOFS = pa.schema(
    {
        "key": pa.string(),
        "found": pa.bool_(),
        "score": pa.float64(),
        "accepted": pa.bool_(),
        "similar": pa.bool_(),  # not accepted, and worth to be listed
        "coverage_a": pa.float64(),
        "coverage_b": pa.float64(),
        "homography": pa.list_(pa.float64(), 9),  # from a to b, by rows; edges at -1 and 1
        "transform": pa.string(),  # what was done to a to make b
        "undone": pa.string(),  # what was done to b to make a
    }
)


NO_PROOF = {"found": False, "accepted": False, "similar": False}


class PictureVerifier:
    """What the verifiers of pictures share, see `splitaudit.engine.contracts.Verifier`."""

    proofs: ClassVar[pa.Schema] = PROOFS

    def lost(self, pairs: Sequence[Any], folder: Path) -> int:
        """Note that a process died of these pairs."""
        return write_lost_pairs(pairs, folder)
