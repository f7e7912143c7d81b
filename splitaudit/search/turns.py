"""In which turn pairs that look alike are compared: the nearest first, then what is less near.

What stands in one split many times has its nearest there, and would hide the one that matters in
another. So neighbours are counted within each split on its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from splitaudit.engine.closing import LAST_OF_ALL, LAST_OF_OPEN

# Of each in every split, pairs (<) that are looked at first, whatever the other has nearer.
NEAREST = 2
# Then those among so many (<) nearest of both, turn by turn.
MUTUAL = (4, 8, 24)
# Then, across splits, where nothing was found yet, those among so many (<) nearest of either.
EITHER = MUTUAL[-1]
CUT = (
    LAST_OF_OPEN + 1
)  # not looked at: a pair stands for all with so many nearer ones on both sides

Rows = npt.NDArray[np.int64]
Turns = npt.NDArray[np.int8]
Held = npt.NDArray[np.bool_]  # shape (n, splits): in which splits each stands


def stands(held: Held) -> npt.NDArray[np.int64]:
    """Return in which splits each stands, as a number from 0 on: equal where these are the same."""
    return np.asarray(np.unique(held, axis=0, return_inverse=True)[1].reshape(-1), np.int64)


def in_turns(found: pd.DataFrame, held: Held, all_of: Any = False) -> pd.DataFrame:
    """Return pairs with the turn in which they are compared; those that never are, left out.

    Parameters
    ----------
    found
        Columns a < b, positions in `held`, and far: how unlike they are. Each pair once. Of pairs
        that are as far, those come first that stand closest, so that a crowd hangs together.
    held
        In which splits each stands.
    all_of
        Which pairs are compared whatever is nearer, by `LAST_OF_ALL` at the latest.

    Returns
    -------
    pd.DataFrame
        The rows in their order, with a column `turn`: 0 to `LAST_OF_OPEN`, or `CUT`. Within a split
        what is beyond `LAST_OF_ALL` is left out; of what is cut, one pair for each in every other
        split.
    """
    sides = _sides(found)
    turn = _turns(*_ranks(sides, held).reshape(2, -1))
    turn = np.where(all_of, np.minimum(turn, np.int8(LAST_OF_ALL)), turn)
    kept = (turn <= LAST_OF_ALL) | ((turn == LAST_OF_OPEN) & is_across(found, held))
    kept[_first_cut(sides, held, np.tile(turn == CUT, 2))] = True
    due: pd.DataFrame = found.assign(turn=turn)[kept]
    return due


def _turns(ours: Rows, theirs: Rows) -> Turns:
    """The turns of pairs, by how many are nearer to either side."""
    least, most = np.minimum(ours, theirs), np.maximum(ours, theirs)
    reached = [least < NEAREST, *(most < many for many in MUTUAL), least < EITHER]
    return np.select(reached, range(len(reached)), CUT).astype(np.int8)


def is_across(found: pd.DataFrame, held: Held) -> npt.NDArray[np.bool_]:
    """Which pairs lie in different splits: one stands where the other does not."""
    return np.asarray((held[found["a"]] != held[found["b"]]).any(axis=1))


def _sides(found: pd.DataFrame) -> tuple[Rows, Rows, Rows]:
    """Each pair seen from either side: whose, with whom, and the order by how near they are."""
    a, b = (found[side].to_numpy(np.int64) for side in "ab")
    far, of = np.tile(found["far"].to_numpy(), 2), np.concatenate([a, b])
    return of, np.concatenate([b, a]), np.lexsort((np.tile(b - a, 2), far, of))


def _ranks(sides: tuple[Rows, Rows, Rows], held: Held) -> Rows:
    """How many are nearer to each side in the split of the other; of several splits, the least."""
    of, other, order = sides
    ranks = np.full(len(of), len(of))
    for split in held.T:
        there = order[split[other[order]]]
        ranks[there] = np.minimum(ranks[there], count_before(of[there]))
    return ranks


def count_before(values: Rows) -> Rows:
    """Return how many equal ones stand before each value; equal ones stand together."""
    new = np.diff(values, prepend=-1) != 0
    at = np.arange(len(values))
    counted: Rows = at - np.maximum.accumulate(np.where(new, at, 0))
    return counted


def _first_cut(sides: tuple[Rows, Rows, Rows], held: Held, cut: Any) -> Rows:
    """Rows of the pairs that stand for what is cut: the nearest of each in every other split."""
    of, other, order = sides
    order = order[cut[order]]
    rows = [np.zeros(0, np.int64)]
    for split in held.T:
        there = order[split[other[order]] & ~split[of[order]]]
        rows.append(there[count_before(of[there]) == 0])
    found: Rows = np.concatenate(rows) % max(1, len(of) // 2)
    return found
