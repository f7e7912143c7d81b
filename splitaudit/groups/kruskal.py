"""Components that grow edge by edge, as by Kruskal, and no further than to a cap."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.engine.compiled import compiled
from splitaudit.groups.components import Indices


def find_refused_edges(
    component: Indices, a: Indices, b: Indices, cap: int
) -> npt.NDArray[np.bool_]:
    """Return which edges would make a component of more (>) than `cap` nodes.

    Edges are added one after the other, as by Kruskal; one that is refused joins nothing, so it
    would still be too much at the end.

    Parameters
    ----------
    component
        The component of each node before, 0 <= component < n, shape (n,).
    a, b
        Ends of the edges in the order in which they are added, each of shape (edges,).
    cap
        The most nodes. Components that hold more before stay whole, and are joined with nothing.
    """
    sizes = np.bincount(component, minlength=len(component))
    return np.asarray(_kruskal(component[a], component[b], sizes, cap), bool)


@compiled
def _kruskal(a: Any, b: Any, sizes: Any, cap: int) -> Any:
    above = np.arange(len(sizes))
    found = np.zeros(len(a), np.bool_)
    for edge in range(len(a)):
        one, other = _find_root(above, a[edge]), _find_root(above, b[edge])
        if one == other:
            continue
        if sizes[one] + sizes[other] > cap:
            found[edge] = True
            continue
        above[one] = other
        sizes[other] += sizes[one]
    return found


@compiled
def _find_root(above: Any, node: int) -> int:
    while above[node] != node:
        above[node] = above[above[node]]
        node = above[node]
    return node
