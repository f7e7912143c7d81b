"""Connected components, numbered so that the order of the edges does not matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

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
    graph = coo_array((np.ones(len(a), dtype=bool), (a, b)), shape=(n, n))
    _, labels = connected_components(graph, directed=False)
    _, firsts = np.unique(labels, return_index=True)
    smallest: Indices = firsts[labels]
    return smallest
