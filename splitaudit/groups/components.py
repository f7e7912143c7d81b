"""Connected components, numbered so that the order of the edges does not matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.engine.compiled import compiled

Indices = npt.NDArray[np.integer[Any]]


def smallest_members(n: int, a: Indices, b: Indices) -> Indices:
    """Return, for each of `n` nodes, the smallest node of its connected component.

    Parameters
    ----------
    n
        Number of nodes.
    a, b
        Ends of the edges, each of shape (edges,), 0 <= node < n.

    Returns
    -------
    array of shape (n,)
        A node without edges is its own smallest member.
    """
    above = np.arange(n, dtype=np.int64)
    _union_sets(above, np.ascontiguousarray(a, np.int64), np.ascontiguousarray(b, np.int64))
    return above


@compiled
def _union_sets(above: Any, a: Any, b: Any) -> None:
    """Join sets as Rem does (Dijkstra, A Discipline of Programming, 1976), halving the paths.

    above[x] <= x throughout; in the end it is the smallest member.
    """
    for edge in range(len(a)):
        x, y = a[edge], b[edge]
        while x != y:  # climb from the greater, until both meet or it can be hung below the other
            if x < y:
                x, y = y, x
            x_above = above[x]
            if x_above == x:
                above[x] = y
                break
            above[x] = above[x_above]
            x = above[x]
    for x in range(len(above)):
        above[x] = above[above[x]]
