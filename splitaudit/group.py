"""Groups: the items that must stay on one side of a split, and the guard against giant ones."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.components import Indices, smallest_members
from splitaudit.schema import EDGES, GROUPS, LEAK_RELATIONS, conform

DUPLICATE = "duplicate"
_BY_PAIR = [("a", "ascending"), ("b", "ascending")]
_GIANT_COLUMNS = ["group_id", "size", "share", "a", "b", "weight", "smaller_side"]


def edges(matches: pa.Table) -> pa.Table:
    """Return the edges that join items into groups: one a pair of proven duplicates.

    Parameters
    ----------
    matches
        Schema MATCHES. Only accepted rows with a relation of LEAK_RELATIONS count, so material that
        many items share (a jingle) welds nothing.

    Returns
    -------
    table
        Schema EDGES, sorted by (a, b); the weight is the highest score of the pair.
    """
    leak = pc.is_in(matches["relation"], pa.array(LEAK_RELATIONS))
    proven = matches.filter(pc.and_(matches["accepted"], leak))
    pairs = proven.group_by(["a", "b"]).aggregate([("score", "max")]).sort_by(_BY_PAIR)
    n = pairs.num_rows
    columns = {
        "a": pairs["a"],
        "b": pairs["b"],
        "policy": pa.repeat(DUPLICATE, n),
        "reason": pa.repeat("match", n),
        "weight": pairs["score_max"],
        "cut": pa.repeat(False, n),
    }
    return conform(pa.table(columns), EDGES)


def groups(item_ids: Iterable[str], edges: pa.Table) -> pa.Table:
    """Return the group of every item: the connected components of the edges that are not cut.

    Parameters
    ----------
    item_ids
        Every item once; one without an edge is a group of its own.
    edges
        Schema EDGES.

    Returns
    -------
    table
        Schema GROUPS, sorted by item id. The group's id is its smallest item id. Neither the order
        of the items nor that of the edges changes the result.

    Raises
    ------
    ValueError
        Where an id is given twice, or an edge ends at an item that is not given.
    """
    ids = pd.Index(sorted(item_ids), dtype="str")
    a, b = _ends(ids, edges.filter(pc.invert(edges["cut"])))
    smallest = smallest_members(len(ids), a, b)
    columns = {
        "item_id": pa.array(ids),
        "policy": pa.repeat(DUPLICATE, len(ids)),
        "group_id": pa.array(ids.take(smallest)),
        "size": np.bincount(smallest, minlength=len(ids))[smallest],
    }
    return conform(pa.table(columns), GROUPS)


def _ends(ids: pd.Index[str], edges: pa.Table) -> tuple[Indices, Indices]:
    if not ids.is_unique:
        raise ValueError(f"item ids given twice: {list(ids[ids.duplicated()][:5])}")
    a, b = (ids.get_indexer(edges[side].to_pandas()) for side in ("a", "b"))
    if (a < 0).any() or (b < 0).any():
        raise ValueError("an edge ends at an item that is not among the item ids")
    return a, b


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
