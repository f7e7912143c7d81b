"""Groups that hold too large a part of a dataset, and the edges that weld them."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.groups.components import Indices

_GIANT_COLUMNS = ["group_id", "size", "share", "a", "b", "weight", "smaller_side"]


def giants(groups: pa.Table, edges: pa.Table, share: float) -> pd.DataFrame:
    """Return the groups that hold too large a part of the dataset, with the edges that weld them.

    Parameters
    ----------
    groups
        Schema GROUPS, of all items.
    edges
        Schema EDGES, those that made the groups.
    share
        A group is a giant where its size > `share` * number of items.

    Returns
    -------
    frame
        One row a bridge (an edge without which the group falls in two), the most balanced first:
        group_id, size, share, a, b, weight, smaller_side (items on the smaller side of the bridge).
        A giant without a bridge has one row with a, b, weight and smaller_side null.
    """
    members = groups.to_pandas()
    large = members[members["size"] > share * len(members)]
    joined = edges.filter(pc.invert(edges["cut"])).to_pandas()
    rows = [
        (name, len(ids), len(ids) / len(members), *bridge)
        for name, ids in large.groupby("group_id")["item_id"]
        for bridge in _named_bridges(ids, joined) or [(None, None, None, None)]
    ]
    by = ["size", "group_id", "smaller_side", "a", "b"]
    ascending = [False, True, False, True, True]
    frame = pd.DataFrame(rows, columns=_GIANT_COLUMNS)
    return frame.sort_values(by, ascending=ascending, ignore_index=True)


def _named_bridges(item_ids: pd.Series[str], edges: pd.DataFrame) -> list[tuple[object, ...]]:
    """Return (a, b, weight, items on the smaller side) of each bridge of one group."""
    ids = pd.Index(item_ids.sort_values())
    inside = edges[edges["a"].isin(ids)]
    weights = inside.groupby(["a", "b"])["weight"].max()
    a, b = (ids.get_indexer(weights.index.get_level_values(side)) for side in ("a", "b"))
    weight = weights.to_dict()
    named = ((ids[i], ids[j], side) for i, j, side in _bridges(len(ids), a, b))
    return [(x, y, weight[x, y], side) for x, y, side in named]


def _bridges(n: int, a: Indices, b: Indices) -> list[tuple[int, int, int]]:
    """Return (i, j, items on the smaller side), i < j, of each bridge of a connected simple graph.

    Tarjan's low points [1]_, over a depth-first order instead of by recursion: a node's edge to its
    parent is a bridge where nothing below the node reaches above it. O(nodes + edges).

    .. [1] R. E. Tarjan, "A note on finding the bridges of a graph", Information Processing Letters
       2(6), 1974.
    """
    neighbours = _neighbours(n, a, b)
    order, parent = _depth_first(neighbours)
    entered = {node: place for place, node in enumerate(order)}
    low, below = dict(entered), [1] * n
    found = []
    for node in reversed(order[1:]):
        above = parent[node]
        reached = (entered[other] for other in neighbours[node] if other != above)
        low[node] = min(low[node], min(reached, default=n))
        low[above] = min(low[above], low[node])
        below[above] += below[node]
        if low[node] == entered[node]:
            side = min(below[node], n - below[node])
            found.append((min(node, above), max(node, above), side))
    return found


def _neighbours(n: int, a: Indices, b: Indices) -> list[list[int]]:
    neighbours: list[list[int]] = [[] for _ in range(n)]
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        neighbours[i].append(j)
        neighbours[j].append(i)
    return neighbours


def _depth_first(neighbours: list[list[int]]) -> tuple[list[int], dict[int, int]]:
    """Return the nodes in depth-first order from node 0, and the parent of each (of 0: -1)."""
    order: list[int] = []
    parent: dict[int, int] = {}
    stack = [(0, -1)]
    while stack:
        node, above = stack.pop()
        if node in parent:
            continue
        parent[node] = above
        order.append(node)
        stack.extend((other, node) for other in neighbours[node] if other not in parent)
    return order, parent
