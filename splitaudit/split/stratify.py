"""Which split each group goes to, so that every split is like the whole in size and in labels.

Groups are placed by falling size, each where it brings the chi-square of sizes and labels lowest;
iterative stratification (Sechidis, Tsoumakas and Vlahavas, 2011) does so with single items. Then
groups change places while that lowers it further: one with a label of which its split has too much
for none, or for one with a label of which the other split has too much. Where the largest groups
went cannot be mended by exchanging small ones, so this is done several times, each from another
order in which large groups still come before those of half their size, and the best is taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from splitaudit.engine.compiled import compiled

Indices = npt.NDArray[np.int64]
Wide = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NONE = -1
MAX_STARTS = 16  # orders at most
MAX_PLACEMENTS = 5_000_000  # groups in all starts together: more than so many are placed once
MAX_TRIES = 1_600_000  # exchanges that are tried at most, in all starts together
TRIES_PER_GROUP = 100  # in each start
SAMPLED_LABELS = 8  # labels of a split, of which the one in greatest excess is taken
SAMPLED_GROUPS = 16  # groups with that label, until one of the split is drawn
MOVE_PERIOD = 4  # one try in so many moves a group without another in exchange
MIN_GAIN = 1e-9  # >: by which an exchange must lower the chi-square


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
        Of the orders in which groups are placed, and of what is tried.

    Returns
    -------
    array
        0 <= split < k, shape (groups,).
    """
    rows = csr_array(contents, dtype=np.float64)
    table = rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data
    goal = _target_counts(rows, shares)
    free = np.asarray(allowed.all(axis=1))
    members = _groups_by_label(rows, free)
    starts = int(np.clip(MAX_PLACEMENTS // max(1, len(free)), 1, MAX_STARTS))
    tries = min(MAX_TRIES // starts, TRIES_PER_GROUP * int(free.sum())) if len(shares) > 1 else 0
    rng, least, best = np.random.default_rng(seed), np.inf, np.empty(0, np.int64)
    for _ in range(starts):
        state = np.full(len(free), NONE), np.zeros_like(goal[0])
        _place(_placement_order(rows, free, rng), allowed, table, goal, state)
        _exchange(rng.integers(1, 2**63, 1, np.uint64), tries, members, table, goal, state)
        cost = float((goal[1] * (state[1] - goal[0]) ** 2).sum())
        if cost < least:
            least, best = cost, state[0]
    return best


def _target_counts(rows: csr_array, shares: Wide) -> tuple[Wide, Wide]:
    """How much each split should have of each column, and what a deviation weighs, squared.

    The sizes weigh as much as all labels together.
    """
    total = np.asarray(rows.sum(axis=0), np.float64)
    target = np.outer(shares, total)
    weight = np.divide(1.0, target, out=np.zeros_like(target), where=target > 0)
    weight[:, 0] *= max(1, rows.shape[1] - 1)
    return target, weight


def _groups_by_label(rows: csr_array, free: Mask) -> tuple[Indices, Indices]:
    """Free groups by column: where each column begins, and its groups."""
    columns = rows[np.flatnonzero(free)].tocsc()
    return columns.indptr.astype(np.int64), np.flatnonzero(free)[columns.indices]


def _placement_order(rows: csr_array, free: Mask, rng: np.random.Generator) -> Indices:
    """Groups that are not free first, then by falling size, drawn smaller by up to a half."""
    sizes = np.asarray(rows[:, [0]].sum(axis=1)).ravel()
    return np.lexsort((-sizes * rng.uniform(0.5, 1.0, len(sizes)), free))


@compiled
def _place(order: Any, allowed: Any, rows: Any, goal: Any, state: Any) -> None:
    """Place groups one after the other, each where it costs least."""
    home, have = state
    for group in order:
        least, at = np.inf, NONE
        for split in range(len(have)):
            if allowed[group, split]:
                cost = _cost(rows, group, split, goal, have)
                if cost < least:
                    least, at = cost, split
        home[group] = at
        _add(rows, group, 1.0, have[at])


@compiled
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


@compiled
def _add(rows: Any, group: int, times: float, sums: Any) -> None:
    starts, columns, counts = rows
    for at in range(starts[group], starts[group + 1]):
        sums[columns[at]] += times * counts[at]


@compiled
def _draw(drawn: Any, below: Any) -> Any:
    """Draw 0 <= number < below: xorshift (Marsaglia, 2003), whose state `drawn` holds, not 0."""
    state = drawn[0]
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    drawn[0] = state
    return np.int64(state % np.uint64(below))


@compiled
def _exchange(drawn: Any, tries: int, members: Any, rows: Any, goal: Any, state: Any) -> None:
    """Try exchanges, and keep those that lower the chi-square."""
    home, have = state
    splits, columns = have.shape
    change = np.zeros(columns)
    for _ in range(tries):
        here = _draw(drawn, splits)
        there = (here + 1 + _draw(drawn, splits - 1)) % splits
        one, other = _draw_excess_group(drawn, here, members, goal, state), NONE
        if _draw(drawn, MOVE_PERIOD) != 0:
            other = _draw_excess_group(drawn, there, members, goal, state)
        if one == NONE or _gain((one, other), (here, there), change, rows, goal, have) <= MIN_GAIN:
            continue
        for group, old, new in ((one, here, there), (other, there, here)):
            if group != NONE:
                home[group] = new
                _add(rows, group, -1.0, have[old])
                _add(rows, group, 1.0, have[new])


@compiled
def _draw_excess_group(drawn: Any, split: int, members: Any, goal: Any, state: Any) -> int:
    """Draw a group of a split with a label of which that has too much; else `NONE`."""
    (starts, groups), (target, weight), (home, have) = members, goal, state
    most, column = 0.0, NONE
    for _ in range(SAMPLED_LABELS):
        label = _draw(drawn, have.shape[1])
        excess = have[split, label] - target[split, label]
        if excess > 0 and weight[split, label] * excess**2 > most:
            most, column = weight[split, label] * excess**2, label
    if column == NONE or starts[column] == starts[column + 1]:
        return NONE
    for _ in range(SAMPLED_GROUPS):
        group = groups[starts[column] + _draw(drawn, starts[column + 1] - starts[column])]
        if home[group] == split:
            return int(group)
    return NONE


@compiled
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
