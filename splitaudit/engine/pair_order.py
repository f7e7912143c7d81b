"""In which order to compare pairs, so that few media must be read twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.engine.compiled import compiled

Indices = npt.NDArray[np.int64]


def order_pairs(a: Indices, b: Indices) -> Indices:
    """Return the pairs in an order in which each shares a medium with one shortly before.

    Depth first through the graph whose edges they are: of pairs that are spread at random, sorted
    ones read a third more media, where some dozens are held.

    Parameters
    ----------
    a, b
        Which media, each of shape (pairs,), 0 <= medium.

    Returns
    -------
    array of shape (pairs,)
        Positions of pairs.
    """
    ends = np.concatenate([a, b])
    order = np.argsort(ends, kind="stable")
    starts = np.searchsorted(ends[order], np.arange(ends.max(initial=-1) + 2))
    walked: Indices = _depth_first_order(starts, order % max(1, len(a)), a, b)
    return walked


@compiled
def _depth_first_order(starts: Any, pairs: Any, a: Any, b: Any) -> Any:
    done = np.zeros(len(a), np.bool_)
    order, at = np.empty(len(a), np.int64), 0
    waiting = np.empty(2 * len(a) + 1, np.int64)
    for root in range(len(starts) - 1):
        waiting[0], many = root, 1
        while many:
            many -= 1
            here = waiting[many]
            for pair in pairs[starts[here] : starts[here + 1]]:
                if not done[pair]:
                    done[pair], order[at] = True, pair
                    waiting[many] = b[pair] if a[pair] == here else a[pair]
                    at, many = at + 1, many + 1
    return order
