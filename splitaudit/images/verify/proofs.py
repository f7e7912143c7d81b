"""Facts about pairs of pictures, whatever compared them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

import pyarrow as pa

from splitaudit.engine.jobs import write

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


class Pair(Protocol):
    """Two pictures to be compared, under the key of the fact."""

    @property
    def key(self) -> str:
        """Of the fact."""


class PictureVerifier:
    """What the verifiers of pictures share, see `splitaudit.engine.contracts.Verifier`."""

    proofs: ClassVar[pa.Schema] = PROOFS

    def lost(self, pairs: Sequence[Pair], folder: Path) -> int:
        """Note that nothing can be said of these pairs."""
        rows = [{"key": pair.key, **NO_PROOF} for pair in pairs]
        return write(rows, PROOFS, [pair.key for pair in pairs], folder)
