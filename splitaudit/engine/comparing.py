"""Pairs of a medium compared a few at a time, and which of them are joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.engine.closing import LAST_OF_OPEN
from splitaudit.engine.contracts import Comparisons, Medium
from splitaudit.engine.stages import Contents, Settings

# >= of either content is in the other: they are joined. Less, such as a jingle, joins nothing.
JOIN_COVERAGE = 0.5

Prove = Callable[[Comparisons], pd.DataFrame]


@dataclass(frozen=True)
class Comparing:
    """What compares pairs, and keeps what was proven.

    Parameters
    ----------
    medium, keys, contents, settings
        What is compared; pairs are positions in `keys`.
    found
        What the search proposed.
    prove
        Returns a row a proof at which something was found, of pairs that a verifier is to compare.
    proofs
        All that it returned so far.
    """

    medium: Medium
    keys: pa.Array
    contents: Contents
    settings: Settings
    found: pa.Table
    prove: Prove
    proofs: list[pd.DataFrame] = field(default_factory=list)

    def compare(self, due: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Compare pairs a < b, as the search proposed them if it did; return which are joined."""
        # Of a pair beyond the last turn nothing is known; where it is compared, it is located.
        found = self.found.filter(pc.less_equal(self.found["turn"], LAST_OF_OPEN))
        names, proposed = self._names(due), self._names(found)
        rows = found.filter(pa.array(np.isin(proposed, names)))
        others = due.loc[~np.isin(names, proposed), ["a", "b"]]
        if len(others):
            located = self.medium.locate(self.keys, others, self.settings)
            rows = pa.concat_tables([rows.select(located.column_names), located])
        return np.isin(names, self._joined(self._prove(rows)))

    def _names(self, pairs: Any) -> npt.NDArray[np.int64]:
        a, b = (np.asarray(pairs[side]).astype(np.int64) for side in "ab")
        return a * len(self.keys) + b

    def _prove(self, rows: pa.Table) -> pd.DataFrame:
        work = self.medium.comparisons(self.keys, rows, self.contents, self.settings)
        proofs = pd.concat([self.prove(each) for each in work], ignore_index=True)
        self.proofs.append(proofs)
        return proofs

    def _joined(self, proofs: pd.DataFrame) -> npt.NDArray[np.int64]:
        """The pairs of which a proof joins both sides."""
        common = proofs[["coverage_a", "coverage_b"]].max(axis=1)
        keys = pa.array(proofs["key"][proofs["accepted"].astype(bool) & (common >= JOIN_COVERAGE)])
        contents = pc.split_pattern(keys.cast(pa.string()), " ", max_splits=2)
        sides = {
            side: pc.index_in(pc.list_element(contents, at), self.keys)
            for at, side in enumerate("ab")
        }
        return self._names(sides)

    def all_proofs(self) -> pd.DataFrame:
        """Return all proofs; of no pair at all, a table without rows."""
        if not self.proofs:
            self._prove(self.found.slice(0, 0))
        rows: pd.DataFrame = pd.concat(self.proofs, ignore_index=True)
        return rows.astype({"accepted": bool})
