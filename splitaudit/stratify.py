"""Which split each group goes to, so that every split is like the whole in size and in labels.

Groups are placed by falling size, each where it brings the chi-square of sizes and labels lowest;
iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011) does so with single items. Then
groups change places while that lowers it further: one with a label of which its split has too much
for none, or for one with a label of which the other split has too much.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Indices = npt.NDArray[np.int64]
Wide = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NONE = -1
TRIES = 2_000_000  # exchanges that are tried at most
TRIES_A_GROUP = 100
LOOKED_AT = 8  # labels of a split, of which the one in greatest excess is taken
DRAWN = 16  # groups with that label, until one of the split is met
ALONE = 4  # one try in so many moves a group without another in exchange
LEAST = 1e-9  # >: by which an exchange must lower the chi-square


def assign(contents: csr_array, shares: Wide, allowed: Mask, seed: int) -> Indices:
    """Return the split of each group.

    Parameters
    ----------
    contents
        How many items of a group have a label, shape (groups, 1 + labels); the first column is how
        many items there are, > 0.
    shares
        What each split should have of all items and of each label, > 0, adding up to 1; shape (k,).
    allowed
        To which splits a group may go, one at least; shape (groups, k). Those that may go to all
        are placed last, and change places.
    seed
        Of the order among groups of equal size, and of what is tried.

    Returns
    -------
    array
        0 <= split < k, shape (groups,).
    """
    rows = csr_array(contents, dtype=np.float64)
    sparse = rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data
    goal = _goal(rows, shares)
    home = np.full(rows.shape[0], NONE, np.int64)
    state = home, np.zeros_like(goal[0])
    free = np.asarray(allowed.all(axis=1))
    _place(_order(rows, free, seed), allowed, sparse, goal, state)
    if free.any() and len(shares) > 1:
        members = rows[np.flatnonzero(free)].tocsc()
        groups = np.flatnonzero(free)[members.indices]
        tries = min(TRIES, TRIES_A_GROUP * members.shape[0])
        _exchange(seed, tries, (members.indptr.astype(np.int64), groups), sparse, goal, state)
    return home


def _goal(rows: csr_array, shares: Wide) -> tuple[Wide, Wide]:
    """How much each split should have of each column, and what a deviation weighs, squared.

    The sizes weigh as much as all labels together.
    """
    total = np.asarray(rows.sum(axis=0), np.float64)
    target = np.outer(shares, total)
    weight = np.divide(1.0, target, out=np.zeros_like(target), where=target > 0)
    weight[:, 0] *= max(1, rows.shape[1] - 1)
    return target, weight


def _order(rows: csr_array, free: Mask, seed: int) -> Indices:
    """Groups that are not free first, then by falling size, in seeded order among equals."""
    sizes = np.asarray(rows[:, [0]].sum(axis=1)).ravel()
    drawn = np.random.default_rng(seed).permutation(len(sizes))
    return np.lexsort((drawn, -sizes, free))


@numba.njit(cache=True)
def _place(order: Any, allowed: Any, rows: Any, goal: Any, state: Any) -> None:
    """Place groups one after the other, each where it costs least."""
    home, have = state
    for group in order:
        least, at = np.inf, order.dtype.type(NONE)
        for split in np.flatnonzero(allowed[group]):
            cost = _cost(rows, group, split, goal, have)
            if cost < least:
                least, at = cost, split
        home[group] = at
        _add(rows, group, 1.0, have[at])


@numba.njit(cache=True)
def _cost(rows: Any, group: Any, split: Any, goal: Any, have: Any) -> float:
    """By how much the chi-square rises where a group is added to a split."""
    starts, columns, counts = rows
    target, weight = goal
    cost = 0.0
    for at in range(starts[group], starts[group + 1]):
        column, n = columns[at], counts[at]
        excess = have[split, column] - target[split, column]
        cost += weight[split, column] * n * (n + 2 * excess)
    return cost


@numba.njit(cache=True)
def _add(rows: Any, group: int, times: float, sums: Any) -> None:
    starts, columns, counts = rows
    for at in range(starts[group], starts[group + 1]):
        sums[columns[at]] += times * counts[at]


@numba.njit(cache=True)
def _exchange(seed: int, tries: int, members: Any, rows: Any, goal: Any, state: Any) -> None:
    """Try exchanges, and keep those that lower the chi-square."""
    np.random.seed(seed)
    home, have = state
    splits, columns = have.shape
    change = np.zeros(columns)
    for _ in range(tries):
        here = np.random.randint(splits)
        there = (here + np.random.randint(1, splits)) % splits
        one = _too_many(here, members, goal, state)
        other = NONE if np.random.randint(ALONE) == 0 else _too_many(there, members, goal, state)
        if one == NONE or _gain((one, other), (here, there), change, rows, goal, have) <= LEAST:
            continue
        for group, old, new in ((one, here, there), (other, there, here)):
            if group != NONE:
                home[group] = new
                _add(rows, group, -1.0, have[old])
                _add(rows, group, 1.0, have[new])


@numba.njit(cache=True)
def _too_many(split: int, members: Any, goal: Any, state: Any) -> int:
    """Draw a group of a split with a label of which that has too much; `NONE` where none is met."""
    (starts, groups), (target, weight), (home, have) = members, goal, state
    most, column = 0.0, NONE
    for _ in range(LOOKED_AT):
        drawn = np.random.randint(have.shape[1])
        excess = have[split, drawn] - target[split, drawn]
        if excess > 0 and weight[split, drawn] * excess**2 > most:
            most, column = weight[split, drawn] * excess**2, drawn
    if column == NONE or starts[column] == starts[column + 1]:
        return NONE
    for _ in range(DRAWN):
        group = groups[np.random.randint(starts[column], starts[column + 1])]
        if home[group] == split:
            return int(group)
    return NONE


@numba.njit(cache=True)
def _gain(pair: Any, splits: Any, change: Any, rows: Any, goal: Any, have: Any) -> float:
    """By how much the chi-square falls where two groups change places; `change` is left zero."""
    (one, other), (here, there) = pair, splits
    starts, columns, _ = rows
    target, weight = goal
    _add(rows, one, 1.0, change)
    if other != NONE:
        _add(rows, other, -1.0, change)
    gain = 0.0
    for group in pair:
        if group == NONE:
            continue
        for column in columns[starts[group] : starts[group + 1]]:
            n = change[column]
            less = have[here, column] - target[here, column]
            more = have[there, column] - target[there, column]
            gain += weight[here, column] * n * (2 * less - n)
            gain -= weight[there, column] * n * (2 * more + n)
            change[column] = 0.0
    return gain
