"""Groups: the items that must stay on one side of a split."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.errors import SplitauditError
from splitaudit.groups.components import Indices, smallest_members
from splitaudit.groups.kruskal import find_refused_edges
from splitaudit.metadata.captions import GENERIC
from splitaudit.order import EVALUATED, TRAIN, evaluation_order, role
from splitaudit.schema import (
    CAPTION,
    EDGES,
    GROUPS,
    LEAK_RELATIONS,
    MEMBERSHIPS,
    SAME_SETUP,
    SAME_SOURCE,
    conform,
)

DUPLICATE = "duplicate"
SOURCE = "source"
SETUP = "setup"
# Relations of keys that a policy joins besides duplicates, each with those of the one before.
_POLICY_RELATIONS = {SOURCE: (SAME_SOURCE,), SETUP: (SAME_SOURCE, SAME_SETUP)}
_BY_PAIR = [("a", "ascending"), ("b", "ascending")]
_BY_WEIGHT = [("weight", "descending"), *_BY_PAIR]


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


def groups(
    item_ids: Iterable[str],
    edges: pa.Table,
    memberships: pa.Table | None = None,
    policy: str = DUPLICATE,
) -> pa.Table:
    """Return the group of every item: the connected components of what a policy joins.

    Parameters
    ----------
    item_ids
        Every item once; one that nothing joins is a group of its own.
    edges
        Schema EDGES; those that are cut join nothing.
    memberships
        Schema MEMBERSHIPS; None: there are no keys.
    policy
        `duplicate`; `source` and `setup`, each of which joins more; or names of keys, with commas
        between, which are joined with `duplicate`.

    Returns
    -------
    table
        Schema GROUPS, sorted by item id. The group's id is its smallest item id. Neither the order
        of the items nor that of the edges changes the result.

    Raises
    ------
    SplitauditError
        Where there is no such policy or key.
    ValueError
        Where an id is given twice, or an edge ends at an item that is not given.
    """
    keys = conform([], MEMBERSHIPS) if memberships is None else memberships
    _check_policy(policy, keys, edges)
    ids = _sorted_ids(item_ids)
    smallest = _component_labels(ids, edges, keys, policy)
    columns = {
        "item_id": ids,
        "policy": pa.repeat(policy, len(ids)),
        "group_id": ids.take(pa.array(smallest)),
        "size": np.bincount(smallest, minlength=len(ids))[smallest],
    }
    return conform(pa.table(columns), GROUPS)


def cap_groups(
    item_ids: Iterable[str],
    edges: pa.Table,
    memberships: pa.Table,
    policy: str,
    cap: int | None,
) -> pa.Table:
    """Return the edges with `cut` set where they would make groups of more (>) than `cap` items.

    Proven duplicates and values of keys that are equal join in any case. The others (captions that
    are nearly alike, keys with a tolerance and a policy of their own) are taken by falling weight.

    Parameters
    ----------
    item_ids, edges, memberships, policy
        As of `groups`; what was cut before does not matter.
    cap
        None: nothing is cut.
    """
    whole = edges.set_column(edges.column_names.index("cut"), "cut", pa.repeat(False, len(edges)))
    if cap is None:
        return whole
    _check_policy(policy, memberships, edges)
    ids = _sorted_ids(item_ids)
    soft = _is_soft(whole, policy)
    component = _component_labels(ids, whole.filter(~soft), memberships, policy)
    order = pc.sort_indices(whole, sort_keys=_BY_WEIGHT).to_numpy()
    order = order[soft[order]]
    cut = np.zeros(len(whole), bool)
    cut[order] = find_refused_edges(component, *_edge_positions(ids, whole.take(order)), cap)
    return whole.set_column(whole.column_names.index("cut"), "cut", pa.array(cut))


def _component_labels(
    ids: pa.Array, edges: pa.Table, memberships: pa.Table, policy: str
) -> Indices:
    """Return the place of the smallest item that a policy joins with each."""
    a, b = _edge_positions(ids, _edges_of(edges, policy))
    member, first = _edge_positions(ids, _star_edges(_memberships_of(memberships, policy)))
    return smallest_members(len(ids), np.append(a, member), np.append(b, first))


def _is_soft(edges: pa.Table, policy: str) -> npt.NDArray[np.bool_]:
    """Which edges of a policy may be cut."""
    names = pa.array(set(policy.split(",")) - {DUPLICATE}, pa.string())
    return np.asarray(pc.is_in(edges["policy"], names))


def policies(memberships: pa.Table) -> list[str]:
    """Return the policies that join something that the one before does not."""
    relations = set(pc.unique(memberships["relation"]).to_pylist())
    return [DUPLICATE, *(name for name, (*_, own) in _POLICY_RELATIONS.items() if own in relations)]


def _check_policy(policy: str, memberships: pa.Table, edges: pa.Table) -> None:
    if policy == DUPLICATE or policy in _POLICY_RELATIONS:
        return
    known = {*pc.unique(memberships["key"]).to_pylist(), *pc.unique(edges["policy"]).to_pylist()}
    for name in set(policy.split(",")) - known:
        choices = ", ".join([DUPLICATE, *_POLICY_RELATIONS, *sorted(known - {DUPLICATE})])
        raise SplitauditError(f"no policy or key {name!r}: choose from {choices}")


def _edges_of(edges: pa.Table, policy: str) -> pa.Table:
    joined = {DUPLICATE, *policy.split(",")}
    chosen = pc.is_in(edges["policy"], pa.array(joined, pa.string()))
    return edges.select(["a", "b"]).filter(pc.and_(chosen, pc.invert(edges["cut"])))


def _memberships_of(memberships: pa.Table, policy: str) -> pa.Table:
    if policy in _POLICY_RELATIONS or policy == DUPLICATE:
        column, names = "relation", _POLICY_RELATIONS.get(policy, ())
    else:
        column, names = "key", tuple(policy.split(","))
    return memberships.filter(pc.is_in(memberships[column], pa.array(names, pa.string())))


def _star_edges(memberships: pa.Table) -> pa.Table:
    """Join each item with the first that has the same value of the same key."""
    rows = memberships.select(["item_id", "key", "value"]).to_pandas().dropna()
    by_value = rows.groupby(["key", "value"], sort=False)["item_id"]
    generic = rows["key"].str.startswith(f"{CAPTION}:") & (by_value.transform("size") > GENERIC)
    stars = pd.DataFrame({"a": rows["item_id"], "b": by_value.transform("first")})
    ends = pa.schema([("a", pa.string()), ("b", pa.string())])
    return pa.Table.from_pandas(stars.loc[~generic], ends, preserve_index=False)


def _sorted_ids(item_ids: Iterable[str]) -> pa.Array:
    """Return the ids, sorted."""
    ids = pa.array(list(item_ids), pa.string()).sort()
    twice = ids[1:].filter(pc.equal(ids[1:], ids[:-1]))
    if len(twice):
        raise ValueError(f"item ids given twice: {twice[:5].to_pylist()}")
    return ids


def _edge_positions(ids: pa.Array, edges: pa.Table) -> tuple[Indices, Indices]:
    """Return where the ends of edges stand among the ids."""
    a, b = (pc.index_in(edges[side], ids) for side in ("a", "b"))
    if a.null_count or b.null_count:
        raise ValueError("an edge ends at an item that is not among the item ids")
    return a.to_numpy(), b.to_numpy()


def count_apart_items(items: pa.Table, groups: pa.Table) -> dict[str, int]:
    """Return how many items of each evaluated split have no item of train in their group."""
    split = items.select(["item_id", "split"]).to_pandas().set_index("item_id")["split"]
    rows = groups.select(["item_id", "group_id"]).to_pandas()
    part = rows["item_id"].map(split).map(role)
    with_train = set(rows.loc[part == TRAIN, "group_id"])
    free = rows[part.isin(EVALUATED) & ~rows["group_id"].isin(with_train)]["item_id"].map(split)
    order = [name for name in evaluation_order(split) if role(name) in EVALUATED]
    return {name: int((free == name).sum()) for name in order}
