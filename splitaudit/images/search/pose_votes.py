"""Votes of local features, counted together where they turn and size the picture alike.

Weak geometric consistency (Jegou, Douze and Schmid, "Hamming embedding and weak geometric
consistency for large scale image search", ECCV 2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.engine.compiled import compiled

VOTES = 4  # >= features of each picture, or the pair is not returned
ROTATION_BINS = 16  # parts of a circle; votes count together that fall in two beside each other
# Ranges of changes of size, each so many times the one before; votes count as those of the turns.
SCALE_BINS, SCALE_STEP = 24, 1.3

Reals = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


def pose_bins(turn: Reals, size: Reals) -> Rows:
    """Return into which part of a circle and range of sizes votes fall, shape (n, 2).

    Parameters
    ----------
    turn, size
        Of each vote: radians by which it turns the picture, and how many times it enlarges it.
    """
    turns = (turn * (ROTATION_BINS / (2 * np.pi))).astype(np.int64) % ROTATION_BINS
    steps = np.log(size) / np.log(SCALE_STEP) + SCALE_BINS / 2
    return np.column_stack([turns, np.clip(steps, 0, SCALE_BINS - 1).astype(np.int64)])


@compiled
def count_votes(pair: Any, votes: Any, changes: Any) -> Any:
    """Rows (first vote, how many agree) of pairs that have `VOTES`; sorted by pair."""
    found, n, begin = np.empty((len(pair), 2), np.int64), 0, 0
    while begin < len(pair):
        end = begin + 1
        while end < len(pair) and pair[end] == pair[begin]:
            end += 1
        if end - begin >= VOTES:
            agree = _count_consistent(votes[begin:end], changes[begin:end])
            if agree >= VOTES:
                found[n, 0], found[n, 1] = begin, agree
                n += 1
        begin = end
    return found[:n]


@compiled
def _count_consistent(votes: Any, changes: Any) -> int:
    """Features of the picture that has fewer of them, of the votes that turn and size it alike."""
    counts = np.zeros((ROTATION_BINS, SCALE_BINS), np.int64)
    for turn, size in changes:
        for other in range(4):
            counts[(turn + other % 2) % ROTATION_BINS, min(size + other // 2, SCALE_BINS - 1)] += 1
    best = np.argmax(counts)
    turn, size = best // SCALE_BINS, best % SCALE_BINS
    alike = ((changes[:, 0] == turn) | ((changes[:, 0] + 1) % ROTATION_BINS == turn)) & (
        (changes[:, 1] == size) | (changes[:, 1] + 1 == size)
    )
    chosen = votes[alike]
    return min(len(np.unique(chosen[:, 0])), len(np.unique(chosen[:, 1])))
