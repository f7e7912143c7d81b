"""Which pairs of sounds to compare: the patches of all, read from the facts and searched."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit import jobs
from splitaudit.fingerprints import patches
from splitaudit.search import nearest, votes
from splitaudit.store import Parts

WINDOW = 2_048  # patches (3 min) of a long sound that vote together
LOOKED_AT = 16  # places of each window
STRONG_S = 0.5  # >= of evidence: compared in any case
WEAK = 2  # further pairs of each sound that are compared, however little speaks for them

COLUMNS = {"a": "int32", "b": "int32", "frame_a": "int32", "frame_b": "int32", "slope": "float64"}


@dataclass(frozen=True)
class _Prints:
    """The patches of all sounds, one sound after the other.

    Parameters
    ----------
    vectors, frames
        As in `patches.Patches`.
    sounds
        int32: whose they are.
    bounds
        Where each sound begins, and the end.
    """

    vectors: patches.Vectors
    frames: patches.Frames
    sounds: npt.NDArray[np.int32]
    bounds: npt.NDArray[np.int64]

    def of(self, sound: int) -> slice:
        """Which patches a sound has."""
        return slice(int(self.bounds[sound]), int(self.bounds[sound + 1]))

    def step_s(self, sound: int) -> float:
        """Seconds from a patch of a sound to the next."""
        apart = np.diff(self.frames[self.of(sound)])
        return float(apart.min(initial=patches.STEP)) * patches.HOP / patches.RATE


def search(facts: Parts, keys: pa.Array, processes: int) -> pa.Table:
    """Return pairs of sounds whose patches agree along a line.

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
        Sorted by a, b. a < b: positions in `keys`; frame_a, frame_b: a moment in both; slope:
        frames of b in a frame of a; evidence: seconds of agreement.
    """
    prints = _read(facts, keys)
    find = nearest.searcher(prints.vectors, patches.SCALE)
    with ThreadPoolExecutor(processes) as threads:
        rows = list(threads.map(partial(_places, prints, find), range(len(keys))))
    names = [*COLUMNS, "evidence"]
    found = pd.DataFrame(np.concatenate([np.zeros((0, len(names))), *rows]), columns=names)
    return pa.Table.from_pandas(_worth_comparing(found).astype(COLUMNS), preserve_index=False)


def _read(facts: Parts, keys: pa.Array) -> _Prints:
    """Patches of all sounds; a part at a time, to copy nothing."""
    lengths = np.zeros(len(keys), np.int64)
    for table in facts.parts_of(keys, _columns("key", "frames")):
        at = pc.index_in(table["key"], value_set=keys).to_numpy()
        lengths[at] = pc.list_value_length(table["frames"]).to_numpy()
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    vectors = np.empty((bounds[-1], patches.DIRECTIONS), np.int8)
    frames = np.empty(bounds[-1], np.int32)
    for table in facts.parts_of(keys, _columns("key", "frames", "vectors")):
        rows = pc.index_in(table["key"], value_set=keys).to_numpy()
        for out, name in ((frames, "frames"), (vectors, "vectors")):
            for row, values in zip(rows, _lists(table[name]), strict=True):
                own = out[bounds[row] : bounds[row + 1]]
                own[:] = values.reshape(own.shape)
    sounds = np.repeat(np.arange(len(keys), dtype=np.int32), lengths)
    return _Prints(vectors, frames, sounds, bounds)


def _columns(*names: str) -> pa.Schema:
    return pa.schema([jobs.SOUNDS.field(name) for name in names])


def _lists(column: pa.ChunkedArray) -> list[npt.NDArray[Any]]:
    values = column.combine_chunks().flatten().to_numpy()
    lengths = pc.list_value_length(column).to_numpy()
    ends = np.cumsum(lengths)
    return [values[start:end] for start, end in zip(ends - lengths, ends, strict=True)]


def _places(prints: _Prints, find: nearest.Search, sound: int) -> npt.NDArray[np.float64]:
    """Rows (a, b, frame_a, frame_b, slope, evidence) of the places where a sound may be another."""
    own, step_s = prints.of(sound), prints.step_s(sound)
    a = prints.vectors[own], prints.frames[own], patches.SCALE
    rows = []
    for begin in range(own.start, own.stop, WINDOW):
        some = slice(begin, min(own.stop, begin + WINDOW))
        places = votes.vote(
            prints.frames[some],
            find(some, own),
            (prints.sounds, prints.frames),
            LOOKED_AT,
            STRONG_S / step_s,
        )
        for other, here, there in places:
            its = prints.of(other)
            b = prints.vectors[its], prints.frames[its], patches.SCALE
            evidence, there, slope = votes.refine(a, b, (here, there))
            rows.append(_row((sound, here), (other, there), slope, evidence * step_s))
    return np.array(rows, np.float64).reshape(-1, len(COLUMNS) + 1)


def _row(
    one: tuple[int, int], other: tuple[int, int], slope: float, evidence: float
) -> tuple[float, ...]:
    if one[0] > other[0]:
        one, other, slope = other, one, 1 / slope
    return one[0], other[0], one[1], other[1], slope, evidence


def _worth_comparing(found: pd.DataFrame) -> pd.DataFrame:
    """The places of a pair that lie apart, where much speaks for it or more than for others."""
    found = found.sort_values(["a", "b", "evidence"], ascending=[True, True, False])
    offset, pairs = found["frame_b"] - found["frame_a"], [found["a"], found["b"]]
    best = offset.groupby(pairs).transform("first")
    first = ~found.duplicated(["a", "b"])
    found = found[first | ((offset - best).abs() > 2 * votes.WIDTH)]
    found = found[found.groupby(["a", "b"]).cumcount() < votes.PLACES]
    best = found.groupby(["a", "b"])["evidence"].transform("max")
    weak = found[best < STRONG_S]
    return found.drop(index=weak.index[_rank(weak, best) >= WEAK])


def _rank(found: pd.DataFrame, best: pd.Series[float]) -> pd.Series[float]:
    """How many pairs of a sound have more evidence than this one; of its two sounds, the fewer."""
    sides = pd.concat([best[found.index]] * 2)
    sounds = np.concatenate([found["a"], found["b"]])
    ranks: pd.Series[float] = sides.groupby(sounds).rank(method="dense", ascending=False) - 1
    return ranks.groupby(level=0).min().reindex(found.index)
