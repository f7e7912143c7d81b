"""Which pairs of sounds to compare: the landmarks of all, read from the facts and searched."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit import jobs
from splitaudit.fingerprints import landmark
from splitaudit.search import postings
from splitaudit.store import Parts

Ints = npt.NDArray[np.uint32]


def search(facts: Parts, keys: pa.Array, processes: int) -> pa.Table:
    """Return pairs of sounds that share landmarks at one offset.

    Parameters
    ----------
    facts
        Of the fingerprints.
    keys
        The sounds, sorted.
    processes
        How many threads to use.

    Returns
    -------
    pa.Table
        As `postings.Candidates`; a and b are positions in `keys`.
    """
    lengths = _lengths(facts, keys)
    codes, frames = _landmarks(facts, keys, lengths)
    index = postings.build(codes, frames, lengths, landmark.CODE_BITS)
    return pa.table(asdict(postings.join(index, codes, frames, lengths, processes)))


def _lengths(facts: Parts, keys: pa.Array) -> npt.NDArray[np.int64]:
    """How many landmarks each sound has."""
    lengths = np.zeros(len(keys), np.int64)
    for table in facts.parts_of(keys, _columns("key", "codes")):
        at = pc.index_in(table["key"], value_set=keys).to_numpy()
        lengths[at] = pc.list_value_length(table["codes"]).to_numpy()
    return lengths


def _landmarks(facts: Parts, keys: pa.Array, lengths: npt.NDArray[np.int64]) -> tuple[Ints, Ints]:
    """Codes and frames of all sounds, one after the other; a part at a time, to copy nothing."""
    ends = np.cumsum(lengths)
    codes, frames = (np.empty(int(lengths.sum()), np.uint32) for _ in range(2))
    for table in facts.parts_of(keys, _columns("key", "codes", "frames")):
        rows = pc.index_in(table["key"], value_set=keys).to_numpy()
        for out, name in ((codes, "codes"), (frames, "frames")):
            for row, values in zip(rows, _lists(table[name]), strict=True):
                out[ends[row] - lengths[row] : ends[row]] = values
    return codes, frames


def _columns(*names: str) -> pa.Schema:
    return pa.schema([jobs.SOUNDS.field(name) for name in names])


def _lists(column: pa.ChunkedArray) -> list[Ints]:
    values = column.combine_chunks().flatten().to_numpy()
    lengths = pc.list_value_length(column).to_numpy()
    ends = np.cumsum(lengths)
    return [values[start:end] for start, end in zip(ends - lengths, ends, strict=True)]
