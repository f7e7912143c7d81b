"""The groups of a run by policy, and what each policy would join."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.groups.policies import DUPLICATE, cap_groups, count_apart_items, groups, policies
from splitaudit.runs.run import Run


def edges(run: Run, policy: str = DUPLICATE, cap: int | None = None) -> pa.Table:
    """Return the edges of a run, cut where they would make groups of more (>) than `cap` items."""
    ids = run.table("items")["item_id"].to_pylist()
    return cap_groups(ids, run.table("edges"), run.table("memberships"), policy, cap)


def group_items(run: Run, policy: str, joining: pa.Table) -> pa.Table:
    """Return the group of each item by a policy and edges as from `edges`."""
    if policy == DUPLICATE:
        return run.table("groups")
    ids = run.table("items")["item_id"].to_pylist()
    return groups(ids, joining, run.table("memberships"), policy)


def overview(run: Run) -> pd.DataFrame:
    """Return a row for each policy and key: groups, largest, shares apart from train."""
    memberships, joining = run.table("memberships"), edges(run)
    joined = {*memberships["key"].to_pylist(), *joining["policy"].to_pylist()}
    names = (*policies(memberships), *sorted(joined - {DUPLICATE}))
    items = run.table("items")
    return pd.DataFrame([_policy_row(items, group_items(run, name, joining)) for name in names])


def _policy_row(items: pa.Table, found: pa.Table) -> dict[str, Any]:
    counts = items["split"].to_pandas().value_counts()
    shares = {name: n / counts[name] for name, n in count_apart_items(items, found).items()}
    return {
        "policy": found["policy"][0].as_py(),
        "groups": len(pc.unique(found["group_id"])),
        "largest": pc.max(found["size"]).as_py(),
        **{f"{name} apart from train": share for name, share in shares.items()},
    }
